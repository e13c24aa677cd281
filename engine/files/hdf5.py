"""HDF5 files opened for reading, with a lock or without."""

from __future__ import annotations

import io
import logging
from pathlib import Path

import h5py

log = logging.getLogger(__name__)

CANNOT_LOCK = "unable to lock file"
"""What HDF5 says of any lock that it did not get; `BlockingIOError` where another program has it."""


def opened(source: Path | io.BytesIO) -> h5py.File:
    """Open a file for reading; without a lock where the disk has none, as on networks and read-only media.

    Raises
    ------
    OSError
        As h5py does: `BlockingIOError` if another program is writing it.
    """
    try:
        return h5py.File(source, "r")
    except BlockingIOError:
        raise
    except OSError as fault:
        if CANNOT_LOCK not in str(fault) or not isinstance(source, Path):
            raise
        log.info("%s is on a disk that cannot lock it: it is read without a lock", source.name)
        return h5py.File(source, "r", locking=False)
