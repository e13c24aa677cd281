"""MATLAB files up to version 7, by scipy, after their lengths and shapes were checked."""

from __future__ import annotations

import math
import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import RecordingError
from engine.sources.recordings.readers.archive import DAMAGES
from engine.sources.recordings.readers.hdf5 import MOST_BYTES, MOST_VALUES
from engine.sources.recordings.readers.matlab import DEEPEST, Cells, Structs, Unknown, Value

HEADER = 128
MATRIX, COMPRESSED = 14, 15
CELL, STRUCT, OBJECT, CHAR, SPARSE, FUNCTION = 1, 2, 3, 4, 5, 16
CHUNK = 2**20
LEAST = 8
"""Bytes of the smallest element."""
BROKEN = (*DAMAGES, struct.error, IndexError, AttributeError, AssertionError)


class _TooLarge(Exception):
    """What is claimed."""


def read_mat5(path: Path) -> dict[str, Value]:
    """All variables of a file.

    Raises
    ------
    RecordingError
        In one line, with the file's name.
    """
    refuse_mat5(path)
    from scipy import io  # takes long to load, and few recordings are of MATLAB

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # scipy's, about what it passes over
            read = io.loadmat(str(path), appendmat=False, mat_dtype=True)  # logical ones are bool
    except BROKEN as fault:
        raise _damaged(path) from fault
    return {name: _value(value) for name, value in read.items() if not name.startswith("__")}


def refuse_mat5(path: Path) -> None:
    """Raise `RecordingError` for a file that is cut, damaged, or claims more than it holds."""
    try:
        with path.open("rb") as file:
            header = file.read(HEADER)
            order = {b"IM": "<", b"MI": ">"}.get(header[126:128])
            if order is None:
                raise RecordingError(f"{path.name} is not a MATLAB file of version 5 to 7.3. Save it anew.")
            left, here, end = MOST_BYTES, HEADER, path.stat().st_size
            while here < end:
                file.seek(here)
                kind, n_bytes = struct.unpack(f"{order}II", file.read(8))
                here += 8 + n_bytes
                if here > end:
                    raise RecordingError(f"{path.name} is truncated. Copy or download it again.")
                if n_bytes > left:
                    raise _TooLarge(f"more than {MOST_BYTES / 1e9:.3g} GB")
                content = file.read(n_bytes)
                if kind == COMPRESSED:
                    content = _inflated(content, left)
                    kind, n_bytes = struct.unpack_from(f"{order}II", content)
                    content = content[8:]
                left -= len(content)
                if kind == MATRIX:
                    _Elements(content, order).check(0, len(content))
    except _TooLarge as claim:
        raise RecordingError(
            f"{path.name} claims {claim}, and does not hold that. Save it anew."
        ) from claim
    except BROKEN as fault:
        raise _damaged(path) from fault


def _damaged(path: Path) -> RecordingError:
    return RecordingError(f"{path.name} is damaged. Copy or download it again.")


def _inflated(content: bytes, most: int) -> bytes:
    """What is compressed, once it is known to be no more than that."""
    size, inflater, rest = 0, zlib.decompressobj(), content
    while rest:
        size += len(inflater.decompress(rest, CHUNK))
        rest = inflater.unconsumed_tail
        if size > most:
            raise _TooLarge(f"more than {MOST_BYTES / 1e9:.3g} GB")
    return zlib.decompressobj().decompress(content)


class _Elements:
    """The elements of one variable, as "MAT-File Format" of The MathWorks has them.

    Parameters
    ----------
    content : bytes
    order : str
        ``"<"`` or ``">"``.
    """

    def __init__(self, content: bytes, order: str) -> None:
        self._content = content
        self._order = order

    def check(self, here: int, end: int, depth: int = 0) -> None:
        """Raise `_TooLarge` if a matrix, or one in it, has a shape that its bytes do not fill."""
        if depth > DEEPEST:
            raise _TooLarge("structs without end")
        if here == end:  # an empty one
            return
        flags, here = self._element(here, end)
        kind = struct.unpack_from(f"{self._order}I", flags)[0] & 0xFF
        raw, here = self._element(here, end)
        shape = struct.unpack_from(f"{self._order}{len(raw) // 4}i", raw)
        size = math.prod(shape)
        if size < 0 or kind >= FUNCTION or kind == SPARSE:
            return
        _, here = self._element(here, end)  # its name
        fields = 1
        if kind in (STRUCT, OBJECT):
            if kind == OBJECT:
                _, here = self._element(here, end)
            length, here = self._element(here, end)
            names, here = self._element(here, end)
            fields = len(names) // max(struct.unpack_from(f"{self._order}i", length)[0], 1)
        if kind not in (CELL, STRUCT, OBJECT):
            data, _ = self._element(here, end) if size else (b"", here)
            if size > len(data):
                raise _TooLarge(f"{size} values in {len(data)} bytes")
            return
        if size * fields * LEAST > end - here:
            raise _TooLarge(f"{size * fields} cells in {end - here} bytes")
        for _ in range(size * fields):
            _, n_bytes = struct.unpack_from(f"{self._order}II", self._content, here)
            self.check(here + 8, min(here + 8 + n_bytes, end), depth + 1)
            here += 8 + n_bytes

    def _element(self, here: int, end: int) -> tuple[memoryview, int]:
        """What an element holds, and where the next one begins."""
        first, n_bytes = struct.unpack_from(f"{self._order}II", self._content, here)
        start, step = here + 8, n_bytes + -n_bytes % 8
        if first >> 16:  # a small one has its length and four bytes where others have their length
            start, n_bytes, step = here + 4, first >> 16, 0
        if start + n_bytes > end:
            raise EOFError
        return memoryview(self._content)[start : start + n_bytes], here + 8 + step


def _value(value: Any, depth: int = 0) -> Value:
    from scipy.io.matlab import MatlabFunction, MatlabObject, MatlabOpaque

    if depth > DEEPEST or isinstance(value, MatlabFunction | MatlabObject | MatlabOpaque):
        return Unknown("it is an object or a function")
    if hasattr(value, "toarray"):
        return value.toarray() if math.prod(value.shape) <= MOST_VALUES else Unknown("it is too large")
    if not isinstance(value, np.ndarray):
        return Unknown("it is an object or a function")
    if value.dtype.names is not None:
        rows = value.ravel("F")
        return Structs(
            len(rows),
            {name: [_value(each, depth + 1) for each in rows[name]] for name in value.dtype.names},
        )
    if value.dtype.hasobject:
        return Cells(value.shape, [_value(each, depth + 1) for each in value.ravel("F")])
    if value.dtype.kind == "U" and value.size <= 1:
        return "".join(value.ravel().tolist())
    return value
