"""What a trial table says of every bin: which phase it is in, and whether the target can be hit."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.bins.trials import Plan, Trial, TrialEvent, event_time

EVENTS: Final[tuple[TrialEvent, ...]] = ("target_on", "go_cue", "move_onset")
"""Event i begins phase i + 1."""


def plan(
    trials: Sequence[Trial], trial_of_bin: npt.NDArray[np.int32], bin_at: Callable[[float], int]
) -> Plan:
    """Plan the bins of a recording.

    Parameters
    ----------
    trials : sequence of Trial
    trial_of_bin : ndarray of int, shape (n_bins,)
        Index into them, -1 outside.
    bin_at : function
        Which bin holds a time of the file's clock.
    """
    n_trials, n_bins = len(trials), len(trial_of_bin)
    index = np.arange(n_bins)
    begins = np.full((len(EVENTS), n_trials + 1), n_bins)  # the last column is for no trial
    for row, trial in enumerate(trials):
        for i, event in enumerate(EVENTS):
            time = event_time(trial, event)
            if not math.isnan(time):
                begins[i, row] = bin_at(time)
    planned = np.zeros(n_bins, np.uint8)
    for i, first in enumerate(begins, start=1):
        planned[index >= first[trial_of_bin]] = i
    target_on, go, _ = begins[:, :-1]
    known = [go < n_bins, target_on < n_bins]
    armed_from = np.append(np.select(known, [go, target_on], 0), n_bins)
    return Plan(planned, index >= armed_from[trial_of_bin])
