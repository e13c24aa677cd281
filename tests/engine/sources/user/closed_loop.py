"""A closed loop without a server: decoders that answer each bin in the same process."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import numpy as np

from engine.answers.predictions import Predictions
from engine.bins.schema import Rows
from engine.deck.replay import Replay
from engine.sources.recordings.recording import Recording
from engine.sources.user.closed_loop import ClosedLoop
from engine.sources.user.fitting import Fit, Fits
from engine.sources.user.regression import Sample, fit
from engine.sources.user.source import SimulatedUser
from engine.sources.user.workspace import Basis, Workspace
from tests.engine.sources.user.population import known_population

Answer = Callable[[np.void], tuple[float, float, float, float]]


@lru_cache(maxsize=4)
def fits_of(recording: Recording) -> Fits:
    """With its neurons, without a process."""
    return Ready(Fit(fit(Sample.of(recording, Workspace.of(recording)))))


class Ready(Fits):
    """Fits of one recording, done or not."""

    def __init__(self, made: Fit) -> None:
        super().__init__()
        self.made = made

    def of(self, *_: Any) -> Fit:
        return self.made


@lru_cache(maxsize=1)
def recording() -> Recording:
    return known_population()


def a_user(loop: ClosedLoop, fits: Fits | None = None) -> SimulatedUser:
    """One who steers with the neurons of the known population."""
    basis = Basis.of(recording())
    return SimulatedUser(
        basis, loop, partial((fits or fits_of(recording())).of, recording(), basis.workspace)
    )


def a_loop(fits: Fits | None = None, **settings: Any) -> Replay:
    """A replay of a simulated user, in lockstep unless told otherwise."""
    loop = ClosedLoop(**{"lockstep": True, **settings})
    return Replay(a_user(loop, fits), seed=loop.seed, speed="max" if loop.lockstep else 1.0)


def perfect(row: np.void) -> tuple[float, float, float, float]:
    vx, vy = row["intended"].tolist()
    return math.nan, math.nan, vx, vy


def run(replay: Replay, n: int, answer: Answer = perfect, predictions: Predictions | None = None) -> Rows:
    """The first `n` bins, each of which is answered, in lockstep."""
    predictions = predictions or Predictions(replay)
    driver = Driver(replay, predictions, answer, n)
    replay.add_listener(driver)
    replay.source.attend("driver")
    replay.start()
    driver.wake()  # nothing else does while the loop waits for an answer
    return driver.wait()


class Driver:
    """Answers as soon as it is woken, in the thread that wakes it."""

    def __init__(self, replay: Replay, predictions: Predictions, answer: Answer, n: int) -> None:
        self._replay, self._predictions, self._answer, self._n = replay, predictions, answer, n
        self._rows: list[Rows] = []
        self._done = threading.Event()
        self._cursor = 0
        self._taking = threading.Lock()

    def wake(self) -> None:
        with self._taking:
            new, _ = self._replay.ring.since(self._cursor)
            self._cursor += len(new)
            taken = list(new[: self._n - len(self._rows)])
            self._rows += taken
            n_left = self._n - len(self._rows)
        for row in taken if n_left else taken[:-1]:
            if not row["lost"]:
                self._predictions.receive(
                    "driver", int(row["sequence_number"]), self._answer(row), float(row["due"])
                )
        if not n_left:
            self._done.set()

    def floor(self) -> int:
        return self._cursor

    def wait(self) -> Rows:
        assert self._done.wait(60.0)
        return np.array(self._rows)
