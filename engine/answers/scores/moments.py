"""Means, variances and errors of many signals at once, as sums that can be merged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

N, MEAN_T, MEAN_P, TT, PP, TP, EE = range(7)
"""Rows of `Moments.sums`."""

NO_SPREAD: Final = 1e-14
"""Variance relative to the squared mean that is nothing but rounding."""


class Moments:
    """Of true and predicted values that belong together, for any number of signals.

    Deviations are summed from the means and not from 0, and merged after Chan, Golub & LeVeque (1983),
    "Algorithms for computing the sample variance", The American Statistician 37:242, so that an offset
    costs no digits.

    Attributes
    ----------
    sums : ndarray of float64, shape (7, ...)
        Number of pairs; means of true and predicted values; sums of squared deviations of both, of
        their products, and of squared errors.
    """

    def __init__(self, sums: Floats) -> None:
        self.sums = sums

    @classmethod
    def none(cls, *shape: int) -> Moments:
        """Of signals of this shape, without any value."""
        return cls(np.zeros((7, *shape)))

    @classmethod
    def of(cls, truth: Floats, predicted: Floats) -> Moments:
        """Of values of shape (n, ...); a pair of which one is NaN does not count."""
        known = np.isfinite(truth) & np.isfinite(predicted)
        n = known.sum(axis=0)
        some = np.maximum(n, 1)
        truth, predicted = np.where(known, truth, 0.0), np.where(known, predicted, 0.0)
        mean_t, mean_p = truth.sum(axis=0) / some, predicted.sum(axis=0) / some
        t, p = np.where(known, truth - mean_t, 0.0), np.where(known, predicted - mean_p, 0.0)
        error = truth - predicted
        squares = ((t * t), (p * p), (t * p), (error * error))
        return cls(np.stack((n, mean_t, mean_p, *(each.sum(axis=0) for each in squares))))

    @classmethod
    def merged(cls, parts: Sequence[Moments]) -> Moments:
        """Of all the pairs of which some moments are, of the same signals; at least one part."""
        each = np.stack([part.sums for part in parts])
        n = each[:, N]
        sums: Floats = each.sum(axis=0)
        some = np.maximum(sums[N], 1)
        sums[MEAN_T] = (n * each[:, MEAN_T]).sum(axis=0) / some
        sums[MEAN_P] = (n * each[:, MEAN_P]).sum(axis=0) / some
        t, p = each[:, MEAN_T] - sums[MEAN_T], each[:, MEAN_P] - sums[MEAN_P]
        sums[TT] += (n * t * t).sum(axis=0)
        sums[PP] += (n * p * p).sum(axis=0)
        sums[TP] += (n * t * p).sum(axis=0)
        return cls(sums)


def r_squared(moments: Moments) -> Floats:
    """Coefficient of determination, ``1 - sum((t - p)^2) / sum((t - mean(t))^2)``, for each signal.

    Not the square of the correlation: an offset or a wrong gain lowers it, without a bound. NaN where
    the truth does not vary. As `sklearn.metrics.r2_score`.
    """
    return _where(_varies(moments, TT, MEAN_T), lambda s: 1.0 - s[EE] / s[TT], moments)


def weighted_r_squared(moments: Moments) -> float:
    """Over all signals together, ``1 - sum((t - p)^2) / sum((t - mean(t))^2)``, both sums over signals too.

    It is the mean of `r_squared` weighted by the variance of each signal's truth, as
    `sklearn.metrics.r2_score` has it with ``multioutput="variance_weighted"``, and FALCON (Karpowicz et al.
    2024, "Few-shot algorithms for consistent neural decoding (FALCON) benchmark", NeurIPS). Signals of
    which the truth does not vary are left out; NaN if there are no others.
    """
    s = moments.sums[:, _varies(moments, TT, MEAN_T)]
    return float(1.0 - s[EE].sum() / s[TT].sum()) if s.size else float("nan")


def root_mean_square_error(moments: Moments) -> Floats:
    """``sqrt(mean((t - p)^2))`` for each signal; NaN where there are no pairs."""
    return _where(moments.sums[N] > 0, lambda s: np.sqrt(s[EE] / s[N]), moments)


def correlation(moments: Moments) -> Floats:
    """Pearson's correlation for each signal; NaN where one of the two does not vary.

    Pearson (1895), Proceedings of the Royal Society of London 58:240.
    """
    vary = _varies(moments, TT, MEAN_T) & _varies(moments, PP, MEAN_P)
    return _where(vary, lambda s: s[TP] / np.sqrt(s[TT] * s[PP]), moments)


def _varies(moments: Moments, squares: int, mean: int) -> npt.NDArray[np.bool_]:
    s = moments.sums
    varies: npt.NDArray[np.bool_] = (s[N] > 1) & (s[squares] > NO_SPREAD * s[N] * s[mean] ** 2)
    return varies


def _where(good: npt.NDArray[np.bool_], formula: Callable[[Floats], Floats], moments: Moments) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(good, formula(moments.sums), np.nan)
