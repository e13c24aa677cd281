"""Files to recordings: one reader a format, found by the file's ending."""

from __future__ import annotations

import ctypes
import logging
import sys
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import BadSetting, RecordingError
from engine.files.sealed import SEALED, unsealed
from engine.sources.recordings.readers.assembly import make_recording
from engine.sources.recordings.readers.contents import Contents
from engine.sources.recordings.readers.faults import refuse_unreadable
from engine.sources.recordings.readers.inspection import LOOKS, inspected
from engine.sources.recordings.readers.mat import read_mat
from engine.sources.recordings.readers.npz import read_npz
from engine.sources.recordings.readers.wanted import Wanted
from engine.sources.recordings.recording import Recording

log = logging.getLogger(__name__)

Reader = Callable[[Path, Wanted], Contents]


def _read_nwb(path: Path, wanted: Wanted) -> Contents:
    refuse_unreadable(path)
    return _reader()(path, wanted)


def _read_sealed(path: Path, wanted: Wanted) -> Contents:
    return _reader()(path, wanted, unsealed(path))


def _reader() -> Callable[..., Contents]:
    """What reads NWB. Loading pynwb takes seconds."""
    with warnings.catch_warnings():  # pynwb's own, about what it imports
        warnings.simplefilter("ignore")
        from engine.sources.recordings.readers.nwb import read_nwb

    return read_nwb


READERS: dict[str, Reader] = {".nwb": _read_nwb, SEALED: _read_sealed, ".npz": read_npz, ".mat": read_mat}


def register(ending: str, reader: Reader) -> None:
    """Take in what reads another format, such as a plugin's.

    Raises
    ------
    BadSetting
        If the ending is none, or has a reader.
    """
    if not (ending.startswith(".") and ending == ending.lower() and len(ending) > 1):
        raise BadSetting(f"A reader's ending is {ending!r}. Begin it with a dot, in small letters.")
    if ending in READERS:
        raise BadSetting(f"There is a reader of {ending} already. Give yours another ending.")
    READERS[ending] = reader


ZARR = ("zarr.json", ".zgroup", ".zattrs", ".zmetadata")
"""Files by which a folder is Zarr."""


def read(
    path: Path,
    bin_rate: float,
    series: Mapping[str, str] | None = None,
    trials: str | None = None,
    spike_times_in: str | None = None,
) -> Recording:
    """Read a recording and bin it.

    Parameters
    ----------
    path : Path
    bin_rate : float
        Bins per second.
    series : mapping, optional
        ``"position"`` and ``"velocity"`` to the name of the series to use, where the choice is not
        left to the reader.
    trials : str, optional
        Name of the table of trials.
    spike_times_in : str, optional
        Their unit, where it is not the second: ``"ms"``, ``"us"``, ``"samples:30000"``.

    Raises
    ------
    RecordingError
        In one line, with the file's name, if it cannot be replayed.
    """
    if path.is_dir():
        _refuse_zarr(path)
        raise RecordingError(f"{path.resolve().name} is a folder. Name one recording in it.")
    wanted = Wanted(series or {}, trials, spike_times_in)
    (file,) = scan(path)
    if not _is_recording(file):
        raise RecordingError(f"{file.name} is not a recording: these end in {_endings()}.")
    try:
        with np.errstate(over="ignore", invalid="ignore"):  # of absurd values, which become missing
            contents = READERS[file.suffix.lower()](file, wanted)
            recording = make_recording(file, bin_rate, contents)
    except RecordingError:
        raise
    except Exception as fault:  # what damage may bring libraries to raise cannot be listed
        log.debug("What is wrong with %s", file.name, exc_info=True)
        raise RecordingError(
            f"{file.name} cannot be read: something in it is not as its format has it. Write it again."
        ) from fault
    finally:
        _trim_heap()
    return recording


def read_inspected(path: Path, bin_rate: float, **wanted: Any) -> Recording:
    """As `read`, after a process of its own has looked at a file, which libraries may hang in or die of."""
    if path.is_file() and path.suffix.lower() in LOOKS:
        with inspected(path):
            if path.suffix.lower() == ".nwb":
                _reader()  # meanwhile
    return read(path, bin_rate, **wanted)


def scan(path: Path) -> tuple[Path, ...]:
    """The recordings of a folder, or one level below if it has none itself, sorted by name.

    Parameters
    ----------
    path : Path
        A folder, or a file that stands for itself.

    Raises
    ------
    RecordingError
        If there is nothing.
    """
    if path.is_symlink() and not path.exists():
        raise RecordingError(f"{path.name} is a link to a file that is not here. Fetch that file first.")
    if not path.exists():
        raise RecordingError(f"{path.name} does not exist. Check the path.")
    if not path.is_dir():
        return (path,)
    _refuse_zarr(path)
    for depth in ("*", "*/*"):
        found = [file for file in path.glob(depth) if _is_recording(file) and not _is_pipe(file)]
        if found:
            return tuple(sorted(found, key=lambda file: (file.name, file)))
    for folder in sorted(path.glob("*/")):
        _refuse_zarr(folder)
    raise RecordingError(
        f"The folder {path.resolve().name} holds no recordings: these end in {_endings()}."
    )


def _refuse_zarr(folder: Path) -> None:
    if any((folder / mark).is_file() for mark in ZARR):
        raise RecordingError(
            f"{folder.resolve().name} is a Zarr folder, and recordings are read from HDF5 files. "
            "Export it to one first, with hdmf-zarr and pynwb's NWBHDF5IO.export."
        )


def _trim_heap() -> None:
    """Give memory that reading took back to the system, of which glibc would keep up to 64 MB."""
    if sys.platform == "linux":
        malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # other C libraries have none
        if malloc_trim:
            malloc_trim(0)


def _is_pipe(file: Path) -> bool:
    """Whether it is there and no file: a pipe, a socket or a device, which would never end."""
    return file.exists() and not file.is_file()


def _is_recording(file: Path) -> bool:
    return file.suffix.lower() in READERS and not file.name.startswith(".") and not file.is_dir()


def _endings() -> str:
    return ", ".join(READERS)
