"""The angle between predicted and true velocities."""

from __future__ import annotations

import numpy as np

from engine.answers.scores.moments import Floats


def angles(truth: Floats, predicted: Floats) -> Floats:
    """Angle between two velocities in radians, 0 to pi, shape (n,) from (n, 2); NaN where one is 0."""
    cross = truth[:, 0] * predicted[:, 1] - truth[:, 1] * predicted[:, 0]
    dot = (truth * predicted).sum(axis=1)
    known = (cross != 0) | (dot != 0)
    return np.where(known, np.abs(np.arctan2(cross, dot)), np.nan)


def mean_angle(truth: Floats, predicted: Floats) -> Floats:
    """The parts of the mean angle between predicted and true velocity, weighted by the true speed.

    The weight keeps standing still, when a direction is nothing but noise, out of the mean without a
    threshold: ``sum(|t| * angle(t, p)) / sum(|t|)``.

    Returns
    -------
    ndarray of float64, shape (2,)
        Both sums.
    """
    angle, speed = angles(truth, predicted), np.hypot(*truth.T)
    known = np.isfinite(angle)
    return np.array([np.sum(speed[known] * angle[known]), np.sum(speed[known])])
