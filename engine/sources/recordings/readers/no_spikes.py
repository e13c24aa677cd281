"""No spikes: what stands for them where a file has voltages in which they are yet to be found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from engine.sources.recordings.binning import Counts, Grid, covered_bins, grid_over, observed_bins
from engine.sources.recordings.kinematics import Floats


@dataclass(frozen=True, eq=False)
class NoSpikes:
    """Of no unit.

    Attributes
    ----------
    there : ndarray of float64, shape (n, 2)
        When there are voltages, s; at least once.
    """

    names: ClassVar[tuple[str, ...]] = ()

    there: Floats

    @property
    def span(self) -> tuple[float, float]:
        """First and last time, s."""
        return float(self.there[0, 0]), self.stop_time

    @property
    def stop_time(self) -> float:
        """End of the last one, s."""
        return float(self.there[:, 1].max())

    def grid(self, bin_rate: float) -> Grid:
        """From the first voltage to the last, whatever else the file holds."""
        return grid_over(bin_rate, (), self.there.tolist())

    def count(self, grid: Grid) -> Counts:
        """Shape (0, n_bins)."""
        return np.zeros((0, grid.n_bins), np.uint8)

    def observed_bins(self, grid: Grid) -> npt.NDArray[np.bool_]:
        """Which bins have voltages at their centre, shape (n_bins,)."""
        return observed_bins(self.there, grid)

    def covered_bins(self, grid: Grid) -> Floats:
        """Share of each bin that has voltages, 0 to 1, shape (n_bins,)."""
        return covered_bins(self.there, grid)
