"""Why HDF5 files cannot be read, and the values of their datasets."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from engine.errors import RecordingError

LEFT_OPEN = "already open for write"
"""What it says of a file whose own flags tell of a writer."""

INSTALL = "pip install -e '.[filters]'"
FILTERS = {
    307: "bzip2",
    4: "szip",
    32000: "LZF",
    32001: "Blosc",
    32004: "LZ4",
    32008: "Bitshuffle",
    32013: "ZFP",
    32015: "Zstandard",
    32017: "SZ",
    32018: "FCIDECOMP",
    32024: "SZ3",
    32026: "Blosc2",
    32028: "SPERR",
}
"""Of those that the HDF Group has registered, what hdf5plugin brings and what h5py may lack."""


MOST_VALUES, MOST_BYTES = 2**27, 2**30
"""That are read of one dataset: half an hour at 30 kHz in two dimensions, and 130 million spikes. A file of
a few bytes can claim any number."""
MOST_CELLS = 2**22
"""Of a column of a table, which become Python's."""


class Unreadable(Exception):
    """Why the values of a dataset cannot be had: words that go on from the dataset's name."""


def refusal(path: Path, fault: BaseException) -> RecordingError:
    """In one line, what keeps a file from being opened or read."""
    said = str(fault)
    if isinstance(fault, BlockingIOError):
        return RecordingError(f"{path.name} is being written by another program. Close it first.")
    if LEFT_OPEN in said:
        return RecordingError(
            f"{path.name} is being written by another program, or was when that died. "
            "Close it first, or mend it with 'h5clear -s'."
        )
    if "truncated" in said:
        return RecordingError(f"{path.name} is truncated. Copy or download it again.")
    return RecordingError(f"{path.name} is damaged. Copy or download it again.")


def missing_filter(data: h5py.Dataset) -> str:
    """What a dataset is compressed by that is not installed, with the way to it; empty if there is nothing.

    What is installed beside h5py, by hdf5plugin, is loaded as soon as a file asks for it.
    """
    how = data.id.get_create_plist()
    for code in (how.get_filter(i)[0] for i in range(how.get_nfilters())):
        if not h5py.h5z.filter_avail(code):
            with suppress(ImportError):
                import hdf5plugin  # noqa: F401  registers its filters, which takes a while
        if not h5py.h5z.filter_avail(code):
            name = f"{FILTERS[code]} (HDF5 filter {code})" if code in FILTERS else f"the HDF5 filter {code}"
            way_out = f"Run {INSTALL}" if code in FILTERS else "Ask who made the file for another copy"
            return f"is compressed by {name}, which is not installed. {way_out}"
    return ""


def values(data: Any, rows: Any = np.s_[:], most: int = MOST_VALUES) -> npt.NDArray[Any]:
    """Values of a dataset, or of what pynwb makes of one.

    Parameters
    ----------
    data : dataset
    rows : slice or tuple of slices
    most : int
        Values that there may be.

    Raises
    ------
    Unreadable
    """
    dataset = getattr(data, "dataset", data)  # pynwb wraps texts and references
    lacking = missing_filter(dataset) if isinstance(dataset, h5py.Dataset) else ""
    if isinstance(dataset, h5py.Dataset) and dataset.shape:
        size = np.broadcast_to(False, dataset.shape)[rows].size
        if size > most or size * dataset.dtype.itemsize > MOST_BYTES:
            raise Unreadable(
                f"claims {size} values ({size * dataset.dtype.itemsize / 1e9:.3g} GB), and at most {most} "
                f"({MOST_BYTES / 1e9:.3g} GB) can be read. Write the file again, with fewer"
            )
    try:
        return np.asarray(data[rows])
    except (OSError, RuntimeError) as fault:  # h5py's, whatever is wrong
        raise Unreadable(lacking or "is damaged. Copy or download the file again") from fault
