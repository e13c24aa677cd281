"""What is told of one decoder's scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.answers.scores.histogram import Counts
from engine.answers.scores.resampled import NO_INTERVALS, Intervals
from engine.answers.scores.sums import Measures

NEARLY: Final = 1.0
"""Seconds by which decoders may begin one after the other and still be compared as they are."""


@dataclass(frozen=True)
class TrialScore:
    """How good a decoder was in one trial.

    Attributes
    ----------
    trial_id : int
    sequence_number : int
        Of the first bin that it answered.
    hit : bool or None
        None if it did not follow the trial from the go cue on, or there is no target.
    measures : Measures
        Over this trial alone.
    """

    trial_id: int
    sequence_number: int
    hit: bool | None
    measures: Measures


@dataclass(frozen=True, eq=False)
class Summary:
    """The scores of one decoder at one moment.

    Attributes
    ----------
    first : int
        The first bin that it was asked for: those before it, other decoders may have answered. -1 before
        its first answer.
    window, total : Measures
        Over the last 10 s of recording, in steps of 1 s, and since the first prediction.
    trials : tuple of TrialScore
        Those that have ended, oldest first; the newest 5,000.
    history : ndarray of float32, shape (n, 2)
        R2 of position and of velocity over the last 10 s, one line a second, the newest 60.
    errors : ndarray of int64, shape (n_buckets,)
        Distances of the cursor from the true one over the last 10 s, on `histogram.ERROR`.
    intervals : Intervals
        Over the trials that have ended.
    """

    first: int
    window: Measures
    total: Measures
    trials: tuple[TrialScore, ...]
    history: npt.NDArray[np.float32]
    errors: Counts
    intervals: Intervals = NO_INTERVALS


def joined_later(begins: Mapping[str, int], bin_rate: float) -> dict[str, float]:
    """Whose scores are about fewer bins than those of others, as they begin later.

    Parameters
    ----------
    begins : mapping of str to int
        The first bin that each decoder's scores are about.
    bin_rate : float
        Bins per second.

    Returns
    -------
    dict of str to float
        By how many seconds of recording, for those who began more than `NEARLY` after the first one.
    """
    first = min(begins.values(), default=0)
    seconds = {name: (begin - first) / bin_rate for name, begin in begins.items()}
    return {name: late for name, late in seconds.items() if late > NEARLY}
