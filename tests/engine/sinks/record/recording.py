"""Sessions that are recorded for tests, and all that a listener beside the recorder saw of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.answers.prediction import PREDICTION
from engine.bins.ring import Ring
from engine.bins.schema import Rows
from engine.deck.replay import Replay
from engine.sinks.record.record import Header, Record, header_of
from engine.sinks.record.recorder import Recorder
from engine.sources.recordings.recording import Recording
from tests.builders import replay_of, small_recording
from tests.engine.listening import Keeper


class Answers:
    """Predictions as a session has them."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.ring = Ring(PREDICTION, 40.0)

    def receive(
        self, name: str, number: int, values: tuple[float, ...], at: float = 0.0, verdict: int = 0
    ) -> None:
        if name not in self.names:
            self.names.append(name)
        row = np.zeros(1, PREDICTION)
        row[0] = (number, at, values, self.names.index(name), verdict)
        self.ring.publish(row)


@dataclass
class Session:
    replay: Replay
    keeper: Keeper
    recorder: Recorder
    answers: Answers

    def play(self, n: int) -> Rows:
        """Send some bins at speed max, and wait until they are there."""
        return self.keeper.wait_rows(len(self.keeper.rows) + n)

    def end(self) -> Rows:
        """End the session and its record; everything that was sent."""
        self.replay.close()
        self.recorder.stop()
        return self.keeper.rows


def header(recording: Recording, name: str = "test") -> Header:
    return header_of(recording, name, "deck", 1700000000.0, {"phantomdeck": "test"})


@contextmanager
def recorded(
    folder: Path, recording: Recording | None = None, passphrase: str | None = None, **options: Any
) -> Iterator[Session]:
    """A session at 100 times real time whose record starts before its first bin."""
    recording = recording or small_recording()
    replay = replay_of(recording, **({"speed": 100.0} | options))
    keeper, answers = Keeper(replay), Answers()
    recorder = Recorder(
        folder / "test.journal",
        header(recording),
        replay,
        settings=lambda: {"speed": replay.speed, "loop": replay.loop},
        predictions=answers,
        scores=lambda _: {"decoders": {"mine": {"r2_velocity": 0.5}}},
        passphrase=passphrase,
    )
    session = Session(replay, keeper, recorder, answers)
    try:
        yield session
    finally:
        session.end()


def assert_same_rows(record: Record, rows: Rows) -> None:
    """The record has these rows, bit for bit."""
    assert len(record.rows) == len(rows)
    for name in rows.dtype.names or ():
        assert record.rows[name].tobytes() == rows[name].tobytes(), name
