"""Binned spike counts, where an NWB file has them in place of spike times, as PhantomDeck's records do.

What is accepted: a plain TimeSeries of whole numbers that are not negative, shape (n, n_units), whose
name speaks of counts or binned spikes (``spike_counts``, ``binned_spikes``). Its bins are as wide as
its rate says, or as the steps of its timestamps; a sample's time is the start of its bin. Each bin
counts where its centre lies. Bins that the series lacks, and those in ``invalid_times``, are not observed.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
from hdmf.common import DynamicTable
from pynwb import NWBFile, TimeSeries

from engine.bins.ticks import TICKS, Ticks, as_rate, to_ticks
from engine.errors import RecordingError
from engine.sources.recordings.binning import Counts, Grid, bin_of, covered_bins, observed_bins
from engine.sources.recordings.kinematics import Floats
from engine.sources.recordings.readers.hdf5 import Unreadable, values
from engine.sources.recordings.readers.nwb_answers import is_record
from engine.sources.recordings.readers.nwb_series import Candidate

SPEAK_OF_COUNTS = frozenset({"count", "counts", "binned"})
OFF = 0.01
"""Of a bin's width, by which a bin of the series may be wider or narrower."""


@dataclass(frozen=True, eq=False)
class BinnedSpikes:
    """Counts of all units on the file's own bins.

    Attributes
    ----------
    file_name : str
        For messages.
    counts : ndarray of unsigned integers, shape (n, n_units)
    centres : ndarray of int64, shape (n,)
        Of the bins, us, ascending.
    rate : Fraction
        Bins per second.
    invalid : ndarray of float64, shape (n_intervals, 2)
        When nothing was observed, s.
    coverage : ndarray of float64, shape (n,)
        Share of each bin that was recorded, 0 to 1.
    names : tuple of str
        Of the units.
    """

    file_name: str
    counts: Counts
    centres: Ticks
    rate: Fraction
    invalid: Floats
    coverage: Floats
    names: tuple[str, ...]

    @property
    def stop_time(self) -> float:
        """End of the last bin, s."""
        return float(self.centres[-1] / TICKS + 0.5 / self.rate)

    def grid(self, bin_rate: float) -> Grid:
        """From the first bin to the last, whatever else the file holds.

        Raises
        ------
        RecordingError
            If the file's bins do not add up to those of this rate.
        """
        rate = as_rate(bin_rate)
        if self.rate % rate:
            possible = ", ".join(f"{float(self.rate / n):g}" for n in (1, 2, 4))
            raise RecordingError(
                f"{self.file_name} has counts in bins of {float(1000 / self.rate):g} ms, which cannot be "
                f"replayed at {bin_rate:g} Hz. Start with --rate {possible} or the like."
            )
        first, last = bin_of(self.centres[[0, -1]], rate).tolist()
        return Grid(rate, first, last - first + 1)

    def count(self, grid: Grid) -> Counts:
        """Spikes in each bin, shape (n_units, n_bins); uint16 where a bin has more than 255."""
        bins = bin_of(self.centres, grid.rate) - grid.first
        summed = np.zeros((grid.n_bins, self.counts.shape[1]), np.uint32)
        np.add.at(summed, bins, self.counts)
        return summed.T.astype(np.min_scalar_type(int(summed.max(initial=0))))

    def observed_bins(self, grid: Grid) -> npt.NDArray[np.bool_]:
        """Which bins the series has and nothing declares invalid, shape (n_bins,)."""
        there = np.zeros(grid.n_bins, np.bool_)
        there[bin_of(self.centres, grid.rate) - grid.first] = True
        return there & ~observed_bins(self.invalid, grid) if len(self.invalid) else there

    def covered_bins(self, grid: Grid) -> Floats:
        """Share of each bin that was recorded, 0 to 1, shape (n_bins,)."""
        summed = np.zeros(grid.n_bins)
        np.add.at(summed, bin_of(self.centres, grid.rate) - grid.first, self.coverage)
        mean = np.round(summed / float(self.rate / grid.rate), 6)
        return np.minimum(mean, 1.0 - covered_bins(self.invalid, grid)) if len(self.invalid) else mean


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
    series, fault = found.series, f"{file_name}: {found.name} cannot be used"
    try:
        counts = values(series.data)
        starts = None if series.timestamps is None else values(series.timestamps).astype(np.float64)
    except Unreadable as lacking:
        raise RecordingError(f"{fault}: it {lacking}.") from lacking
    if counts.min() < 0 or counts.max() > np.iinfo(np.uint16).max:
        raise RecordingError(f"{fault}: counts go from {counts.min()} to {counts.max()}. Repair them.")
    if starts is None:
        rate, starts = series.rate, series.starting_time + np.arange(len(counts)) / series.rate
    else:
        steps = np.diff(starts)
        if len(starts) != len(counts) or not len(steps) or not (steps > 0).all():
            raise RecordingError(f"{fault}: its {len(starts)} timestamps do not ascend. Repair them.")
        rate = 1.0 / float(np.median(steps))
        if steps.min() < (1 - OFF) / rate:
            raise RecordingError(f"{fault}: its bins overlap, as some are {steps.min():g} s apart.")
    return BinnedSpikes(
        file_name=file_name,
        counts=counts.astype(np.uint16),
        centres=to_ticks(starts + 0.5 / rate),
        rate=as_rate(rate),
        invalid=_invalid(nwb),
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
