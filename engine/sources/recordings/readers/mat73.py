"""MATLAB files of version 7.3, which are HDF5."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt

from engine.errors import RecordingError
from engine.files.hdf5 import opened
from engine.sources.recordings.readers.faults import refuse_contents, refusing
from engine.sources.recordings.readers.hdf5 import MOST_BYTES, MOST_CELLS, Unreadable, values
from engine.sources.recordings.readers.matlab import DEEPEST, Cells, Structs, Unknown, Value

KIND = "MATLAB_class"
EMPTY = "MATLAB_empty"
NUMBERS = frozenset(
    {"double", "single", "logical", *(f"{u}int{bits}" for u in ("", "u") for bits in (8, 16, 32, 64))}
)


def read_mat73(path: Path) -> dict[str, Value]:
    """All variables of a file.

    Raises
    ------
    RecordingError
        In one line, with the file's name.
    """
    with refusing(path), opened(path) as file:
        refuse_contents(path, file)
        reader = _Reader(path, file)
        return {name: reader.value(file.get(name)) for name in file if not name.startswith("#")}


class _Reader:
    """Follows references, which may lead anywhere, within bounds."""

    def __init__(self, path: Path, file: h5py.File) -> None:
        self._path, self._file = path, file
        self._bytes, self._cells = MOST_BYTES, MOST_CELLS

    def value(self, target: h5py.Group | h5py.Dataset | None, depth: int = 0) -> Value:
        """What a group or a dataset is."""
        self._cells -= 1
        if self._cells < 0 or depth > DEEPEST:
            raise RecordingError(f"{self._path.name} has cells without end. Save it anew.")
        if isinstance(target, h5py.Group):
            return self._structs(target, depth)
        if not isinstance(target, h5py.Dataset):
            return Unknown("it is a link to nothing")
        kind = target.attrs.get(KIND, b"")
        kind = kind.decode("utf-8", "replace") if isinstance(kind, bytes) else str(kind)
        if EMPTY in target.attrs:
            return "" if kind == "char" else Cells((0, 0), []) if kind == "cell" else np.empty((0, 0))
        if h5py.check_ref_dtype(target.dtype) is not None and kind in ("cell", ""):
            return Cells(target.shape[::-1], self._referred(target, depth))
        if target.dtype.kind not in "biuf" or not (kind in NUMBERS or kind in ("char", "")):
            return Unknown(f"it is of the class {kind[:40] or 'unknown'}")
        read = self._read(target)
        if kind == "char":
            return "".join(chr(code) for code in read.ravel().tolist()) if read.size <= MOST_CELLS else ""
        return read.T if read.ndim > 1 else read.reshape(-1, 1)

    def _structs(self, group: h5py.Group, depth: int) -> Value:
        if "MATLAB_sparse" in group.attrs:
            return Unknown("it is sparse; save it as full(X)")
        fields: dict[str, list[Value]] = {}
        for name in group:
            field = group.get(name)
            refers = isinstance(field, h5py.Dataset) and h5py.check_ref_dtype(field.dtype) is not None
            if refers and KIND not in field.attrs:
                fields[name] = self._referred(field, depth)
            else:
                fields[name] = [self.value(field, depth + 1)]
        n = max(map(len, fields.values()), default=0)
        return Structs(n, {name: found for name, found in fields.items() if len(found) == n})

    def _referred(self, data: h5py.Dataset, depth: int) -> list[Value]:
        if data.size > self._cells:
            raise RecordingError(f"{self._path.name}: {data.name} claims {data.size} cells. Save it anew.")
        references = self._read(data).ravel()
        return [self.value(self._file[each] if each else None, depth + 1) for each in references]

    def _read(self, data: h5py.Dataset) -> npt.NDArray[np.generic]:
        self._bytes -= data.nbytes
        if self._bytes < 0:
            raise RecordingError(
                f"{self._path.name} claims more than {MOST_BYTES / 1e9:.3g} GB. Save fewer variables."
            )
        try:
            return values(data, ())
        except Unreadable as fault:
            raise RecordingError(f"{self._path.name}: {data.name} {fault}.") from fault
