"""Spikes among the named arrays of a file: counts of bins, or times with the index of where units end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.bins.ticks import as_rate, to_ticks
from engine.errors import RecordingError
from engine.sources.recordings.binning import FARTHEST
from engine.sources.recordings.kinematics import Floats
from engine.sources.recordings.readers.counts import BinnedSpikes, as_counts
from engine.sources.recordings.readers.spike_trains import MOST_UNITS, SpikeTrains

Arrays = Mapping[str, npt.NDArray[Any]]

COUNTS = ("counts", "spike_counts", "binned_spikes")
RATES: dict[str, Callable[[float], float]] = {
    "bin_rate": lambda rate: rate,
    "bin_width": lambda seconds: 1.0 / seconds,
    "bin_size": lambda seconds: 1.0 / seconds,
    "bin_width_ms": lambda ms: 1000.0 / ms,
    "bin_size_ms": lambda ms: 1000.0 / ms,
}
"""Bins per second, from what tells it; the first that is there counts."""
NAMES = ("channel_names", "unit_names", "chan_names")
OF_SPIKES = frozenset(
    {*COUNTS, *RATES, *NAMES, "spike_times", "spike_times_index", "obs_intervals", "packet_id"}
    | {"observed", "coverage", "start_time"}
)
LAST_BIN = 2**31


def read_spikes(file_name: str, arrays: Arrays) -> SpikeTrains | BinnedSpikes:
    """The spikes of a file.

    Raises
    ------
    RecordingError
        If there are none, or their arrays do not go together.
    """
    if "spike_times" in arrays:
        return _trains(file_name, arrays)
    for name in COUNTS:
        if name in arrays:
            return _counts(file_name, name, arrays)
    raise RecordingError(
        f"{file_name} has neither counts nor spike_times. It has {spelled(arrays)}. "
        "Name them so, as resources/recordings.md says."
    )


def spelled(names: Mapping[str, Any]) -> str:
    """Some names, for a message."""
    shown = [name[:40] for name in [*names][:8]]
    return ", ".join(shown) + (f" and {len(names) - 8} more" if len(names) > 8 else "") or "nothing"


def rate_in(file_name: str, what: str, arrays: Arrays) -> float:
    """Bins per second.

    Raises
    ------
    RecordingError
        If nothing tells it.
    """
    for name, rate_of in RATES.items():
        if name in arrays:
            given = number(file_name, name, arrays[name])
            if not given > 0:
                raise RecordingError(f"{file_name}: {name} is {given:g}, and must be above 0. Repair it.")
            return _bearable(file_name, float(rate_of(given)))
    raise RecordingError(
        f"{file_name} has {what}, but not how wide its bins are. Add bin_rate (Hz) or bin_width (s)."
    )


def _bearable(file_name: str, rate: float) -> float:
    if not 0.01 <= rate <= 100_000:
        raise RecordingError(f"{file_name} has {rate:.3g} bins a second, which cannot be. Repair bin_rate.")
    return rate


def number(file_name: str, name: str, array: npt.NDArray[Any]) -> float:
    """A single finite number.

    Raises
    ------
    RecordingError
        If it is something else.
    """
    if array.size != 1 or array.dtype.kind not in "iuf" or not np.isfinite(array).all():
        raise RecordingError(f"{file_name}: {name} is not one number. Repair it.")
    return float(array.ravel()[0])


def in_a_row(file_name: str, name: str, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Numbers of shape (n,).

    Raises
    ------
    RecordingError
        If it is something else.
    """
    if array.dtype.kind not in "iuf" or array.size != max(array.shape, default=0):
        raise RecordingError(
            f"{file_name}: {name} is of type {array.dtype.name} and shape {array.shape}, not numbers in a "
            "row. Repair it."
        )
    return array.ravel()


