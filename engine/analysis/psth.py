"""Peri-stimulus time histograms: firing rate around an event, over trials."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Rates = npt.NDArray[np.float64]

REACH = 3.0
"""Standard deviations at which the smoothing kernel ends."""


@dataclass(frozen=True)
class Psth:
    """Rates in Hz, NaN where no trial (SEM: fewer than two) was observed.

    Attributes
    ----------
    mean, sem : ndarray of float64, shape (n_times, ...)
        Over trials; the standard error is ``std(ddof=1) / sqrt(n)``.
    n : ndarray of int, shape (n_times, ...)
        Trials observed in each bin.
    """

    mean: Rates
    sem: Rates
    n: npt.NDArray[np.intp]


def smooth(values: npt.ArrayLike, sd: float) -> Rates:
    """Smooth along time with a Gaussian, over what was observed only.

    Each value is the mean of its neighbours, weighted by ``exp(-d**2 / (2 * sd**2))`` at a distance of
    d bins and cut at 3 sd (the estimator of Nadaraya and Watson, 1964). Missing values have no
    weight and stay missing.

    Parameters
    ----------
    values : array_like, shape (n_trials, n_times, ...)
    sd : float
        Bins; 0 for no smoothing.

    Returns
    -------
    ndarray of float64, shape (n_trials, n_times, ...)
    """
    given = np.asarray(values, np.float64)
    if sd <= 0:
        return given
    seen = np.isfinite(given)
    known = np.where(seen, given, 0.0)
    total, weight = np.zeros_like(known), np.zeros_like(known)
    n_times = given.shape[1]
    for distance in range(min(int(np.ceil(REACH * sd)), n_times - 1) + 1):
        w = np.exp(-(distance**2) / (2 * sd**2))
        to, fro = slice(distance, None), slice(None, n_times - distance)
        for here, there in ((to, fro), (fro, to))[: 2 if distance else 1]:
            total[:, here] += w * known[:, there]
            weight[:, here] += w * seen[:, there]
    return np.divide(total, weight, out=np.full_like(known, np.nan), where=seen)


def psth(counts: npt.ArrayLike, width: float, sd: float = 0.0) -> Psth:
    """Mean rate over trials and its standard error.

    Each trial is smoothed before the trials are averaged, so that the error is that of what is shown.

    Parameters
    ----------
    counts : array_like, shape (n_trials, n_times, ...)
        Spikes, NaN where missing.
    width : float
        Of a bin, s.
    sd : float
        Of the Gaussian that smooths, s; 0 for none.
    """
    rates = smooth(counts, sd / width) / width
    seen = np.isfinite(rates)
    n = seen.sum(axis=0)
    mean = np.divide(np.nansum(rates, axis=0), n, out=np.full(n.shape, np.nan), where=n > 0)
    squares = np.nansum((rates - mean) ** 2, axis=0)
    variance = np.divide(squares, n - 1, out=np.full(n.shape, np.nan), where=n > 1)
    return Psth(mean, np.sqrt(variance / np.maximum(n, 1)), n)
