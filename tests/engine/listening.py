"""A listener that keeps every row a replay sends, and a sink that notes what it was told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np

from engine.bins import clock
from engine.bins.ring import Ring
from engine.bins.schema import Rows
from engine.deck.replay import Replay

PATIENCE = 60.0
"""Seconds after which a test gives up on what it waits for."""


def wait_until(met: Callable[[], bool]) -> None:
    """Wait for what nobody tells of."""
    until = time.monotonic() + PATIENCE
    while not met():
        assert time.monotonic() < until
        threading.Event().wait(0.01)


class Keeper:
    """Reads the ring at each bin, unless told to hold back; attach it to a replay before it plays."""

    def __init__(self, replay: Replay, reads: bool = True) -> None:
        self._replay = replay
        self._ring: Ring = replay.ring
        self._reads = reads
        self._changed = threading.Condition()  # guards all below
        self._cursor = replay.ring.head
        self._kept: list[Rows] = []
        self._arrived: list[tuple[int, float]] = []
        self.lost = 0
        replay.add_listener(self)

    def wake(self) -> None:
        with self._changed:
            if self._reads:
                self._read(None)
            self._changed.notify_all()

    def floor(self) -> int:
        return self._cursor

    def read(self, n: int | None = None) -> None:
        """Take up to `n` rows, and let the replay know."""
        with self._changed:
            self._read(n)
        self._replay.more()

    @property
    def rows(self) -> Rows:
        """Everything read so far."""
        with self._changed:
            return np.concatenate(self._kept) if self._kept else self._ring.snapshot(0.0)

    @property
    def arrivals(self) -> list[float]:
        """When each of them came, on the engine's clock."""
        with self._changed:
            return [at for n, at in self._arrived for _ in range(n)]

    def wait(self, met: Callable[[], bool]) -> None:
        """Wait until something is so that changes with a bin or a state."""
        with self._changed:
            assert self._changed.wait_for(met, PATIENCE)

    def wait_rows(self, n: int) -> Rows:
        """The first `n` rows, when they are there."""
        self.wait(lambda: sum(map(len, self._kept)) >= n)
        return self.rows[:n]

    def wait_more(self, n: int) -> Rows:
        """The next `n` rows from now."""
        have = len(self.rows)
        return self.wait_rows(have + n)[have:]

    def wait_state(self, state: str) -> None:
        self.wait(lambda: self._replay.state == state)

    def _read(self, n: int | None) -> None:
        rows, lost = self._ring.since(self._cursor, n)
        self._cursor += lost + len(rows)
        self.lost += lost
        if len(rows):
            self._kept.append(rows)
            self._arrived.append((len(rows), clock.now()))


class Notebook:
    """A sink with a consumer if `heard`."""

    def __init__(self, heard: bool = False) -> None:
        self.heard = heard
        self.chunks: list[Rows] = []
        self.pushed: list[float] = []
        self.events: list[tuple[str, float]] = []
        self.closed = 0
        self._changed = threading.Condition()

    def wanted(self) -> bool:
        return self.heard

    def push(self, rows: Rows) -> None:
        with self._changed:
            self.chunks.append(rows.copy())
            self.pushed += [clock.now()] * len(rows)
            self._changed.notify_all()

    def event(self, text: str, due: float) -> None:
        with self._changed:
            self.events.append((text, due))
            self._changed.notify_all()

    def close(self) -> None:
        self.closed += 1

    def wait_rows(self, n: int) -> tuple[Rows, list[float]]:
        """The first `n` rows pushed, and when each was, on the engine's clock."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.pushed) >= n, PATIENCE)
            return np.concatenate(self.chunks)[:n], self.pushed[:n]

    def wait_event(self, text: str) -> float:
        """When the first event of this text happened."""
        with self._changed:
            assert self._changed.wait_for(lambda: text in dict(self.events), PATIENCE)
            return dict(reversed(self.events))[text]
