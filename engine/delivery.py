"""When decoders get what is in a ring: packets are held back by their delay, and none overtakes another."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from engine.ring import Ring, Rows


def received(rows: Rows) -> npt.NDArray[np.bool_]:
    """Which rows hold counts that were recorded and not lost on their way, shape as `rows`."""
    both: npt.NDArray[np.bool_] = rows["observed"] & ~rows["lost"]
    return both


def arriving(rows: Rows) -> Rows:
    """The rows that are not lost."""
    lost = rows["lost"]
    return rows[~lost] if lost.any() else rows  # a copy of rows, field by field, takes its time


class Delivery:
    """A cursor into a ring that stays behind it by the delay of the rows.

    The ring is where rows wait, so the longest delay must be shorter than what a ring keeps.

    Parameters
    ----------
    ring : Ring
    delayed : bool
        Whether rows are held back at all.

    Attributes
    ----------
    cursor : int
        The next row.
    next : float
        When it may go, in seconds of the engine's clock; infinity if there was none.
    latest : float
        When the newest of those taken could go.
    """

    def __init__(self, ring: Ring, delayed: bool = True) -> None:
        self._ring = ring
        self._delayed = delayed
        self.skip()
        self.latest = -math.inf

    def skip(self) -> None:
        """Go on with the next row to be published."""
        self.cursor = self._ring.head
        self.next = math.inf

    def take(self, at: float, limit: int) -> tuple[Rows, int]:
        """The rows that may go at time `at`, lost ones included.

        Returns
        -------
        rows : ndarray, shape (n,), dtype `engine.ring.row_dtype`
            At most `limit`.
        lapped : int
            How many rows were gone before they were taken.
        """
        rows, lapped = self._ring.since(self.cursor, limit)
        self.next = math.inf
        if len(rows):
            if self._delayed and (rows["delay"].any() or rows["due"][0] < self.latest):
                rows = self._released(rows, at)
            else:
                self.latest = float(rows["due"][-1])
        self.cursor += lapped + len(rows)
        if self.next == math.inf and self.cursor < self._ring.head:
            self.next = at  # beyond the limit
        return rows, lapped

    def _released(self, rows: Rows, at: float) -> Rows:
        """Those that may go, each not before those ahead of it."""
        times = np.maximum.accumulate(np.maximum(rows["due"] + rows["delay"], self.latest))
        n = int(np.searchsorted(times, at, "right"))
        if n:
            self.latest = float(times[n - 1])
        if n < len(rows):
            self.next = float(times[n])
        return rows[:n]
