"""The newest values of something that grows, without moving them with every addition."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


class Window:
    """At most `capacity` values, in a buffer of twice the size: they move back once per `capacity`.

    Parameters
    ----------
    capacity : int
    dtype : dtype
    """

    def __init__(self, capacity: int, dtype: npt.DTypeLike) -> None:
        self._capacity = capacity
        self._buffer = np.empty(2 * capacity, dtype)
        self._end = 0

    @property
    def values(self) -> npt.NDArray[Any]:
        """Oldest first, shape (n,); a view that holds until the next addition."""
        return self._buffer[max(self._end - self._capacity, 0) : self._end]

    def append(self, values: npt.NDArray[Any]) -> None:
        """Add at most `capacity` values, shape (n,)."""
        if self._end + len(values) > len(self._buffer):
            kept = self.values
            self._buffer[: len(kept)] = kept
            self._end = len(kept)
        self._buffer[self._end : self._end + len(values)] = values
        self._end += len(values)
