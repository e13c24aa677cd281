"""A deck in a process of its own: ``python -m tests.live_deck CODE FILE``.

It plays a recording on LSL until it is killed, and appends every row that it sends to the file.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import numpy as np

from engine.bins.schema import Rows, row_dtype
from engine.sinks.lsl import LslNames, LslSink
from engine.sources.recordings.recording import Recording
from sessions.options import Options
from sessions.session import Session
from sessions.store import Store
from tests.builders import small_recording

ROOT = Path(__file__).parents[1]


def played() -> Recording:
    """50 s of 40 trials, whose ids are their rows."""
    return small_recording(n_units=12, n_bins=2000, n_trials=40)


def rows_of(path: Path) -> Rows:
    """What a deck has sent."""
    dtype = row_dtype(12, played().counts.dtype)
    content = path.read_bytes()
    return np.frombuffer(content[: len(content) // dtype.itemsize * dtype.itemsize], dtype)


class Appender:
    """A listener that appends to a file."""

    def __init__(self, session: Session, path: Path) -> None:
        self._ring = session.ring
        self._cursor = 0
        self._file = path.open("ab", buffering=0)
        session.replay.add_listener(self)

    def wake(self) -> None:
        raw, lost = self._ring.raw_since(self._cursor)
        assert not lost
        self._cursor = self._ring.head
        self._file.write(raw)

    def floor(self) -> int:
        return self._cursor


if __name__ == "__main__":
    code, path = sys.argv[1], Path(sys.argv[2])
    names = LslNames()
    store = Store({"small": played()}, make_sinks={"lsl": lambda subject: LslSink(subject, names)})
    session = store.create(code, Options(lsl=True))
    Appender(session, path)
    print("ready", flush=True)
    threading.Event().wait()
