"""A comparison goes on where it was broken off, and never with runs of another one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.comparison.journal import Journal
from engine.comparison.open_loop import OpenCondition, OpenMeasures
from engine.errors import BadSetting

ABOUT = {"recording": "drawn", "way": "open loop"}
ONE, OTHER = OpenCondition("wiener", "none"), OpenCondition("kalman", "light")
MEASURES = OpenMeasures(3, 0.5, float("nan"), 100.0, 10.0, 1.0)


def journal(path: Path, about: dict[str, Any] = ABOUT) -> Journal[OpenCondition, OpenMeasures]:
    return Journal(path, about, OpenCondition, OpenMeasures)


def test_runs_are_there_when_it_is_opened_again_but_for_one_that_was_broken_off(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    begun = journal(path)
    assert begun.runs == {}
    begun.add(ONE, 0, MEASURES)
    begun.add(OTHER, 1, MEASURES)
    with path.open("a") as file:
        file.write('{"condition": ["kalman"')
    again = journal(path)
    assert list(again.runs) == [(ONE, 0), (OTHER, 1)]
    assert repr(again.runs[ONE, 0]) == repr(MEASURES)
    again.add(ONE, 2, MEASURES)
    assert list(journal(path).runs) == [(ONE, 0), (OTHER, 1), (ONE, 2)]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            '{"recording": "other", "way": "open loop"}\n',
            "has runs whose recording is 'other', not 'dr",
        ),
        ("a,b\n1,2\n", "is no file of runs. Name another one."),
        ('{"recording": "drawn", "way": "open loop"}\n{"seed": 1}\n', "has other runs in it than these."),
        (b"\xff\xfe\x00", "cannot be gone on with: it is no text."),
    ],
)
def test_a_file_of_something_else_is_refused_and_stays_as_it_is(
    tmp_path: Path, content: str | bytes, said: str
) -> None:
    path = tmp_path / "runs.jsonl"
    raw = content if isinstance(content, bytes) else content.encode()
    path.write_bytes(raw)
    with pytest.raises(BadSetting, match=said):
        journal(path)
    assert path.read_bytes() == raw


def test_a_file_that_cannot_be_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="cannot be gone on with: No such file or directory"):
        journal(tmp_path / "nowhere" / "runs.jsonl")
