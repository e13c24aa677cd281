"""How sure R2 is: the same trials drawn again and again, as they come."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.answers.scores.moments import EE, MEAN_T, NO_SPREAD, TT, Floats, Moments, N

CONFIDENCE: Final = 0.95
LEAST_TRIALS: Final = 5
"""Fewer trials say nothing of an interval or a difference."""
DRAWS: Final = 1000
Interval = tuple[float, float]
"""Low and high; NaN where nothing can be said."""
UNKNOWN: Final = (math.nan, math.nan)


@dataclass(frozen=True)
class Intervals:
    """95 % intervals over trials, of R2 over all bins of the trials together.

    Attributes
    ----------
    r2_position, r2_velocity : tuple of float
        Of the mean over x and y.
    r2_position_weighted, r2_velocity_weighted : tuple of float
        Of the variance-weighted one.
    n_trials : int
    """

    r2_position: Interval = UNKNOWN
    r2_velocity: Interval = UNKNOWN
    r2_position_weighted: Interval = UNKNOWN
    r2_velocity_weighted: Interval = UNKNOWN
    n_trials: int = 0


NO_INTERVALS: Final = Intervals()
"""Of no trials."""


class Resampled:
    """Percentiles of a bootstrap over trials, of constant cost for each trial and without keeping any.

    Each trial has in each draw a weight from a Poisson distribution of mean 1, which is what drawing as
    many trials with replacement comes to for many of them (Hanley & MacGibbon 2006, "Creating
    non-parametric bootstrap samples using Poisson frequencies", Computer Methods and Programs in
    Biomedicine 83:57-62). The weights are the same each time, so that decoders of the same trials have the
    same draws.
    """

    def __init__(self) -> None:
        self._random = np.random.default_rng(0)
        self._sums = np.zeros(
            (DRAWS, 4, 4)
        )  # number, deviation from the origin, its square, errors'; x to vy
        self._origin: Floats | None = None
        self._n = 0
        self._known: Intervals | None = None

    def take(self, trial: Moments) -> None:
        """Take in the bins of one trial: x, y, vx, vy; a trial without any does not count."""
        sums = trial.sums
        if not sums[N].any():
            return
        if self._origin is None:
            self._origin = sums[MEAN_T].copy()
        n, mean = sums[N], sums[MEAN_T] - self._origin
        parts = np.stack((n, n * mean, sums[TT] + n * mean**2, sums[EE]))
        self._sums += self._random.poisson(1.0, DRAWS)[:, None, None] * parts
        self._n += 1
        self._known = None

    def intervals(self) -> Intervals:
        """As they stand; unknown below `LEAST_TRIALS`."""
        if self._known is None:
            self._known = Intervals(n_trials=self._n) if self._n < LEAST_TRIALS else self._found()
        return self._known

    def _found(self) -> Intervals:
        n, deviation, squares, errors = np.moveaxis(self._sums, 1, 0)
        total = squares - deviation**2 / np.maximum(n, 1)
        known = (n > 1) & (total > NO_SPREAD * squares)
        total, errors = np.where(known, total, np.nan), np.where(known, errors, np.nan)
        each = 1.0 - errors / total
        return Intervals(
            r2_position=_ends(each[:, :2].mean(axis=1)),
            r2_velocity=_ends(each[:, 2:].mean(axis=1)),
            r2_position_weighted=_ends(1.0 - errors[:, :2].sum(axis=1) / total[:, :2].sum(axis=1)),
            r2_velocity_weighted=_ends(1.0 - errors[:, 2:].sum(axis=1) / total[:, 2:].sum(axis=1)),
            n_trials=self._n,
        )


def _ends(draws: Floats) -> Interval:
    draws = draws[np.isfinite(draws)]
    if not len(draws):
        return UNKNOWN
    low, high = np.quantile(draws, ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)).tolist()
    return low, high
