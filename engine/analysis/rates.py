"""Firing rates over observed time: of a unit, and of a unit in each trial."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.bins.description import Description, Recorded
from engine.bins.selection import Selection
from engine.bins.trials import TrialEvent
from engine.errors import EmptySelection

Rates = npt.NDArray[np.float64]


def mean_rates(description: Description) -> Rates:
    """Spikes per second of observed recording.

    Returns
    -------
    ndarray of float64, shape (n_units,)
        Hz; NaN if no bin was observed.
    """
    observed = description.observed
    spikes = description.counts.sum(axis=0, dtype=np.int64, where=observed[:, None])
    seconds = np.count_nonzero(observed) * description.bin_width
    rates: Rates = np.divide(spikes, seconds, out=np.full(description.n_units, np.nan), where=seconds > 0)
    return rates


def trial_rates(recording: Recorded, begin: TrialEvent = "start", end: TrialEvent = "stop") -> Rates:
    """Spikes per second in a part of each trial, over its observed bins.

    Parameters
    ----------
    recording : Recorded
    begin, end : trial event
        A bin counts if its centre lies between them.

    Returns
    -------
    ndarray of float64, shape (n_trials, n_units)
        Hz; NaN where a trial lacks an event or has no observed bin between them.
    """
    n_trials = len(recording.trials)
    try:
        bins = Selection(begin=begin, end=end).bins(recording)
    except EmptySelection:
        bins = np.empty(0, np.intp)
    trial = recording.bins["trial"][bins]
    counted = recording.observed[bins] & (trial >= 0)
    bins, trial = bins[counted], trial[counted]
    spikes = np.zeros((n_trials, recording.n_units))
    if len(bins):
        runs = np.flatnonzero(np.diff(trial, prepend=-1))  # nested trials have several runs
        sums = np.add.reduceat(recording.counts[bins].astype(np.int64), runs, axis=0)
        np.add.at(spikes, trial[runs], sums)
    seconds = np.bincount(trial, minlength=n_trials)[:, None] * recording.bin_width
    rates: Rates = np.divide(spikes, seconds, out=np.full_like(spikes, np.nan), where=seconds > 0)
    return rates
