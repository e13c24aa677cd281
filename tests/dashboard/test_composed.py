"""Figures are composed once, and kept for the next start while nothing that they are made of changes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dashboard.explore import composed
from dashboard.explore.composed import _read_or_make

make = _read_or_make.__wrapped__  # as if at the next start


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(composed, "KEPT", tmp_path / "figures")
    return tmp_path / "figures"


def say(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    monkeypatch.setattr(composed, "COMMAND", (sys.executable, "-c", program))


def test_the_next_start_has_what_the_last_one_made(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    say(monkeypatch, "print('[1]')")
    assert make() == [1]
    say(monkeypatch, "raise SystemExit(1)")
    assert make() == [1]
    assert len(list(kept.iterdir())) == 1


def test_what_other_versions_made_is_made_anew(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    say(monkeypatch, "print('[1]')")
    assert make() == [1]
    say(monkeypatch, "print('[2]')")
    monkeypatch.setattr(composed, "version", lambda name: f"{name} of tomorrow")
    assert make() == [2]
    assert [json.loads(each.read_text()) for each in kept.iterdir()] == [[2]]


def test_a_broken_file_is_made_anew(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    say(monkeypatch, "print('[1]')")
    assert make() == [1]
    (whole,) = kept.iterdir()
    whole.write_text("[1")
    assert make() == [1]


def test_a_folder_that_cannot_be_written_to_is_no_hindrance(
    kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.write_text("a file stands where the folder should")
    say(monkeypatch, "print('[1]')")
    assert make() == [1]


def test_a_failure_is_told_and_not_kept(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    say(monkeypatch, "raise SystemExit(1)")
    with pytest.raises(subprocess.CalledProcessError):
        make()
    assert not kept.exists()
