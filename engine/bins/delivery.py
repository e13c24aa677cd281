"""When decoders get what is in a ring: packets are held back by their delay, and none overtakes another."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from engine.bins.ring import Ring
from engine.bins.schema import STAMP, Rows


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
        self.skip_to(self._ring.head)

    def skip_to(self, row: int) -> None:
        """Go on with a row."""
        self.cursor = row
        self.next = math.inf

    def take(self, at: float, limit: int) -> tuple[bytearray, int]:
        """The rows that may go at time `at`, lost ones included.

        Returns
        -------
        raw : bytearray
            At most `limit` rows of `engine.bins.schema.row_dtype`.
        lapped : int
            How many rows were gone before they were taken.
        """
        raw, lapped = self._ring.raw_since(self.cursor, limit)
        size = self._ring.dtype.itemsize
        self.cursor += lapped
        self.next = math.inf
        for start in range(0, len(raw), size):
            _, _, due, _, delay, _, _ = STAMP.unpack_from(raw, start)
            free = max(due + delay, self.latest) if self._delayed else due  # not before those ahead of it
            if free > at and self._delayed:
                self.next = free
                del raw[start:]
                break
            self.latest = free
            self.cursor += 1
        if self.next == math.inf and self.cursor < self._ring.head:
            self.next = at  # beyond the limit
        return raw, lapped
