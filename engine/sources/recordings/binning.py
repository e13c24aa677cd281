"""Bins on a grid of whole microseconds: spikes, observed intervals, trials and kinematics into rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.bins.schema import bin_dtype
from engine.bins.ticks import TICKS, Ticks, as_rate, to_ticks
from engine.bins.trials import Trial
from engine.sources.recordings.kinematics import Floats

Counts = npt.NDArray[np.unsignedinteger[Any]]

FARTHEST = 2**53 / TICKS
"""Seconds from 0 beyond which a float64 cannot tell one microsecond from the next."""


def bin_of(ticks: Ticks, rate: Fraction) -> Ticks:
    """Which bin holds each tick, counted from time 0: bin k is ``[k / rate, (k + 1) / rate)``."""
    bins_per_tick = rate / TICKS
    return ticks * bins_per_tick.numerator // bins_per_tick.denominator


@dataclass(frozen=True)
class Grid:
    """The bins of one recording.

    Attributes
    ----------
    rate : Fraction
        Bins per second.
    first : int
        Index of bin 0 counted from the file's time 0; may be negative.
    n_bins : int
    """

    rate: Fraction
    first: int
    n_bins: int

    @property
    def start_time(self) -> float:
        """Start of bin 0, s of the file."""
        return float(self.first / self.rate)

    @property
    def stop_time(self) -> float:
        """End of the last bin, s of the file."""
        return float((self.first + self.n_bins) / self.rate)

    @property
    def starts(self) -> Floats:
        """Start of each bin, s of the file, shape (n_bins,)."""
        return (self.first + np.arange(self.n_bins)) / float(self.rate)

    @property
    def centres(self) -> Ticks:
        """Centre of each bin, us of the file, shape (n_bins,)."""
        return to_ticks((self.first + np.arange(self.n_bins) + 0.5) / float(self.rate))


def grid_over(
    bin_rate: float, instants: Sequence[float], spans: Sequence[tuple[float, float]] = ()
) -> Grid:
    """The bins from the first observation to the last.

    Parameters
    ----------
    bin_rate : float
        Bins per second.
    instants : sequence of float
        Times that lie within a bin, such as the first and the last spike; s.
    spans : sequence of (start, stop)
        Half-open: a stop on an edge needs no bin of its own; s.
    """
    rate = as_rate(bin_rate)
    points = bin_of(to_ticks([*instants, *(start for start, _ in spans)]), rate)
    last_ticks = to_ticks([max(start, stop - 1 / TICKS) for start, stop in spans])
    lasts = [*points.tolist(), *bin_of(last_ticks, rate).tolist()]
    first = int(points.min())
    return Grid(rate, first, max(lasts) - first + 1)


def count_spikes(spike_times: Floats, bounds: Ticks, grid: Grid) -> Counts:
    """Spikes of each unit in each bin.

    Parameters
    ----------
    spike_times : ndarray of float64, shape (n_spikes,)
        Of all units one after the other, s; every one within the grid.
    bounds : ndarray of int64, shape (n_units + 1,)
        Unit i has ``spike_times[bounds[i]:bounds[i + 1]]``.

    Returns
    -------
    ndarray of uint8, shape (n_units, n_bins)
        uint16 where a bin has more than 255 spikes.
    """
    counts: Counts = np.zeros((len(bounds) - 1, grid.n_bins), np.uint8)
    for unit, (begin, end) in enumerate(pairwise(bounds)):
        rows = bin_of(to_ticks(spike_times[begin:end]), grid.rate) - grid.first
        counted = np.bincount(rows, minlength=grid.n_bins)
        if counted.max() > np.iinfo(counts.dtype).max:
            counts = counts.astype(np.min_scalar_type(int(counted.max())))
        counts[unit] = counted
    return counts


def observed_bins(intervals: Floats, grid: Grid) -> npt.NDArray[np.bool_]:
    """Which bins have their centre in the union of some intervals.

    Parameters
    ----------
    intervals : ndarray of float64, shape (n, 2)
        Half-open, s, in any order, overlapping or not. With none, all is observed.

    Returns
    -------
    ndarray of bool, shape (n_bins,)
    """
    if not len(intervals):
        return np.ones(grid.n_bins, np.bool_)
    starts, until = _union(intervals)
    begun = np.searchsorted(starts, grid.centres, "right") - 1
    observed: npt.NDArray[np.bool_] = (begun >= 0) & (grid.centres < until[begun])
    return observed


def covered_bins(intervals: Floats, grid: Grid) -> Floats:
    """How much of each bin lies in the union of some intervals.

    Parameters
    ----------
    intervals : ndarray of float64, shape (n, 2)
        Half-open, s, in any order, overlapping or not. With none, all is covered.

    Returns
    -------
    ndarray of float64, shape (n_bins,)
        0 to 1, to 6 digits.
    """
    if not len(intervals):
        return np.ones(grid.n_bins)
    starts, until = _union(intervals)
    edges = to_ticks((grid.first + np.arange(grid.n_bins + 1)) / float(grid.rate))
    before = np.concatenate(([starts[0]], until[:-1]))  # what the intervals so far have covered
    fresh = np.maximum(starts, before)
    lengths = np.maximum(until - fresh, 0)
    total = np.concatenate(([0], np.cumsum(lengths)))
    last = np.searchsorted(fresh, edges, "right") - 1
    held = np.where(last >= 0, total[last] + np.clip(edges - fresh[last], 0, lengths[last]), 0)
    return np.round(np.diff(held) / np.diff(edges), 6)


def _union(intervals: Floats) -> tuple[Ticks, Ticks]:
    """Starts in order, and until when the intervals begun by then last; us, each of shape (n,)."""
    ticks = to_ticks(intervals)
    ticks = ticks[np.argsort(ticks[:, 0], kind="stable")]
    return ticks[:, 0], np.maximum.accumulate(ticks[:, 1])


def trial_of_bins(trials: Sequence[Trial], grid: Grid) -> npt.NDArray[np.int32]:
    """Row of the trial that holds each bin's centre, -1 outside; where trials overlap, the later one.

    Parameters
    ----------
    trials : sequence of Trial
        In order of their start.

    Returns
    -------
    ndarray of int32, shape (n_bins,)
    """
    rows = np.full(grid.n_bins, -1, np.int32)
    spans = to_ticks([(trial.start_time, trial.stop_time) for trial in trials]).reshape(-1, 2)
    for row, (begin, end) in enumerate(np.searchsorted(grid.centres, spans)):
        rows[begin:end] = row
    return rows


def fill_bins(
    grid: Grid,
    counts: Counts,
    observed: npt.NDArray[np.bool_],
    coverage: Floats,
    trials: Sequence[Trial],
    position: Floats,
    velocity: Floats,
) -> npt.NDArray[np.void]:
    """One row a bin, as `Recording.bins` holds them.

    Parameters
    ----------
    counts : ndarray of uint8 or uint16, shape (n_units, n_bins)
    observed : ndarray of bool, shape (n_bins,)
        Kinematics are missing where this is false.
    coverage : ndarray of float64, shape (n_bins,)
        Share of each bin that was recorded, 0 to 1.
    trials : sequence of Trial
        In order of their start.
    position, velocity : ndarray of float64, shape (n_bins, 2)
        Length units, and length units per second; NaN where missing.

    Returns
    -------
    ndarray, shape (n_bins,), dtype `bin_dtype`
        Not writeable.
    """
    bins = np.zeros(grid.n_bins, bin_dtype(len(counts), counts.dtype))
    bins["packet_id"] = np.arange(grid.n_bins)
    bins["counts"] = counts.T
    bins["observed"] = observed
    bins["coverage"] = coverage
    bins["kinematics"][:, :2] = position
    bins["kinematics"][:, 2:] = velocity
    bins["kinematics"][~observed] = np.nan

    trial = trial_of_bins(trials, grid)
    bins["trial"] = trial
    nowhere = [np.nan] * 4  # the last row, which -1 stands for
    facts = np.array([*map(_trial_facts, trials), nowhere])[trial]
    bins["trial_time_ms"] = np.round(1000.0 * (grid.starts - facts[:, 0]), 3)
    bins["intended"] = np.nan
    bins["intention"][:, :3] = facts[:, 1:]
    bins["intention"][:, 3] = np.hypot(*(facts[:, 2:] - position).T)
    bins["intention"][~observed, 3] = np.nan
    for name in ("kinematics", "intention"):
        bins[name][np.isinf(bins[name])] = np.nan  # beyond what a float32 holds
    bins.flags.writeable = False
    return bins


def _trial_facts(trial: Trial) -> list[float]:
    target_id = np.nan if trial.target_id is None else float(trial.target_id)
    return [trial.start_time, target_id, trial.target_x, trial.target_y]
