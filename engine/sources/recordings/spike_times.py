"""When spikes were within their bins, for whom counts are not enough."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.bins.ticks import TICKS, Ticks, to_ticks
from engine.sources.recordings.binning import Grid, bin_of
from engine.sources.recordings.kinematics import Floats


@dataclass(frozen=True, eq=False)
class SpikeTimes:
    """The spikes of a recording, in the order of their times.

    Attributes
    ----------
    ticks : ndarray of int64, shape (n_spikes,)
        us since the start of bin 0.
    units : ndarray of uint16, shape (n_spikes,)
    bounds : ndarray of int64, shape (n_bins + 1,)
        Bin b has those from ``bounds[b]`` to ``bounds[b + 1]``, as many as its counts say.
    starts : ndarray of float64, shape (n_bins,)
        Of the bins, s since the start of bin 0.
    """

    ticks: Ticks
    units: npt.NDArray[np.uint16]
    bounds: npt.NDArray[np.int64]
    starts: Floats

    @classmethod
    def of(cls, spike_times: Floats, bounds: Ticks, grid: Grid) -> SpikeTimes:
        """Those of all units, as `binning.count_spikes` takes them."""
        ticks = to_ticks(spike_times)
        units = np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))
        order = np.lexsort((units, ticks))
        ticks = ticks[order]
        edges = np.searchsorted(bin_of(ticks, grid.rate) - grid.first, np.arange(grid.n_bins + 1))
        starts = grid.starts - grid.start_time
        return cls(ticks - to_ticks(grid.start_time), units[order].astype(np.uint16), edges, starts)

    def within(self, index: int) -> tuple[Floats, npt.NDArray[np.uint16]]:
        """The spikes of a bin: s since its start, shape (n,), and their units."""
        inside = slice(self.bounds[index], self.bounds[index + 1])
        return self.ticks[inside] / TICKS - self.starts[index], self.units[inside]