def _trains(file_name: str, arrays: Arrays) -> SpikeTrains:
    times = in_a_row(file_name, "spike_times", arrays["spike_times"]).astype(np.float64)
    if "spike_times_index" not in arrays:
        raise RecordingError(
            f"{file_name} has spike_times, but no spike_times_index, the end of each unit's. Add it."
        )
    ends = in_a_row(file_name, "spike_times_index", arrays["spike_times_index"])
    if len(ends) > MOST_UNITS:
        raise RecordingError(
            f"{file_name} has {len(ends)} units, and at most {MOST_UNITS} can be replayed."
        )
    with np.errstate(invalid="ignore"):
        bounds = np.concatenate(([0], ends)).astype(np.int64)
    if (np.diff(bounds) < 0).any() or bounds[-1] != len(times):
        raise RecordingError(
            f"{file_name}: spike_times_index does not ascend to {len(times)}, the number of spike_times. "
            "Repair it."
        )
    if not np.isfinite(times).any():
        raise RecordingError(f"{file_name}: its {len(ends)} units have no spikes. Choose another file.")
    return SpikeTrains(times, bounds, _intervals(file_name, arrays), unit_names(arrays, len(ends)))


def _intervals(file_name: str, arrays: Arrays) -> Floats:
    given = arrays.get("obs_intervals", np.empty((0, 2)))
    if given.dtype.kind not in "iuf" or given.ndim != 2 or given.shape[1] != 2:
        raise RecordingError(
            f"{file_name}: obs_intervals has the shape {given.shape}, not (n, 2). Repair it."
        )
    intervals = given.astype(np.float64)
    return intervals[np.isfinite(intervals).all(axis=1)]


def _counts(file_name: str, name: str, arrays: Arrays) -> BinnedSpikes:
    given, fault = arrays[name], f"{file_name}: {name} cannot be used"
    if given.dtype.kind not in "biuf" or given.ndim != 2 or 0 in given.shape:
        raise RecordingError(
            f"{fault}: it is {given.dtype.name} of shape {given.shape}, not numbers (n_bins, n_units)."
        )
    n_bins, n_units = given.shape
    if n_units > MOST_UNITS:
        raise RecordingError(f"{file_name} has {n_units} units, and at most {MOST_UNITS} can be replayed.")
    rate = rate_in(file_name, name, arrays)
    start = number(file_name, "start_time", arrays["start_time"]) if "start_time" in arrays else 0.0
    if abs(start) > FARTHEST:
        raise RecordingError(
            f"{file_name}: start_time is {start:.3g} s, beyond {FARTHEST:.3g} s. Repair it."
        )
    return BinnedSpikes(
        file_name=file_name,
        counts=as_counts(fault, given),
        centres=to_ticks(start + (_places(file_name, arrays, n_bins) + 0.5) / float(as_rate(rate))),
        rate=as_rate(rate),
        invalid=np.empty((0, 2)),
        observed=_per_bin(file_name, "observed", arrays, n_bins).astype(np.bool_),
        coverage=np.nan_to_num(_per_bin(file_name, "coverage", arrays, n_bins).astype(np.float64)),
        names=unit_names(arrays, n_units),
    )


def _places(file_name: str, arrays: Arrays, n_bins: int) -> npt.NDArray[np.int64]:
    """Which bin each row is, counted from the start time."""
    if "packet_id" not in arrays:
        return np.arange(n_bins)
    places = _per_bin(file_name, "packet_id", arrays, n_bins)
    if places.dtype.kind not in "iu" or (places[1:] <= places[:-1]).any() or abs(places).max() > LAST_BIN:
        raise RecordingError(f"{file_name}: packet_id is not the ascending numbers of bins. Repair it.")
    return places.astype(np.int64)


def _per_bin(file_name: str, name: str, arrays: Arrays, n_bins: int) -> npt.NDArray[Any]:
    """One number a bin; ones where the file has none."""
    given = arrays.get(name, np.ones(n_bins))
    if given.shape not in ((n_bins,), (n_bins, 1), (1, n_bins)) or given.dtype.kind not in "biuf":
        raise RecordingError(
            f"{file_name}: {name} has the shape {given.shape}, but there are {n_bins} bins. Repair it."
        )
    return given.ravel()


def unit_names(arrays: Arrays, n_units: int) -> tuple[str, ...]:
    """Those of the file, where it has one a unit."""
    for name in NAMES:
        if name in arrays and arrays[name].dtype.kind == "U" and arrays[name].size == n_units:
            return tuple(map(str, arrays[name].ravel()))
    return tuple(f"unit {i}" for i in range(n_units))
