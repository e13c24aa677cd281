"""Deadlines that never drift: tick k is due at origin + k * period, whatever happened before."""

from __future__ import annotations

import time
from collections.abc import Callable

MAX_CATCH_UP = 1.0
"""Seconds of lateness that are made good; beyond it the schedule starts anew."""

now: Callable[[], float] = time.perf_counter
"""The engine's clock: monotonic seconds, on the same scale as LSL's ``local_clock``."""


def unix(at: float) -> float:
    """Unix seconds of a time of the engine's clock, as far as nobody sets the system's."""
    return at + time.time() - now()


class Schedule:
    """Absolute deadlines, and what became of them.

    Attributes
    ----------
    late_ticks : int
        Ticks that came a whole period or more after they were due.
    lost_time : float
        Seconds given up because the lateness exceeded `MAX_CATCH_UP`.
    unix_offset : float
        Add it to `due` to get Unix time; measured at each restart, so that pauses hide no clock change.
    """

    def __init__(self, period: float, wall: Callable[[], float] = time.time) -> None:
        self.period = period
        self.late_ticks = 0
        self.lost_time = 0.0
        self.unix_offset = 0.0
        self._wall = wall
        self._origin = 0.0
        self._ticks = 0

    @property
    def due(self) -> float:
        """When the next tick is due, in seconds of the engine's clock."""
        return self._origin + self._ticks * self.period

    def restart(self, at: float, period: float | None = None) -> None:
        """Make the next tick due `at`, and the following ones a period apart."""
        self.period = self.period if period is None else period
        self._origin, self._ticks = at, 0
        self.unix_offset = self._wall() - now()

    def ticks_due(self, at: float) -> int:
        """How many ticks to take at time `at`: those that are due, or one if the schedule will restart."""
        lateness = at - self.due
        if lateness < 0:
            return 0
        return 1 if lateness > MAX_CATCH_UP else 1 + int(lateness / self.period)

    def tick(self, at: float) -> tuple[float, float]:
        """Take the next tick at time `at`.

        Returns
        -------
        due : float
            When it was due, in seconds of the engine's clock; `at` if the schedule had to restart.
        lateness : float
            Seconds by which `at` came after `due`.
        """
        lateness = at - self.due
        if lateness >= self.period:
            self.late_ticks += 1
        if lateness > MAX_CATCH_UP:
            self.lost_time += lateness
            self.restart(at)
            lateness = 0.0
        due = self.due
        self._ticks += 1
        return due, lateness
