"""What a calibration of a Wiener filter must come to: a ridge regression in a few lines of numpy."""

from __future__ import annotations

import numpy as np

from engine.calibration.frozen import LEVELS, disturbed
from engine.decoders.bins import Bins


def lag(counts: np.ndarray, start: np.ndarray, lags: int) -> np.ndarray:
    """Each bin with the ones before it in its stretch, as its own row; 0 beyond."""
    rows = []
    for i in range(len(counts)):
        row = np.zeros((lags, counts.shape[1]))
        for back in range(lags):
            row[back] = counts[i - back]
            if start[i - back]:
                break
        rows.append(row.ravel())
    return np.array(rows)


def refit(train: Bins, test: Bins, lags: int, ridge: float, seed: int) -> np.ndarray:
    """R2 of x, y, vx and vy by level, shape (n_levels, 4)."""
    known = np.isfinite(train.kinematics).all(axis=1)
    active = train.counts[known].any(axis=0)
    mean = train.counts[known][:, active].mean(axis=0)
    x = lag(train.counts[:, active] - mean, train.start, lags)[known]
    y = train.kinematics[known].astype(float)
    x = np.hstack((x, np.ones((len(x), 1))))
    penalty = np.diag([ridge] * (x.shape[1] - 1) + [0.0])
    weights = np.linalg.solve(x.T @ x + penalty, x.T @ y)
    tested = np.isfinite(test.kinematics).all(axis=1)
    truth = test.kinematics[tested].astype(float)
    out = []
    for level in LEVELS:
        features = lag(disturbed(test, level, seed)[:, active] - mean, test.start, lags)[tested]
        residual = truth - np.hstack((features, np.ones((len(features), 1)))) @ weights
        out.append(1 - (residual**2).sum(axis=0) / ((truth - truth.mean(axis=0)) ** 2).sum(axis=0))
    return np.array(out)
