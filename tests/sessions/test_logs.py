"""Logs of decoders: bounded, one a name, and no trouble for anybody."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.errors import NotNow
from sessions import logs
from sessions.logs import FULL, Log


def written(folder: Path, decoder: str, *lines: str) -> Log:
    log = Log(folder, "deck", decoder)
    log.begin()
    for line in lines:
        log.write(line)
    log.close()
    return log


def test_the_next_log_of_a_name_takes_the_place_of_the_last(tmp_path: Path) -> None:
    written(tmp_path / "logs", "../mine", "first\n")
    log = written(tmp_path / "logs", "../mine", "second\n")
    assert log.read() == b"second\n"
    assert [path.name for path in (tmp_path / "logs").iterdir()] == ["deck...%2Fmine.log"]


def test_a_log_that_is_full_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MOST", 10)
    assert written(tmp_path, "mine", *["12345\n"] * 4).read().decode() == f"12345\n{FULL}"


def test_a_link_in_its_place_leads_nowhere(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("of somebody else")
    (tmp_path / "deck.mine.log").symlink_to(other)
    log = written(tmp_path, "mine", "line\n")
    assert (log.read(), other.read_text()) == (b"line\n", "of somebody else")

    for make in (lambda path: path.symlink_to(other), os.mkfifo):
        assert log.path is not None
        log.path.unlink()
        make(log.path)
        with pytest.raises(NotNow):
            log.read()


def test_the_oldest_logs_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "KEPT", 2)
    for age, name in enumerate(("c", "b", "a")):
        path = written(tmp_path, name).path
        assert path is not None
        os.utime(path, (age, age))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deck.a.log", "deck.b.log"]


def test_a_folder_that_cannot_be_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", None):
        with pytest.raises(NotNow, match="There is no log of this decoder"):
            written(folder, "mine", "line\n").read()
