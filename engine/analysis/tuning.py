"""Directional tuning: a cosine of the reach's direction, fitted to each unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from engine.analysis.rates import trial_rates
from engine.bins.description import Recorded
from engine.bins.trials import TrialEvent

Floats = npt.NDArray[np.float64]
Direction = Literal["target", "movement"]

ALPHA = 0.01
"""A unit is tuned if chance would fit it as well with a smaller probability than this."""
MIN_TRIALS = 4
"""One more than the parameters of the fit."""


@dataclass(frozen=True)
class Tuning:
    """``rate = baseline + depth * cos(direction - preferred)``, per unit; NaN where it cannot be fitted.

    Attributes
    ----------
    directions : ndarray, shape (n_trials,)
        Radians, anticlockwise from the right; NaN for trials that were left out.
    rates : ndarray, shape (n_trials, n_units)
        Hz, what was fitted.
    baseline, depth : ndarray, shape (n_units,)
        Hz.
    preferred : ndarray, shape (n_units,)
        Radians, -pi to pi, tuned or not.
    r2 : ndarray, shape (n_units,)
        Share of the variance over trials that the fit explains.
    p : ndarray, shape (n_units,)
        Probability of such an `r2` or a larger one without tuning.
    """

    directions: Floats
    rates: Floats
    baseline: Floats
    depth: Floats
    preferred: Floats
    r2: Floats
    p: Floats

    @property
    def tuned(self) -> npt.NDArray[np.bool_]:
        """Whether `p` is below `ALPHA`, shape (n_units,)."""
        return self.p < ALPHA

    def predict(self, unit: int, directions: npt.ArrayLike) -> Floats:
        """The fitted rate of a unit, Hz, at directions in radians; any shape."""
        angles = np.asarray(directions, np.float64)
        return np.asarray(self.baseline[unit] + self.depth[unit] * np.cos(angles - self.preferred[unit]))


def reach_directions(recording: Recorded, direction: Direction = "target") -> Floats:
    """Where each trial's reach goes, from the first position that the trial has.

    Parameters
    ----------
    recording : Recorded
    direction : str
        To the ``"target"``, or to the last position of the ``"movement"``.

    Returns
    -------
    ndarray of float64, shape (n_trials,)
        Radians, anticlockwise from the right; NaN where a position is missing or nothing moves.
    """
    n_trials = len(recording.trials)
    trial = recording.bins["trial"]
    usable = np.flatnonzero((trial >= 0) & np.isfinite(recording.kinematics[:, :2]).all(axis=1))
    start, end = np.full((n_trials, 2), np.nan), np.full((n_trials, 2), np.nan)
    start[trial[usable[::-1]]] = recording.kinematics[usable[::-1], :2]  # the last one written is the first
    if direction == "target":
        end = np.array([(each.target_x, each.target_y) for each in recording.trials]).reshape(-1, 2)
    else:
        end[trial[usable]] = recording.kinematics[usable, :2]
    dx, dy = (end - start).T
    return np.where((dx == 0) & (dy == 0), np.nan, np.arctan2(dy, dx))


def tuning(recording: Recorded, direction: Direction = "target") -> Tuning:
    """Fit every unit by least squares.

    The model is that of Georgopoulos, Kalaska, Caminiti and Massey (1982, J. Neurosci. 2:1527-1537):
    ``rate = b0 + b1 * cos(direction) + b2 * sin(direction)``, of the rate over reaction and movement,
    go cue to the end of the trial (its start, where no trial has a go cue); so the preferred direction
    is ``atan2(b2, b1)`` and the depth ``hypot(b1, b2)``. Each trial is one observation. With
    ``F = (r2 / 2) / ((1 - r2) / (n - 3))`` the F-test of the regression has, for its two and n - 3
    degrees of freedom, the closed form ``p = (1 - r2) ** ((n - 3) / 2)``.

    Parameters
    ----------
    recording : Recorded
    direction : str
        As in `reach_directions`.
    """
    has_go = any(np.isfinite(trial.go_cue_time) for trial in recording.trials)
    begin: TrialEvent = "go_cue" if has_go else "start"
    rates = trial_rates(recording, begin)
    directions = reach_directions(recording, direction)
    used = np.isfinite(directions) & np.isfinite(rates).all(axis=1)
    directions = np.where(used, directions, np.nan)
    n = np.count_nonzero(used)

    nothing = np.full(recording.n_units, np.nan)
    design = np.column_stack((np.ones(n), np.cos(directions[used]), np.sin(directions[used])))
    if n < MIN_TRIALS or np.linalg.matrix_rank(design) < 3:
        return Tuning(directions, rates, nothing, nothing, nothing, nothing, nothing)
    fitted, *_ = np.linalg.lstsq(design, rates[used])
    baseline, b1, b2 = fitted
    residual = ((rates[used] - design @ fitted) ** 2).sum(axis=0)
    total = ((rates[used] - rates[used].mean(axis=0)) ** 2).sum(axis=0)
    constant = total == 0
    r2 = np.clip(1 - np.divide(residual, total, out=np.ones_like(total), where=~constant), 0, 1)
    p = (1 - r2) ** ((n - 3) / 2)
    preferred = np.where(constant, np.nan, np.arctan2(b2, b1))
    return Tuning(directions, rates, baseline, np.hypot(b1, b2), preferred, r2, p)


def preferred_directions(recording: Recorded) -> Floats:
    """The direction of target at which each unit fires most, by `tuning`.

    Returns
    -------
    ndarray of float64, shape (n_units,)
        Radians, -pi to pi, anticlockwise from the right; NaN where a unit is not tuned.
    """
    found = tuning(recording)
    return np.where(found.tuned, found.preferred, np.nan)
