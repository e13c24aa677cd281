"""The arrays of an ``.npz`` archive, none of which is a pickle, or larger than what the file holds."""

from __future__ import annotations

import math
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from engine.errors import RecordingError
from engine.sources.recordings.readers.faults import refuse_others
from engine.sources.recordings.readers.hdf5 import MOST_BYTES

ZIP = b"pk\x03\x04"
ARRAY = ".npy"
MOST_ARRAYS = 1000
HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
    (3, 0): np.lib.format.read_array_header_2_0,
}
"""By the version of the array's format; the third differs from the second in names that are not Latin."""
DAMAGES = (
    zipfile.BadZipFile,
    zlib.error,
    tokenize.TokenError,
    SyntaxError,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
    TypeError,
    KeyError,
    OverflowError,
    MemoryError,
)
"""What damage brings zipfile and numpy to raise."""


def read_arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Every array of an archive, by name.

    Raises
    ------
    RecordingError
        In one line, with the file's name.
    """
    with _arrays(path) as (archive, members):
        return {_name(member): _read(path, archive, member) for member in members}


def refuse_archive(path: Path) -> None:
    """Raise `RecordingError` for what is not an archive of arrays, from what their headers say."""
    with _arrays(path) as (archive, members):
        for member in members:
            with archive.open(member) as file:
                _header(path, member, file)


@contextmanager
def _arrays(path: Path) -> Iterator[tuple[zipfile.ZipFile, list[zipfile.ZipInfo]]]:
    start = refuse_others(path, own=ZIP)
    if not start.lower().startswith(ZIP):
        raise RecordingError(f"{path.name} is not a ZIP archive, so not .npz. Check what it is.")
    try:
        with zipfile.ZipFile(path) as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # numpy's, about headers that Python 2 wrote
            members = [each for each in archive.infolist() if each.filename.endswith(ARRAY)]
            _refuse_members(path, members)
            yield archive, members
    except DAMAGES as fault:
        raise RecordingError(f"{path.name} is truncated or damaged. Copy or download it again.") from fault


def _refuse_members(path: Path, members: list[zipfile.ZipInfo]) -> None:
    if not members:
        raise RecordingError(f"{path.name} is a ZIP archive without arrays. Write it with numpy.savez.")
    if len(members) > MOST_ARRAYS:
        raise RecordingError(
            f"{path.name} has {len(members)} arrays; at most {MOST_ARRAYS} are read. Write it with fewer."
        )
    claimed = sum(member.file_size for member in members)
    if claimed > MOST_BYTES:
        raise RecordingError(
            f"{path.name} claims {claimed / 1e9:.3g} GB of arrays, and at most {MOST_BYTES / 1e9:.3g} GB "
            "can be read. Write the file again, with fewer."
        )


def _name(member: zipfile.ZipInfo) -> str:
    return member.filename.removesuffix(ARRAY)


def _header(
    path: Path, member: zipfile.ZipInfo, file: IO[bytes]
) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether columns come first, and kind of what follows in the file.

    Raises
    ------
    RecordingError
        If it is a pickle, or not as long as that.
    """
    shape, by_columns, dtype = HEADERS[np.lib.format.read_magic(file)](file)
    if dtype.hasobject:
        raise RecordingError(
            f"{path.name}: {_name(member)} is an array of objects, which is a pickle and never loaded. "
            "Write plain arrays: all spike_times in a row, and spike_times_index."
        )
    size, there = math.prod(shape), member.file_size - file.tell()
    if size * dtype.itemsize != there or (size and not there):
        raise RecordingError(
            f"{path.name}: {_name(member)} claims the shape {_spelled(shape)}, which is not that of its "
            f"{there} bytes. Write the file again."
        )
    return shape, by_columns, dtype


def _read(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> npt.NDArray[Any]:
    with archive.open(member) as file:
        shape, by_columns, dtype = _header(path, member, file)
        content = file.read()
    if not math.prod(shape):
        return np.empty(shape, dtype)
    return np.frombuffer(content, dtype).reshape(shape, order="F" if by_columns else "C")


def _spelled(shape: tuple[int, ...]) -> str:
    return str(shape) if len(shape) < 5 else f"({shape[0]}, ... in {len(shape)} dimensions)"
