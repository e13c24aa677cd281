"""A sampled position or velocity, and its value at any time: linear, and never over a jump."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

JUMP = 1.5
"""Sampling periods between two samples from which on nothing was recorded between them."""

NOISE = 1e-6
"""Seconds by which timestamps may be off."""


class ValuesAt(Protocol):
    """Values of some samples: rows of shape (n,) to values of shape (n, n_dims)."""

    def __call__(self, rows: Rows, /) -> Floats: ...


@dataclass(frozen=True, eq=False)
class Track:
    """Samples in order of time, all finite, at least two.

    Attributes
    ----------
    times : ndarray of float64, shape (n,)
        Strictly increasing, s.
    samples : ndarray, shape (n, n_dims)
        Any kind of number, as the file has them.
    linked : ndarray of bool, shape (n - 1,)
        Whether nothing is missing between a sample and the next.
    period : float
        Of sampling, s.
    scale, offset : float
        A value is ``sample * scale + offset``.
    """

    times: Floats
    samples: npt.NDArray[Any]
    linked: npt.NDArray[np.bool_]
    period: float
    scale: float = 1.0
    offset: float = 0.0

    def values(self, rows: Rows) -> Floats:
        """Values of some samples, shape (n_rows, n_dims)."""
        return self.samples[rows] * self.scale + self.offset

    def gradient(self, rows: Rows) -> Floats:
        """Rate of change at some samples within their stretch, per second, shape (n_rows, n_dims).

        As `numpy.gradient`: second order inside a stretch, one-sided at its ends, NaN where a
        stretch is a single sample.
        """
        before = rows - np.concatenate(([False], self.linked))[rows]
        after = rows + np.concatenate((self.linked, [False]))[rows]
        here = self.values(rows)
        back = (self.times[rows] - self.times[before])[:, None]
        ahead = (self.times[after] - self.times[rows])[:, None]
        with np.errstate(invalid="ignore"):  # 0 / 0 where there is no neighbour
            left = (here - self.values(before)) / back
            right = (self.values(after) - here) / ahead
            inside = (back * right + ahead * left) / (back + ahead)
        return np.where(back == 0, right, np.where(ahead == 0, left, inside))


def track(
    times: Floats,
    samples: npt.NDArray[Any],
    period: float | None = None,
    scale: float = 1.0,
    offset: float = 0.0,
) -> Track | None:
    """Link samples to stretches; those that are not finite are dropped, and so leave a gap.

    Parameters
    ----------
    times : ndarray of float64, shape (n,)
        Never decreasing, s. Of samples at the same time the last counts.
    samples : ndarray, shape (n, n_dims)
    period : float, optional
        Of sampling, s; the median step of `times` if not given.

    Returns
    -------
    Track or None
        None where fewer than two samples are left.
    """
    steps = np.diff(times)
    good = np.isfinite(samples).all(axis=1)
    good[:-1] &= steps > 0
    if np.count_nonzero(good) < 2:
        return None
    if period is None:
        some = steps[:: max(len(steps) // 100_000, 1)]
        period = float(np.median(some[some > 0]))
    if not good.all():
        times, samples = times[good], samples[good]
        steps = np.diff(times)
    return Track(times, samples, steps <= JUMP * period + NOISE, period, scale, offset)


def interpolate(track: Track, seconds: Floats, values_at: ValuesAt) -> Floats:
    """Values at some times: linear between linked samples, held for half a period beyond a stretch.

    Parameters
    ----------
    seconds : ndarray of float64, shape (n,)
        Ascending.
    values_at : callable
        ``track.values``, or ``track.gradient`` for the rate of change.

    Returns
    -------
    ndarray of float64, shape (n, 2)
        The first two dimensions; NaN where missing.
    """
    last = len(track.times) - 1
    left = np.searchsorted(track.times, seconds, "right") - 1
    before = np.clip(left, 0, last)
    after = np.clip(left + 1, 0, last)
    begin, end = track.times[before], track.times[after]
    linked = (before < after) & track.linked[np.minimum(before, last - 1)]

    within = np.where(linked, seconds - begin, 0.0) / np.where(linked, end - begin, 1.0)
    nearest = np.where(np.abs(seconds - begin) <= np.abs(end - seconds), before, after)
    low = values_at(np.where(linked, before, nearest))[:, :2]
    high = values_at(np.where(linked, after, nearest))[:, :2]
    near = np.abs(track.times[nearest] - seconds) <= track.period / 2 + NOISE

    values = np.full((len(seconds), 2), np.nan)
    values[:, : low.shape[1]] = low + (high - low) * within[:, None]
    values[~(linked | near)] = np.nan
    return values
