"""NumPy archives: arrays that are named as `engine.sources.recordings.readers.arrays` reads them."""

from __future__ import annotations

from pathlib import Path

from engine.sources.recordings.readers.archive import read_arrays
from engine.sources.recordings.readers.arrays import read_contents
from engine.sources.recordings.readers.contents import Contents
from engine.sources.recordings.readers.wanted import Wanted


def read_npz(path: Path, wanted: Wanted) -> Contents:
    """Read one file.

    Parameters
    ----------
    path : Path
    wanted : Wanted
        What a person chose.

    Raises
    ------
    RecordingError
        In one line, with the file's name.
    """
    return read_contents(path.name, wanted, read_arrays(path))
