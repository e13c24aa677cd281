"""Spike times of all units of a file, and when they were observed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.sources.recordings.binning import Counts, Grid, count_spikes, covered_bins, observed_bins
from engine.sources.recordings.kinematics import Floats

MOST_UNITS = 2**16


@dataclass(frozen=True, eq=False)
class SpikeTrains:
    """All units, one after the other.

    Attributes
    ----------
    spike_times : ndarray of float64, shape (n_spikes,)
        s; as they are read, some may be NaN or infinite.
    bounds : ndarray of int64, shape (n_units + 1,)
        Unit i has ``spike_times[bounds[i]:bounds[i + 1]]``.
    observed : ndarray of float64, shape (n, 2)
        Start and stop of all units' intervals, s; none where the file has none.
    names : tuple of str
    """

    spike_times: Floats
    bounds: npt.NDArray[np.int64]
    observed: Floats
    names: tuple[str, ...]

    def count(self, grid: Grid) -> Counts:
        """Spikes in each bin, shape (n_units, n_bins); uint16 where a bin has more than 255."""
        return count_spikes(self.spike_times, self.bounds, grid)

    def observed_bins(self, grid: Grid) -> npt.NDArray[np.bool_]:
        """Which bins have their centre in one of the intervals, shape (n_bins,)."""
        return observed_bins(self.observed, grid)

    def covered_bins(self, grid: Grid) -> Floats:
        """Share of each bin that lies in the intervals, 0 to 1, shape (n_bins,)."""
        return covered_bins(self.observed, grid)
