"""The last bins as features, and the least squares that linear decoders share."""

from __future__ import annotations

import numpy as np

from engine.decoders.base import Floats, Rows, Training

BLOCK = 4096
"""Bins whose features are made at once: an hour's at once would not fit into memory."""


class History:
    """The newest bins of a stretch as one row of features, the newest first, and a constant 1.

    Lags from before the stretch are 0, which is each unit's mean.
    """

    def __init__(self, n_units: int, lags: int) -> None:
        self._n_units = n_units
        self.features = np.zeros(n_units * lags + 1)
        self.clear()

    def clear(self) -> None:
        self.features[:] = 0.0
        self.features[-1] = 1.0

    def push(self, signal: Floats) -> Floats:
        """Add a bin, shape (n_units,); returns `features`, shape (n_units * lags + 1,), not a copy."""
        n = self._n_units
        self.features[n:-1] = self.features[: -1 - n]
        self.features[:n] = signal
        return self.features


def lagged(training: Training, rows: Rows, lags: int) -> Floats:
    """Features of some bins, as `History` would have them, shape (n_rows, n_active * lags + 1)."""
    n_units = training.signal.shape[1]
    features = np.zeros((len(rows), n_units * lags + 1))
    features[:, -1] = 1.0
    for lag in range(lags):
        inside = training.age[rows] >= lag
        features[inside, lag * n_units : (lag + 1) * n_units] = training.signal[rows[inside] - lag]
    return features


def pooled(features: Floats, lags: int, pool: int) -> Floats:
    """Features with averages of `pool` lags in place of single ones.

    Parameters
    ----------
    features : ndarray of float64, shape (n, n_units * lags + 1)
    lags, pool : int
        `lags` is a multiple of `pool`.

    Returns
    -------
    ndarray of float64, shape (n, n_units * lags / pool + 1)
    """
    n = len(features)
    averages = features[:, :-1].reshape(n, lags // pool, pool, -1).mean(axis=2)
    return np.hstack((averages.reshape(n, -1), features[:, -1:]))


def normal_equations(training: Training, lags: int, pool: int = 1) -> tuple[Floats, Floats]:
    """Sums over the bins with known targets.

    Returns
    -------
    gram : ndarray of float64, shape (n_features, n_features)
        Features by features.
    cross : ndarray of float64, shape (n_features, n_columns)
        Features by targets.
    """
    n_features = training.signal.shape[1] * lags // pool + 1
    gram = np.zeros((n_features, n_features))
    cross = np.zeros((n_features, training.targets.shape[1]))
    for first in range(0, len(training.rows), BLOCK):
        rows = training.rows[first : first + BLOCK]
        features = pooled(lagged(training, rows, lags), lags, pool)
        gram += features.T @ features
        cross += features.T @ training.targets[rows]
    return gram, cross


def punished(gram: Floats, ridge: float) -> Floats:
    """The sums with a ridge penalty on every weight but the constant's (Hoerl & Kennard 1970)."""
    out = gram + ridge * np.eye(len(gram))
    out[-1, -1] -= ridge
    return out
