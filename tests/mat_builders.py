"""Small MATLAB files for tests: version 5 by scipy, version 7.3 as MATLAB writes it, by h5py."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
from scipy import io

Write = Callable[[Path, Mapping[str, Any]], Path]


def cells(*values: Any, shape: tuple[int, ...] | None = None) -> npt.NDArray[np.object_]:
    """A cell array, a row of cells unless there is a shape."""
    made = np.empty(len(values), object)
    made[:] = [np.asarray(value, np.float64) if isinstance(value, list) else value for value in values]
    return made.reshape(shape or (len(values), 1))


def structs(*elements: Mapping[str, Any]) -> npt.NDArray[np.void]:
    """A struct array."""
    made = np.empty((1, len(elements)), [(name, object) for name in elements[0]])
    for i, element in enumerate(elements):
        for name, value in element.items():
            made[0, i][name] = value
    return made


def save_5(path: Path, variables: Mapping[str, Any], compressed: bool = True) -> Path:
    io.savemat(path, dict(variables), do_compression=compressed)
    return path


def save_73(path: Path, variables: Mapping[str, Any]) -> Path:
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, value in variables.items():
            _write(file, file, name, value)
    with path.open("r+b") as raw:
        header = b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM"
        raw.write(header)
    return path


def _write(file: h5py.File, group: h5py.Group, name: str, value: Any) -> None:
    if isinstance(value, str):
        made = group.create_dataset(name, data=np.array([[ord(c)] for c in value], np.uint16))
        made.attrs["MATLAB_class"] = np.bytes_("char")
        return
    value = np.asarray(value)
    if value.dtype.names:
        struct = group.create_group(name)
        struct.attrs["MATLAB_class"] = np.bytes_("struct")
        for field in value.dtype.names:
            if value.size == 1:
                _write(file, struct, field, value.ravel()[0][field])
            else:
                struct.create_dataset(
                    field, data=_references(file, value[field], f"{name}_{field}"), dtype=h5py.ref_dtype
                )
    elif value.dtype == object:
        made = group.create_dataset(name, data=_references(file, value, name), dtype=h5py.ref_dtype)
        made.attrs["MATLAB_class"] = np.bytes_("cell")
    elif value.size == 0:
        made = group.create_dataset(name, data=np.array(np.atleast_2d(value).shape, np.uint64))
        made.attrs["MATLAB_class"], made.attrs["MATLAB_empty"] = np.bytes_("double"), np.uint8(1)
    else:
        kind = {"f": "double", "b": "logical"}.get(value.dtype.kind, value.dtype.name)
        made = group.create_dataset(name, data=np.atleast_2d(value).T)
        made.attrs["MATLAB_class"] = np.bytes_(kind)


def _references(file: h5py.File, values: npt.NDArray[Any], name: str) -> npt.NDArray[Any]:
    refs = file.require_group("#refs#")
    made = np.empty(values.shape, object)
    for i, place in enumerate(np.ndindex(values.shape)):
        _write(file, refs, f"{name}_{i}", values[place])
        made[place] = refs[f"{name}_{i}"].ref
    return made.T
