"""Spike counts around an event, trial by trial."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.bins.description import Recorded
from engine.bins.trials import TrialEvent, event_time


@dataclass(frozen=True)
class Aligned:
    """Counts of the trials that have the event.

    Attributes
    ----------
    trials : ndarray of int, shape (n_trials,)
        Rows in `Recording.trials`, ascending.
    edges : ndarray of float, shape (n_times + 1,)
        Seconds from the event; one edge is 0.
    counts : ndarray of float32, shape (n_trials, n_times, n_units)
        Spikes; NaN where a bin was not observed or belongs to another trial.
    width : float
        Of a bin here, s.
    """

    trials: npt.NDArray[np.intp]
    edges: npt.NDArray[np.float64]
    counts: npt.NDArray[np.float32]
    width: float

    @property
    def centres(self) -> npt.NDArray[np.float64]:
        """Seconds from the event, shape (n_times,)."""
        return (self.edges[:-1] + self.edges[1:]) / 2


def aligned_counts(
    recording: Recorded,
    event: TrialEvent,
    before: float,
    after: float,
    *,
    bins_per_step: int = 1,
    units: Sequence[int] | None = None,
) -> Aligned:
    """Cut the recording's bins around an event of each trial.

    Bins stay whole, so that every spike is counted as the recording has it: the edge that is nearest
    to the event becomes time 0, at most half a bin away. Trials that lack the event are skipped. What
    belongs to another trial is missing here, so that no reach is averaged into the one before it;
    what lies between trials counts.

    Parameters
    ----------
    recording : Recorded
    event : trial event
    before, after : float
        Seconds from the event, in whole steps, at least one in all.
    bins_per_step : int
        How many bins of the recording make one here; missing if one of them is.
    units : sequence of int, optional
        Columns of the counts; all if None.

    Returns
    -------
    Aligned
    """
    step = bins_per_step * recording.bin_width
    first = -round(before / step)
    last = max(round(after / step), first + 1)
    edges = step * np.arange(first, last + 1, dtype=np.float64)

    times = np.array([event_time(trial, event) for trial in recording.trials])
    trials = np.flatnonzero(np.isfinite(times))
    zero = np.rint(np.round(times[trials] - recording.start_time, 6) * recording.bin_rate).astype(np.intp)
    index = zero[:, None] + np.arange(first * bins_per_step, last * bins_per_step)
    inside = (index >= 0) & (index < recording.n_bins)
    index[~inside] = 0
    owner = recording.bins["trial"][index]
    seen = inside & recording.observed[index] & ((owner == trials[:, None]) | (owner < 0))

    counts = recording.counts if units is None else recording.counts[:, units]
    cut = counts[index].astype(np.float32)
    cut[~seen] = np.nan
    shape = (len(trials), last - first, bins_per_step, cut.shape[2])
    return Aligned(trials, edges, cut.reshape(shape).sum(axis=2), step)
