"""The way of a long record's columns into a file, block by block."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from hdmf.data_utils import AbstractDataChunkIterator, DataChunk

from engine.sinks.record.columns import Array, forget

BLOCK: Final = 4 * 1024 * 1024
"""Bytes handled at a time."""


class Blocks(AbstractDataChunkIterator):  # type: ignore[misc]
    """An array for HDMF to write, that comes in blocks along its first axis.

    Parameters
    ----------
    shape : tuple of int
    dtype : numpy.dtype
    blocks : iterator of ndarray
        Which make up the array.
    """

    def __init__(self, shape: tuple[int, ...], dtype: npt.DTypeLike, blocks: Iterator[Array]) -> None:
        self._shape = shape
        self._dtype = np.dtype(dtype)
        self._blocks = blocks
        self._done = 0

    def __iter__(self) -> Blocks:
        return self

    def __next__(self) -> DataChunk:
        block = next(self._blocks)
        first, self._done = self._done, self._done + len(block)
        whole = (slice(0, size) for size in self._shape[1:])
        return DataChunk(np.ascontiguousarray(block), (slice(first, self._done), *whole))

    next = __next__

    def __len__(self) -> int:
        return self._shape[0]

    def recommended_chunk_shape(self) -> None:
        """h5py's own guess."""

    def recommended_data_shape(self) -> tuple[int, ...]:
        return self._shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._dtype

    @property
    def maxshape(self) -> tuple[int, ...]:
        return self._shape


def slices(n: int, row_bytes: int) -> Iterator[slice]:
    """Consecutive parts of `n` rows, of about `BLOCK` bytes."""
    step = max(BLOCK // max(row_bytes, 1), 1)
    for first in range(0, n, step):
        yield slice(first, min(first + step, n))


def blocks_of(values: Array, blank: Array | None = None) -> Blocks:
    """A column block by block; zeros where `blank` is true, shape (n,)."""

    def parts() -> Iterator[Array]:
        for part in slices(len(values), math.prod(values.shape[1:]) * values.itemsize):
            block = np.array(values[part])
            if blank is not None:
                block[blank[part]] = 0
            forget(values)
            yield block

    return Blocks(values.shape, values.dtype, parts())
