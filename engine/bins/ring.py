"""The one object that a session's writer and its readers share: the last bins, as they were sent."""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from engine.bins.schema import Raw, Rows

Times = npt.NDArray[np.float64]

HEAD, CLAIMED = 0, 1
"""The two marks of the writer."""
MARKS_BYTES = 64
"""They stand before the rows, on a cache line of their own."""


@dataclass(frozen=True)
class Envelope:
    """A stretch of recording as pixels: all arrays have n_pixels rows, or one a bin if fewer.

    Attributes
    ----------
    due : ndarray of float64, shape (n,)
        When the first bin of each column was due, seconds of ``local_clock``.
    counts : ndarray of int64, shape (n, n_units)
    low, high : ndarray of float32, shape (n, 4)
        Bounds of x, y, vx, vy; NaN where all are missing.
    """

    due: Times
    counts: npt.NDArray[np.int64]
    low: npt.NDArray[np.float32]
    high: npt.NDArray[np.float32]


class Listener(Protocol):
    """Somebody who reads the ring at their own pace."""

    def wake(self) -> None:
        """New bins, or a new state. Called by the replay's thread: return at once."""
        ...

    def floor(self) -> int:
        """The oldest row still wanted. At speed max the replay never overwrites it."""
        ...


class Ring:
    """Preallocated rows that one thread publishes and any number of readers copy.

    The writer claims the slots it is about to overwrite, fills them, and then moves `head`. A reader
    copies rows and then looks at the claim: row i is whole only if ``i >= claimed - capacity``.
    Nobody waits for anybody.

    Parameters
    ----------
    dtype : numpy.dtype
        `row_dtype` of the recording.
    bin_rate : float
        Bins per second of recording.
    seconds : float
        How much is kept, in seconds of recording.
    buffer : writable buffer, optional
        At least ``Ring.size(dtype, capacity)`` bytes, zeroed; shared memory, for instance.

    Raises
    ------
    ValueError
        If the buffer is too small.
    """

    def __init__(
        self,
        dtype: np.dtype[np.void],
        bin_rate: float,
        seconds: float = 60.0,
        buffer: bytearray | memoryview | mmap.mmap | None = None,
    ) -> None:
        self.bin_rate = bin_rate
        self.capacity = max(round(seconds * bin_rate), 2)
        size = self.size(dtype, self.capacity)
        if buffer is None:
            buffer = mmap.mmap(-1, size)  # costs what is written, and goes back to the system with the ring
        if memoryview(buffer).nbytes < size:
            raise ValueError(f"The buffer is too small. This ring needs {size} bytes.")
        self._marks = memoryview(buffer).cast("B")[:16].cast("q")  # HEAD and CLAIMED
        self.dtype = dtype
        self._size = dtype.itemsize
        self._rows = memoryview(buffer).cast("B")[MARKS_BYTES:size]

    @staticmethod
    def size(dtype: np.dtype[np.void], capacity: int) -> int:
        """Bytes that a ring of `capacity` rows needs."""
        return MARKS_BYTES + capacity * dtype.itemsize

    @property
    def head(self) -> int:
        """How many rows were ever published, which is the index of the next one."""
        return self._marks[HEAD]

    def publish(self, rows: Rows) -> None:
        """Append rows of `dtype`, shape (n,), n at most `capacity`. For one thread only."""
        self.publish_raw(rows.tobytes())

    def publish_raw(self, raw: Raw) -> None:
        """Append rows as bytes, at most `capacity` of them. For one thread only."""
        end = self.head + len(raw) // self._size
        self._marks[CLAIMED] = end
        start = self.head % self.capacity * self._size
        first = min(len(raw), len(self._rows) - start)
        self._rows[start : start + first] = raw[:first]
        if first < len(raw):
            self._rows[: len(raw) - first] = raw[first:]
        self._marks[HEAD] = end

    def since(self, cursor: int, limit: int | None = None) -> tuple[Rows, int]:
        """Copy the rows from `cursor` on, and count those that are already gone.

        Parameters
        ----------
        cursor : int
            Index of the first row wanted. The next call wants ``cursor + lost + len(rows)``.
        limit : int, optional
            At most so many rows, the oldest first.

        Returns
        -------
        rows : ndarray, shape (n,), dtype `row_dtype`
        lost : int
        """
        raw, lost = self.raw_since(cursor, limit)
        return self.rows_of(raw), lost

    def rows_of(self, raw: Raw) -> Rows:
        """Bytes of rows as an array, shape (n,), of the same memory."""
        return np.frombuffer(raw, self.dtype)

    def raw_since(self, cursor: int, limit: int | None = None) -> tuple[bytearray, int]:
        """The same rows as bytes: for one row, numpy would take several times as long as the copy."""
        head = self.head
        first = max(cursor, head - self.capacity)
        last = head if limit is None else min(head, first + limit)
        raw = self._copy(first, last)
        if (torn := min(self._marks[CLAIMED] - self.capacity - first, last - first)) > 0:
            del raw[: torn * self._size]
            first += torn
        return raw, max(first - cursor, 0)

    def snapshot(self, seconds: float | None = None) -> Rows:
        """The newest rows, oldest first, time-first as published.

        Parameters
        ----------
        seconds : float, optional
            Of recording; all that is kept if None.

        Returns
        -------
        ndarray, shape (n_bins,), dtype `row_dtype`
            Shorter than asked for where less was published.
        """
        n = self.capacity if seconds is None else min(round(seconds * self.bin_rate), self.capacity)
        return self.since(max(self.head - n, 0), n)[0]

    def column(self, name: str) -> npt.NDArray[Any]:
        """One field of all that is kept, for statistics: rows in any order, the oldest perhaps newer.

        Returns
        -------
        ndarray, shape (n_bins, ...)
        """
        field = np.frombuffer(self._rows, self.dtype)[name]
        return field[: min(self.head, self.capacity)].copy()

    def window(self, seconds: float) -> tuple[npt.NDArray[np.unsignedinteger[Any]], Times]:
        """What a decoder wants: the newest counts, channels first.

        Parameters
        ----------
        seconds : float
            Of recording.

        Returns
        -------
        counts : ndarray, shape (n_units, n_bins)
        timestamps : ndarray of float64, shape (n_bins,)
            When each bin was due, in seconds of LSL's ``local_clock``.
        """
        rows = self.snapshot(seconds)
        return np.ascontiguousarray(rows["counts"].T), rows["due"].copy()

    def display(self, seconds: float, n_pixels: int) -> Envelope:
        """The newest bins, condensed to what `n_pixels` columns can show.

        Spike counts are summed per pixel; kinematics keep their minimum and maximum. Where there are
        fewer bins than pixels each bin is a column of its own.
        """
        rows = self.snapshot(seconds)
        counts = rows["counts"]
        if len(rows) <= n_pixels:
            return Envelope(
                rows["due"].copy(), counts.astype(np.int64), rows["kinematics"], rows["kinematics"]
            )
        starts = np.arange(n_pixels) * len(rows) // n_pixels
        return Envelope(
            due=rows["due"][starts],
            counts=np.add.reduceat(counts, starts, axis=0, dtype=np.int64),
            low=np.fmin.reduceat(rows["kinematics"], starts, axis=0),
            high=np.fmax.reduceat(rows["kinematics"], starts, axis=0),
        )

    def _copy(self, first: int, last: int) -> bytearray:
        if last <= first:
            return bytearray()
        start = first % self.capacity * self._size
        stop = ((last - 1) % self.capacity + 1) * self._size
        if start < stop:
            return bytearray(self._rows[start:stop])
        return bytearray().join((self._rows[start:], self._rows[:stop]))
