"""Rows of a long record, column by column on the disk.

A record made at full speed has millions of bins: neither their rows nor what is made of them fits into
the memory that a server has to spare.
"""

from __future__ import annotations

import mmap
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, overload

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class Columns:
    """Reads like an array of rows, as far as a record's file is made of it.

    ``columns[name]`` is a field of all rows, ``columns[first:end]`` a copy of some rows. There is a row for
    each sequence number: those that could not be recorded have the packet_id -1.

    Parameters
    ----------
    dtype : numpy.dtype
        Of a row.
    folder : Path
        Where the columns lie while this is used, in files without names.
    """

    def __init__(self, dtype: np.dtype[np.void], folder: Path) -> None:
        self.dtype = dtype
        self._files = {name: TemporaryFile(dir=folder) for name in dtype.names or ()}  # noqa: SIM115
        self._first = self._end = 0

    def append(self, rows: npt.NDArray[np.void]) -> None:
        """Add rows, in ascending order of ``sequence_number``; before anything is read."""
        if not len(rows):
            return
        if not len(self):
            self._first = self._end = int(rows["sequence_number"][0])
        rows = filled(rows, self._end)
        self._end += len(rows)
        for name, file in self._files.items():
            file.write(np.ascontiguousarray(rows[name]).data)

    def __len__(self) -> int:
        return self._end - self._first

    @overload
    def __getitem__(self, key: str) -> Array: ...

    @overload
    def __getitem__(self, key: slice) -> npt.NDArray[np.void]: ...

    def __getitem__(self, key: str | slice) -> Array:
        if isinstance(key, str):
            return self._columns[key]
        rows = np.empty(len(range(*key.indices(len(self)))), self.dtype)
        for name, column in self._columns.items():
            rows[name] = column[key]
        return rows

    @cached_property
    def _columns(self) -> dict[str, Array]:
        """All that was appended, mapped into memory; the mappings keep what the files had."""
        columns: dict[str, Array] = {}
        for name, file in self._files.items():
            with file:
                file.flush()
                field = self.dtype[name]
                columns[name] = np.memmap(file, field.base, "r", shape=(len(self), *field.shape))
        return columns


def filled(rows: npt.NDArray[np.void], first: int) -> npt.NDArray[np.void]:
    """Rows with one for each sequence number from `first` on, of which they may lack some."""
    places = rows["sequence_number"] - first
    if places[-1] == len(rows) - 1:
        return rows
    whole = np.zeros(int(places[-1]) + 1, rows.dtype)
    for name in rows.dtype.names or ():
        if rows.dtype[name].base.kind == "f":
            whole[name] = np.nan
    whole["sequence_number"] = np.arange(len(whole)) + first
    whole["packet_id"] = whole["trial"] = -1
    whole[places] = rows
    return whole


def forget(values: Array) -> None:
    """Let go of the pages of a column on the disk that were read: they count as this process's memory."""
    mapped = getattr(values, "_mmap", None)
    if isinstance(mapped, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)
