"""How far a decoder is behind: cross-correlation of what it predicts with what is true."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.answers.scores.moments import Floats, Moments, N, correlation

MAX_LAG: Final = 0.5
"""Seconds, in both directions."""
STEPS: Final = 20
"""Lags in each direction at most; where bins are short, one lag is several of them."""


class Lags:
    """The lags that are tried.

    Parameters
    ----------
    bin_rate : float
        Bins per second.
    """

    def __init__(self, bin_rate: float) -> None:
        step = max(round(bin_rate * MAX_LAG / STEPS), 1)
        steps = min(max(int(bin_rate * MAX_LAG / step), 1), STEPS)
        self.bins = np.arange(-steps, steps + 1) * step
        self._bin_rate = bin_rate

    @property
    def reach(self) -> int:
        """Bins from no lag to the longest."""
        return int(self.bins[-1])

    def none(self) -> Moments:
        return Moments.none(len(self.bins), 2)

    def best(self, moments: Moments) -> float:
        """The lag at which the correlation, as a mean over x and y, is highest.

        Knapp & Carter (1976), IEEE Transactions on Acoustics, Speech, and Signal Processing 24:320,
        without any weighting.

        Parameters
        ----------
        moments : Moments, shape (n_lags, 2)

        Returns
        -------
        float
            Seconds; positive where the decoder is behind. NaN where nothing correlates. Of equal
            correlations the shortest lag counts; lags with less than half of the pairs do not.
        """
        at_lag = correlation(moments)
        n = moments.sums[N]
        at_lag[n < n.max() / 2] = np.nan
        known = np.isfinite(at_lag)
        counted = known.any(axis=1)
        if not counted.any():
            return math.nan
        mean = np.where(known, at_lag, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
        mean = np.where(counted, np.round(mean, 12), -np.inf)
        best = np.flatnonzero(mean == mean.max())
        return float(self.bins[best[np.argmin(np.abs(self.bins[best]))]] / self._bin_rate)


class LagFollower:
    """Pairs each new bin with those before it, whatever portions the bins come in.

    Parameters
    ----------
    lags : Lags
    """

    def __init__(self, lags: Lags) -> None:
        self._lags = lags
        self._truth = self._predicted = np.full((lags.reach, 2), np.nan)
        self._number = -1

    def jump(self) -> None:
        """Forget what was before: what follows does not follow it in time."""
        self._truth = self._predicted = np.full((self._lags.reach, 2), np.nan)
        self._number = -1

    def add(self, numbers: npt.NDArray[np.int64], truth: Floats, predicted: Floats) -> Moments:
        """The moments of every pair that new bins make, at each lag.

        Parameters
        ----------
        numbers : ndarray of int64, shape (n,)
            Of the bins, ascending; there may be gaps.
        truth, predicted : ndarray of float64, shape (n, 2)

        Returns
        -------
        Moments, shape (n_lags, 2)
        """
        first = int(numbers[0]) if self._number < 0 else self._number + 1
        if numbers[0] - first >= self._lags.reach:
            self.jump()
            first = int(numbers[0])
        n, at, reach = int(numbers[-1]) + 1 - first, numbers - first, self._lags.reach
        both = []
        for before, new in ((self._truth, truth), (self._predicted, predicted)):
            placed = np.full((reach + n, 2), np.nan)
            placed[:reach] = before
            placed[reach + at] = new
            both.append(placed)
        t, p = both
        now = np.arange(reach, reach + n)[:, None]
        moments = Moments.of(
            t[now - np.maximum(self._lags.bins, 0)], p[now + np.minimum(self._lags.bins, 0)]
        )
        self._truth, self._predicted, self._number = t[n:], p[n:], int(numbers[-1])
        return moments
