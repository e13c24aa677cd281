"""The paths of all trials, and which of them go through a place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.bins.description import Recorded


@dataclass(frozen=True)
class Paths:
    """Positions of all trials, one after another, in the recording's length unit.

    Attributes
    ----------
    position : ndarray of float32, shape (n, 2)
        x and y; a row of NaN follows each trial and stands where a position is missing, so that drawn
        as one line they stay apart.
    trial : ndarray of int, shape (n,)
        Row in `Recording.trials`.
    """

    position: npt.NDArray[np.float32]
    trial: npt.NDArray[np.intp]

    @property
    def is_empty(self) -> bool:
        return not np.isfinite(self.position).any()

    def of(self, trials: npt.NDArray[np.intp]) -> npt.NDArray[np.float32]:
        """Positions of some trials, shape (m, 2)."""
        return self.position[np.isin(self.trial, trials)]

    def through(self, x: tuple[float, float], y: tuple[float, float]) -> npt.NDArray[np.intp]:
        """Trials with a position in a rectangle, ascending."""
        (x0, x1), (y0, y1) = sorted(x), sorted(y)
        px, py = self.position.T
        return np.unique(self.trial[(px >= x0) & (px <= x1) & (py >= y0) & (py <= y1)])

    def nearest(self, x: float, y: float, within: float) -> int | None:
        """The trial that comes closest to a point, if it comes within a distance of it."""
        if self.is_empty:
            return None
        distance = np.hypot(self.position[:, 0] - x, self.position[:, 1] - y)
        best = int(np.nanargmin(distance))
        return int(self.trial[best]) if distance[best] <= within else None


def trial_paths(recording: Recorded) -> Paths:
    """Where the hand or cursor went in each trial."""
    trial = recording.bins["trial"]
    inside = np.flatnonzero(trial >= 0)
    ends = np.flatnonzero(np.diff(trial[inside], append=-1)) + 1
    position = np.insert(recording.kinematics[inside, :2], ends, np.float32(np.nan), axis=0)
    missing = ~np.isfinite(position).all(axis=1)
    position[missing] = np.nan
    return Paths(position, np.insert(trial[inside], ends, trial[inside][ends - 1]).astype(np.intp))
