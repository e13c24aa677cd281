"""The units of an NWB file: their spike times and when they were observed."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from hdmf.common import VectorIndex
from pynwb.misc import Units

from engine.errors import RecordingError
from engine.sources.recordings.kinematics import Floats
from engine.sources.recordings.readers.hdf5 import Unreadable, values
from engine.sources.recordings.readers.spike_trains import MOST_UNITS, SpikeTrains


def has_spike_times(units: Units | None) -> bool:
    """Whether there is anything for `read_units`."""
    return units is not None and "spike_times" in units.colnames


def read_units(file_name: str, units: Units | None) -> SpikeTrains:
    """Read `NWBFile.units`.

    Raises
    ------
    RecordingError
        If there is no spike, or the spike times cannot be trusted.
    """
    if units is None or not len(units):
        raise RecordingError(f"{file_name} has no units, so no spikes. Choose a file with sorted units.")
    if len(units) > MOST_UNITS:
        raise RecordingError(
            f"{file_name} has {len(units)} units, and at most {MOST_UNITS} can be replayed. "
            "Write the file again, with fewer."
        )
    column = units["spike_times"] if has_spike_times(units) else None
    if not isinstance(column, VectorIndex):
        raise RecordingError(
            f"{file_name}: its {len(units)} units have no spike_times. Add them to the file."
        )
    bounds = np.concatenate(([0], _numbers(file_name, "spike_times_index", column.data).astype(np.int64)))
    times = _numbers(file_name, "spike_times", column.target.data).astype(np.float64, copy=False)
    if (np.diff(bounds) < 0).any() or bounds[-1] > len(times):
        raise RecordingError(f"{file_name}: the index of its spike_times is damaged. Write the file again.")
    times = times[: bounds[-1]]
    if not len(times):
        raise RecordingError(
            f"{file_name}: all its {len(units)} spike trains are empty. Choose another file."
        )
    if not np.isfinite(times).any():
        raise RecordingError(f"{file_name}: all its spike times are NaN or infinite. Repair spike_times.")
    return SpikeTrains(times, bounds, _observed(file_name, units), tuple(f"unit {i}" for i in units.id[:]))


def _numbers(file_name: str, name: str, data: Any) -> npt.NDArray[Any]:
    """The values of a column, if they are numbers in a row."""
    try:
        found = values(data)
    except Unreadable as fault:
        raise RecordingError(f"{file_name}: its column {name} {fault}.") from fault
    if found.dtype.kind not in "iuf" or found.ndim != 1:
        raise RecordingError(
            f"{file_name}: its {name} are of type {found.dtype} and shape {found.shape}, not numbers "
            "in a row. Write the file again."
        )
    return found


def _observed(file_name: str, units: Units) -> Floats:
    if "obs_intervals" not in units.colnames:
        return np.empty((0, 2))
    column = units["obs_intervals"]
    try:
        intervals = values(column.target.data if isinstance(column, VectorIndex) else column.data)
    except Unreadable as fault:
        raise RecordingError(f"{file_name}: its column obs_intervals {fault}.") from fault
    if intervals.dtype.kind not in "iuf" or intervals.size % 2:
        raise RecordingError(
            f"{file_name}: its obs_intervals are no pairs of numbers. Write the file again."
        )
    intervals = intervals.astype(np.float64).reshape(-1, 2)
    return intervals[np.isfinite(intervals).all(axis=1)]
