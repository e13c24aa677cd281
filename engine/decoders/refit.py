"""ReFIT-like Kalman filter: learns what was intended, and moves its cursor by the velocity alone."""

from __future__ import annotations

import numpy as np
import param

from engine.decoders.base import N_KINEMATICS, Counts, Flags, Floats, Ids, Training
from engine.decoders.kalman import Kalman, covariance, pairs, regress
from engine.errors import CannotFit


class ReFit(Kalman):
    """What a replay leaves of ReFIT (Gilja et al. 2012, Nature Neuroscience 15, 1752-1757).

    As there, training velocities are what the subject is assumed to have wanted: turned towards the
    target at the same speed, and zero within its radius; and the cursor moves by its velocity, whose
    noise is the only one. There, the position is also taken for known, since the subject sees the decoder's
    cursor and corrects it. In a replay nobody does: errors would add up, so counts correct the
    position here, too.
    """

    key = "refit"

    radius = param.Number(
        default=10.0, bounds=(0.0, None), doc="Of targets, in the recording's length unit."
    )

    def fit(
        self,
        counts: Counts,
        targets: Floats,
        starts: Flags | None = None,
        goals: Floats | None = None,
        trials: Ids | None = None,
    ) -> None:
        if goals is None or not np.isfinite(goals).any():
            raise CannotFit("ReFIT learns from targets. This recording names none; take kalman instead.")
        super().fit(counts, intended(targets, goals, self.radius), starts, goals, trials)

    def _movement(self, training: Training, states: Floats) -> tuple[Floats, Floats]:
        if len(self.columns) < N_KINEMATICS:
            raise CannotFit("ReFIT needs position and velocity. This recording lacks one of them.")
        now, before = pairs(training)
        transition = np.eye(N_KINEMATICS)
        transition[:2, 2:] = np.eye(2) / self.bin_rate
        transition[2:, 2:] = regress(states[before, 2:], states[now, 2:])
        noise = np.zeros_like(transition)
        noise[2:, 2:] = covariance(states[now, 2:] - states[before, 2:] @ transition[2:, 2:].T)
        return transition, noise


def intended(kinematics: Floats, goals: Floats, radius: float, by_decoder: bool = False) -> Floats:
    """Kinematics with the velocity that leads to the target.

    What leads away from it is left as it is where a hand moves, which is on its way back, and turned
    where a decoder does, which has erred.

    Parameters
    ----------
    kinematics : ndarray of float, shape (n, 4)
    goals : ndarray of float, shape (n, 2)
    radius : float
        Distance from the target within which none is wanted.
    by_decoder : bool
        Whether a decoder has moved the cursor.

    Returns
    -------
    ndarray of float64, shape (n, 4)
        Velocity is NaN where there is no target.
    """
    out = kinematics.astype(np.float64)
    way = goals - out[:, :2]
    distance = np.hypot(*way.T)[:, None]
    speed = np.hypot(*out[:, 2:].T)[:, None]
    towards = (out[:, 2:] * way).sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        turned = np.where((towards < 0) & (not by_decoder), out[:, 2:], speed * way / distance)
        out[:, 2:] = np.where(distance <= radius, 0.0 * speed, turned)
    return out
