"""How the units of a recording fire for movement, for models that change what a unit fires for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.bins.description import Recorded

Floats = npt.NDArray[np.float64]
Planes = npt.NDArray[np.complex128]
PacketIds = npt.NDArray[np.integer[Any]]

LEADS: Final = (0.1, 0.0, 0.2)
"""Seconds by which spikes come before the velocity that they are for: that of motor cortex in the middle
(Moran and Schwartz 1999, Journal of Neurophysiology 82, 2676-2692). Position has the first."""
MOST_BINS: Final = 5000
"""Of the regression: more would take longer than a session may stand still."""
STEPS: Final = 8
LONGEST_STEP: Final = 2.0
RIDGE: Final = 1.0
"""Penalty on squared weights, in expected spikes."""
ENOUGH: Final = 100
"""Bins with known movement, without which there is no regression."""


@dataclass(frozen=True, eq=False)
class Encoding:
    """Log-linear rates: a unit's expected count in a bin is ``exp(b + sum_k w_k . d_k + s |d_0|)``.

    After Truccolo et al. 2005 (Journal of Neurophysiology 93, 1074-1089), fitted by maximum likelihood. The
    vectors d_k are the velocity at each of `LEADS`, and the position from the middle of all; planes are
    complex numbers, x + iy. The directions of w_k are the preferred ones.

    Attributes
    ----------
    baseline, speed : ndarray of float64, shape (n_units,)
        b and s.
    weights : ndarray of complex128, shape (4, n_units)
    drive : ndarray of complex128, shape (n_bins, 4)
        The vectors of the recording's bins, in standard deviations; 0 where they are not known.
    ceiling : ndarray of float64, shape (n_units,)
        Log of the greatest expected count in the recording, which no other movement exceeds.
    mean : ndarray of float64, shape (n_units,)
        Spikes in a bin, over the observed ones.
    """

    baseline: Floats
    speed: Floats
    weights: Planes
    drive: Planes
    ceiling: Floats
    mean: Floats

    def expected(self, packet_ids: PacketIds, turned: Floats | float = 0.0) -> Floats:
        """Expected counts, if the preferred directions of each unit were turned.

        Parameters
        ----------
        packet_ids : ndarray of int, shape (n,)
        turned : float or ndarray of float, shape (n_units,)
            Radians, anticlockwise.

        Returns
        -------
        ndarray of float64, shape (n, n_units)
        """
        drive = self.drive[packet_ids % len(self.drive)]
        logs = ((drive @ self.weights.conj()) * np.exp(-1j * np.asarray(turned))).real
        logs += self.baseline + np.abs(drive[:, :1]) * self.speed
        expected: Floats = np.exp(np.minimum(logs, self.ceiling))
        return expected

    def of_units(self, units: npt.NDArray[np.intp]) -> Encoding:
        """The same for other units, each of which may come more than once."""
        return Encoding(
            self.baseline[units],
            self.speed[units],
            self.weights[:, units],
            self.drive,
            self.ceiling[units],
            self.mean[units],
        )


@lru_cache(maxsize=8)
def encoding_of(recording: Recorded) -> Encoding | None:
    """The encoding of a recording's units; None where too little is known of its movement."""
    drive = _drive(recording)
    known = np.flatnonzero(np.isfinite(drive).all(axis=1) & recording.observed)
    if len(known) < ENOUGH:
        return None
    drive[:, -1] -= drive[known, -1].mean()
    sd = np.sqrt((np.abs(drive[known]) ** 2).mean(axis=0) / 2)
    if not sd[0]:
        return None
    drive /= np.where(sd > 0, sd, 1)
    used = known[:: -(-len(known) // MOST_BINS)]
    return encoding(
        drive[used], recording.counts[used].astype(np.float64), np.nan_to_num(drive),
        recording.counts[recording.observed].mean(axis=0, dtype=np.float64),
    )  # fmt: skip


def encoding(seen: Planes, counts: Floats, drive: Planes, mean: Floats) -> Encoding:
    """Weights of all units, by Newton's method with bounded steps.

    Parameters
    ----------
    seen : ndarray of complex128, shape (n, n_vectors)
        The drive of the bins to learn from.
    counts : ndarray of float64, shape (n, n_units)
        Theirs.
    drive, mean : ndarray
        As `Encoding` has them.
    """
    design = np.column_stack((np.ones(len(seen)), seen.real, seen.imag, np.abs(seen[:, 0])))
    n = design.shape[1]
    products = (design[:, :, None] * design[:, None, :]).reshape(len(design), -1)
    penalty = RIDGE * np.diag([0.0, *np.ones(n - 1)])
    weights = np.zeros((n, counts.shape[1]))
    weights[0] = np.log(counts.mean(axis=0) + 0.5 / len(counts))  # silent units have one, too
    for _ in range(STEPS):
        expected = np.exp(np.minimum(design @ weights, 10.0))
        curvature = (products.T @ expected).T.reshape(-1, n, n) + penalty + 1e-9 * np.eye(n)
        slope = design.T @ (counts - expected) - penalty @ weights
        step = np.linalg.solve(curvature, slope.T[:, :, None])[:, :, 0].T
        weights += np.clip(step, -LONGEST_STEP, LONGEST_STEP)
    k = seen.shape[1]
    planes = weights[1 : 1 + k] + 1j * weights[1 + k : 1 + 2 * k]
    ceiling = (design @ weights).max(axis=0)
    return Encoding(weights[0], weights[-1], planes, drive, ceiling, mean)


def _drive(recording: Recorded) -> Planes:
    """The vectors of each bin, shape (n_bins, 4); NaN where they are not known."""
    kinematics = np.asarray(recording.kinematics, np.float64)
    position, velocity = (kinematics[:, i] + 1j * kinematics[:, i + 1] for i in (0, 2))
    ahead = [round(lead * recording.bin_rate) for lead in LEADS]
    return np.column_stack((*(_later(velocity, n) for n in ahead), _later(position, ahead[0])))


def _later(values: Planes, bins: int) -> Planes:
    """Values as they are so many bins later."""
    return np.concatenate((values[bins:], np.full(min(bins, len(values)), np.nan)))
