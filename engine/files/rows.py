"""Rows of a dataset of an HDF5 file, read past the HDF5 library where that goes.

The library reads for one thread at a time: while a disk lets it wait, all wait who read any such file. Here
nobody does, and the interpreter's lock is free meanwhile.
"""

from __future__ import annotations

import math
import zlib
from io import FileIO
from pathlib import Path
from typing import Any, Final, Protocol

import h5py
import numpy as np
import numpy.typing as npt

Values = npt.NDArray[Any]
SHUFFLE, GZIP = h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_DEFLATE
PIPELINES: Final = ((), (GZIP,), (SHUFFLE,), (SHUFFLE, GZIP))
"""Filters of chunks that can be undone here, in the order in which they were applied."""


class Rows(Protocol):
    """Of a dataset of two dimensions, or of one that counts as one column. For one thread."""

    def read(self, first: int, stop: int) -> Values:
        """Those from `first` on, which begins a chunk, before `stop`, shape (n, n_columns)."""
        ...

    def close(self) -> None: ...


def rows_of(file: h5py.File, place: str, path: Path) -> Rows:
    """Those of a dataset of an open file, which is closed sooner or later, that lies at a path."""
    data = file[place]
    how = data.id.get_create_plist()
    pipeline = tuple(how.get_filter(i)[0] for i in range(how.get_nfilters()))
    plain = not (data.is_virtual or data.external or file.userblock_size)
    if file.driver == "fileobj" or not plain or pipeline not in PIPELINES:
        return ByLibrary(file, data)
    with file:
        if data.chunks:
            return Chunked(data, path, pipeline)
        offset = data.id.get_offset()
        if offset is not None:
            return Contiguous(data, path, offset)
        return Held(data[:].reshape(len(data), -1))


class ByLibrary:
    """As the library has them.

    Parameters
    ----------
    file : h5py.File
        Closed with this.
    data : Dataset
    """

    def __init__(self, file: h5py.File, data: h5py.Dataset) -> None:
        self._file, self._data = file, data

    def read(self, first: int, stop: int) -> Values:
        rows = self._data[first:stop]
        return np.asarray(rows.reshape(len(rows), -1))

    def close(self) -> None:
        self._file.close()


class Held:
    """So few that the file has them in the dataset's own header, or none at all."""

    def __init__(self, values: Values) -> None:
        self._values = values

    def read(self, first: int, stop: int) -> Values:
        return self._values[first:stop]

    def close(self) -> None:
        """Nothing is open."""


class Contiguous:
    """One after the other in the file, from an offset on."""

    def __init__(self, data: h5py.Dataset, path: Path, offset: int) -> None:
        self._shape, self._dtype, self._offset = (len(data), data.size // len(data)), data.dtype, offset
        self._file = FileIO(path)

    def read(self, first: int, stop: int) -> Values:
        n_rows, n_columns = self._shape
        n = max(min(stop, n_rows) - first, 0)
        width = n_columns * self._dtype.itemsize
        raw = _read(self._file, n * width, self._offset + first * width)
        return np.frombuffer(raw, self._dtype).reshape(n, n_columns)

    def close(self) -> None:
        self._file.close()


class Chunked:
    """In chunks, which may be shuffled and compressed by gzip."""

    def __init__(self, data: h5py.Dataset, path: Path, pipeline: tuple[int, ...]) -> None:
        self._shape, self._dtype = (len(data), data.size // len(data)), data.dtype
        self._chunk = (data.chunks[0], math.prod(data.chunks[1:]))
        self._pipeline, self._fill = pipeline, data.fillvalue
        grid = [-(-all_ // one) for all_, one in zip(self._shape, self._chunk, strict=True)]
        self._places = np.zeros((*grid, 3), np.int64)  # offset, size, and filters that were left out

        def enter(found: Any) -> None:
            at = tuple(i // one for i, one in zip((*found.chunk_offset, 0)[:2], self._chunk, strict=True))
            self._places[at] = found.byte_offset, found.size, found.filter_mask

        data.id.chunk_iter(enter)
        self._file = FileIO(path)

    def read(self, first: int, stop: int) -> Values:
        (n_rows, n_columns), (height, width) = self._shape, self._chunk
        out = np.empty((max(min(stop, n_rows) - first, 0), n_columns), self._dtype)
        for top in range(0, len(out), height):
            for i, place in enumerate(self._places[(first + top) // height]):
                part = out[top : top + height, i * width : (i + 1) * width]
                part[:] = self._values(*place.tolist())[: part.shape[0], : part.shape[1]]
        return out

    def close(self) -> None:
        self._file.close()

    def _values(self, offset: int, size: int, left_out: int) -> Values:
        if not size:
            return np.full(self._chunk, self._fill, self._dtype)
        raw: bytes | bytearray = _read(self._file, size, offset)
        for i, each in reversed(list(enumerate(self._pipeline))):
            if left_out >> i & 1:
                continue
            if each == GZIP:
                raw = zlib.decompress(raw)
            else:
                raw = np.frombuffer(raw, np.uint8).reshape(self._dtype.itemsize, -1).T.tobytes()
        return np.frombuffer(raw, self._dtype).reshape(self._chunk)


def _read(file: FileIO, size: int, offset: int) -> bytearray:
    """So many bytes; `OSError` if there are fewer."""
    out = bytearray(size)
    view, done = memoryview(out), 0
    file.seek(offset)
    while done < size:
        n = file.readinto(view[done:])
        if not n:
            raise OSError(f"the file ends at byte {offset + done}, before its voltages do")
        done += n
    return out
