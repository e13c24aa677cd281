"""Binned spike counts, where an NWB file has them in place of spike times, as PhantomDeck's records do.

What is accepted: a plain TimeSeries of whole numbers that are not negative, shape (n, n_units), whose
name speaks of counts or binned spikes (``spike_counts``, ``binned_spikes``). Its bins are as wide as
its rate says, or as the steps of its timestamps; a sample's time is the start of its bin. Each bin
counts where its centre lies. Bins that the series lacks, and those in ``invalid_times``, are not observed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from hdmf.common import DynamicTable
from pynwb import NWBFile, TimeSeries

from engine.bins.ticks import as_rate, to_ticks
from engine.errors import RecordingError
from engine.sources.recordings.kinematics import Floats
from engine.sources.recordings.readers.counts import BinnedSpikes, as_counts, rate_of
from engine.sources.recordings.readers.hdf5 import Unreadable, values
from engine.sources.recordings.readers.nwb_answers import is_record
from engine.sources.recordings.readers.series import Candidate

SPEAK_OF_COUNTS = frozenset({"count", "counts", "binned"})


def find_counts(candidates: list[Candidate]) -> Candidate | None:
    """The series of spike counts among those of a file."""
    for candidate in candidates:
        data = candidate.series.data
        if (
            type(candidate.series) is TimeSeries
            and candidate.words & SPEAK_OF_COUNTS
            and getattr(data, "ndim", 0) == 2
            and data.dtype.kind in "iu"
            and 0 not in data.shape
        ):
            return candidate
    return None


def read_counts(file_name: str, nwb: NWBFile, found: Candidate) -> BinnedSpikes:
    """Read a series of spike counts.

    Raises
    ------
    RecordingError
        If its times cannot be trusted, or a count is negative or too large.
    """
    series: Any = found.series
    fault = f"{file_name}: {found.name} cannot be used"
    try:
        counts = values(series.data)
        starts = None if series.timestamps is None else values(series.timestamps).astype(np.float64)
    except Unreadable as lacking:
        raise RecordingError(f"{fault}: it {lacking}.") from lacking
    if starts is None:
        rate, starts = series.rate, series.starting_time + np.arange(len(counts)) / series.rate
    else:
        rate = rate_of(fault, starts, len(counts))
    return BinnedSpikes(
        file_name=file_name,
        counts=as_counts(fault, counts),
        centres=to_ticks(starts + 0.5 / rate),
        rate=as_rate(rate),
        invalid=_invalid(nwb),
        observed=np.ones(len(counts), np.bool_),
        coverage=_coverage(nwb, len(counts)),
        names=_names(nwb, series.parent, counts.shape[1]),
    )


def _coverage(nwb: NWBFile, n_bins: int) -> Floats:
    """Of each bin of the series, as a record has it; all of it elsewhere."""
    bins = nwb.processing["record"]["bins"] if is_record(nwb) else None
    if bins is None or "coverage" not in bins.colnames or len(bins) != n_bins:
        return np.ones(n_bins)
    recorded: Floats = values(bins["coverage"].data).astype(np.float64)
    return np.nan_to_num(recorded)  # a bin that could not be recorded has none


def _invalid(nwb: NWBFile) -> Floats:
    table = nwb.invalid_times
    if table is None or not len(table):
        return np.empty((0, 2))
    return np.column_stack([values(table[name].data) for name in ("start_time", "stop_time")]).astype(
        np.float64
    )


def _names(nwb: NWBFile, holder: Any, n_units: int) -> tuple[str, ...]:
    """From the table of units, or from one beside the series, that has a row for each column."""
    for table in (nwb.units, *getattr(holder, "data_interfaces", {}).values()):
        if isinstance(table, DynamicTable) and len(table) == n_units:
            if "unit_name" in table.colnames:
                return tuple(map(str, table["unit_name"].data[:]))
            return tuple(f"unit {i}" for i in table.id[:])
    return tuple(f"unit {i}" for i in range(n_units))
