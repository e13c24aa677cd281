"""Binned spike counts, where a file has them in place of spike times."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.bins.ticks import TICKS, Ticks, as_rate
from engine.errors import RecordingError
from engine.sources.recordings.binning import Counts, Grid, bin_of, covered_bins, observed_bins
from engine.sources.recordings.kinematics import Floats

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
    observed : ndarray of bool, shape (n,)
        Whether each bin's centre was recorded.
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
    observed: npt.NDArray[np.bool_]
    coverage: Floats
    names: tuple[str, ...]

    @property
    def span(self) -> tuple[float, float]:
        """Centres of the first and the last bin, s."""
        return float(self.centres[0] / TICKS), float(self.centres[-1] / TICKS)

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
        """Which bins the file has observed and nothing declares invalid, shape (n_bins,)."""
        there = np.zeros(grid.n_bins, np.bool_)
        there[bin_of(self.centres[self.observed], grid.rate) - grid.first] = True
        return there & ~observed_bins(self.invalid, grid) if len(self.invalid) else there

    def covered_bins(self, grid: Grid) -> Floats:
        """Share of each bin that was recorded, 0 to 1, shape (n_bins,)."""
        summed = np.zeros(grid.n_bins)
        np.add.at(summed, bin_of(self.centres, grid.rate) - grid.first, self.coverage)
        mean = np.round(summed / float(self.rate / grid.rate), 6)
        return np.minimum(mean, 1.0 - covered_bins(self.invalid, grid)) if len(self.invalid) else mean


def as_counts(fault: str, values: npt.NDArray[Any]) -> Counts:
    """Numbers as spike counts.

    Parameters
    ----------
    fault : str
        How a refusal begins.
    values : ndarray, shape (n, n_units)

    Raises
    ------
    RecordingError
        If one is negative, too large or no whole number.
    """
    low, high = values.min(), values.max()
    if not (low >= 0 and high <= np.iinfo(np.uint16).max):
        raise RecordingError(f"{fault}: counts go from {low} to {high}. Repair them.")
    if values.dtype.kind == "f" and (values % 1 != 0).any():
        raise RecordingError(f"{fault}: some counts are no whole numbers. Give spikes per bin, not rates.")
    return values.astype(np.uint16)


def rate_of(fault: str, starts: Floats, n_bins: int) -> float:
    """Bins per second, from the times at which bins start.

    Parameters
    ----------
    fault : str
        How a refusal begins.
    starts : ndarray of float64, shape (n_bins,)
        s.
    n_bins : int

    Raises
    ------
    RecordingError
        If they do not ascend, or the bins overlap.
    """
    steps = np.diff(starts)
    if len(starts) != n_bins or not len(steps) or not (steps > 0).all():
        raise RecordingError(f"{fault}: its {len(starts)} timestamps do not ascend. Repair them.")
    refuse_overlap(fault, starts, width := float(np.median(steps)))
    return 1.0 / width


def refuse_overlap(fault: str, starts: Floats, width: float) -> None:
    """Raise `RecordingError` for bins that start before the one before them ends.

    Parameters
    ----------
    fault : str
        How a refusal begins.
    starts : ndarray of float64, shape (n,)
        s.
    width : float
        s.
    """
    least = np.diff(starts).min(initial=np.inf)
    if least < (1 - OFF) * width:
        raise RecordingError(f"{fault}: its bins overlap, as some are {least:g} s apart.")
