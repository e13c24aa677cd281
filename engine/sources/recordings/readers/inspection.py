"""A look at a file in a process of its own: some damages hang the HDF5 library, others kill who reads."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import h5py

from engine import scheduling
from engine.errors import RecordingError
from engine.files.hdf5 import opened
from engine.sources.recordings.readers.archive import refuse_archive
from engine.sources.recordings.readers.faults import members, refuse_unreadable
from engine.sources.recordings.readers.hdf5 import MOST_CELLS, missing_filter
from engine.sources.recordings.readers.mat import refuse_mat
from engine.sources.recordings.readers.mat5 import read_mat5

ROOT = Path(__file__).parents[4]
COMMAND = (sys.executable, "-m", "engine.sources.recordings.readers")
REFUSED = 2
MOST_SECONDS = 60.0
"""Of a file on a network that does not answer, or where the processor's time is not limited."""
SMALL = 1024 * 1024
"""Bytes of a dataset that is read whole."""


@contextmanager
def inspected(path: Path) -> Iterator[None]:
    """Have a file looked at while the block runs.

    Raises
    ------
    RecordingError
        At the end of the block, if the file is refused or the look at it does not end well.
    """
    command, pipe, null = [*COMMAND, str(path.absolute())], subprocess.PIPE, subprocess.DEVNULL
    with scheduling.ordinary():
        process = subprocess.Popen(command, cwd=ROOT, stdin=null, stdout=pipe, stderr=null)
    with process:
        try:
            yield
            said, _ = process.communicate(timeout=MOST_SECONDS)
        except subprocess.TimeoutExpired:
            said = b""
        finally:
            process.kill()
    if process.returncode == REFUSED:
        raise RecordingError(said.decode().strip())
    if process.returncode:
        raise RecordingError(f"{path.name} is damaged. Copy or download it again.")


def inspect(path: Path) -> None:
    """Look at a file as its ending asks for.

    Raises
    ------
    RecordingError
    """
    LOOKS[path.suffix.lower()](path)


def _look_at_nwb(path: Path) -> None:
    refuse_unreadable(path)
    touch_hdf5(path)


def _look_at_mat(path: Path) -> None:
    refuse_mat(path)
    if h5py.is_hdf5(path):
        touch_hdf5(path)
    else:
        read_mat5(path)  # whole: a damaged one may kill who reads it


def touch_hdf5(path: Path) -> None:
    """Read all that is small: attributes, texts, and the beginning of what is large."""
    with opened(path) as file:
        _touch(file)
        for _, link, target in members(path, file):
            if target is not None and not isinstance(link, h5py.SoftLink):
                _touch(target)


def _touch(target: h5py.Group | h5py.Dataset) -> None:
    with suppress(OSError, RuntimeError, KeyError, TypeError, ValueError):  # the reader says what it needs
        dict(target.attrs)
        if isinstance(target, h5py.Dataset) and target.shape is not None and not missing_filter(target):
            whole = target.nbytes <= SMALL or (target.dtype.hasobject and target.size <= MOST_CELLS)
            target[() if whole else slice(1)]


LOOKS: dict[str, Callable[[Path], None]] = {
    ".nwb": _look_at_nwb,
    ".npz": refuse_archive,
    ".mat": _look_at_mat,
}
"""By the file's ending."""
