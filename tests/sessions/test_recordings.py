"""Recordings are known by name at once, and read when they are first asked for."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from engine.errors import RecordingError
from engine.sources.recordings.recording import Recording
from sessions.recordings import Recordings
from tests.builders import small_recording

PATHS = (Path("folder/a.nwb"), Path("folder/b.nwb"))


class Reader:
    """Reads small recordings, except those it cannot, and notes what it has read."""

    def __init__(self, unreadable: str = "") -> None:
        self.read: list[str] = []
        self._unreadable = unreadable

    def __call__(self, path: Path) -> Recording:
        self.read.append(path.name)
        if path.stem == self._unreadable:
            raise RecordingError(f"{path.name} is empty.")
        return small_recording(name=path.stem)


def test_names_are_known_without_reading() -> None:
    reader = Reader()
    recordings = Recordings(PATHS, reader)

    assert list(recordings) == ["a", "b"]
    assert len(recordings) == 2
    assert "b" in recordings
    assert "c" not in recordings
    assert reader.read == []


def test_each_is_read_once_and_then_shared() -> None:
    reader = Reader()
    recordings = Recordings(PATHS, reader)

    assert recordings["b"].name == "b"
    assert recordings["b"] is recordings["b"]
    assert reader.read == ["b.nwb"]


def test_many_threads_share_one_reading() -> None:
    reader = Reader()
    recordings = Recordings(PATHS, reader)
    found: list[Recording] = []
    hands = [threading.Thread(target=lambda: found.append(recordings["a"])) for _ in range(8)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()

    assert reader.read == ["a.nwb"]
    assert all(each is found[0] for each in found)


def test_one_that_cannot_be_read_says_so_each_time_and_spoils_no_other() -> None:
    recordings = Recordings(PATHS, Reader(unreadable="a"))
    for _ in range(2):
        with pytest.raises(RecordingError, match=r"a\.nwb is empty"):
            recordings["a"]

    assert recordings["b"].name == "b"


def test_unknown_name_is_a_missing_key() -> None:
    with pytest.raises(KeyError):
        Recordings(PATHS, Reader())["c"]


def test_files_that_differ_in_their_endings_are_told_apart() -> None:
    reader = Reader()
    recordings = Recordings((*PATHS, Path("folder/a.npz")), reader)

    assert list(recordings) == ["a.nwb", "b", "a.npz"]
    assert recordings["a.npz"].name == "a.npz"
    assert reader.read == ["a.npz"]
