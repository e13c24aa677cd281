"""What of a recording a user needs beside its neurons: where and how far movements go, and which units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.bins.description import Recorded
from engine.bins.trials import Barrier
from engine.errors import NotNow

Place = tuple[float, float]

LENGTHS: Final = (1e-6, 1e6)
"""What lengths can be, and speeds, in any unit."""
FAST_SHARE = 90.0
"""Percentile of the true speeds, or of the distances, that counts as that of a full movement."""


@dataclass(frozen=True)
class Workspace:
    """What of a recording a task and a user are scaled by.

    Attributes
    ----------
    centre : tuple of float
        x, y: the median position, from which reaches start.
    reach : float
        Median distance of the targets from there, in length units; of the farther positions, where there
        are no targets.
    fast : float
        Speed of a fast movement, in length units per second.
    targets : tuple of tuple of float
        x, y of each trial's target, in the order of the trials.
    barriers : tuple of tuple of Barrier
        The walls of those trials.
    """

    centre: Place
    reach: float
    fast: float
    targets: tuple[Place, ...]
    barriers: tuple[tuple[Barrier, ...], ...] = ()

    @classmethod
    def of(cls, recording: Recorded) -> Workspace:
        """That of a recording.

        Raises
        ------
        NotNow
            If nothing moves in it.
        """
        kinematics = recording.kinematics[recording.observed].astype(np.float64)
        known = kinematics[np.isfinite(kinematics).all(axis=1)]
        speed = np.hypot(*known[:, 2:].T)
        if not len(known) or not speed.any():
            raise NotNow(
                f"{recording.name} has no position and velocity, so no user can steer by it. "
                "Choose a recording that has both."
            )
        x, y = np.median(known[:, :2], axis=0).tolist()
        aimed = [t for t in recording.trials if np.isfinite([t.target_x, t.target_y]).all()]
        targets = tuple((t.target_x, t.target_y) for t in aimed)
        away = np.hypot(*(np.array(targets or known[:, :2].tolist()) - (x, y)).T)
        reach = float(np.median(away) if targets else np.percentile(away, FAST_SHARE))
        fast = float(np.percentile(speed, FAST_SHARE))
        return cls((x, y), reach or 1.0, fast, targets, tuple(t.barriers for t in aimed))


@dataclass(frozen=True)
class Basis:
    """What a closed loop takes of a recording, beside its neurons: little enough to send elsewhere.

    Attributes
    ----------
    name : str
        The recording's.
    channel_names : tuple of str, one a unit
    bin_rate : float
        Bins per second.
    length_unit : str
    workspace : Workspace
    """

    name: str
    channel_names: tuple[str, ...]
    bin_rate: float
    length_unit: str
    workspace: Workspace

    @classmethod
    def of(cls, recording: Recorded) -> Basis:
        """That of a recording; raises as `Workspace.of` does."""
        workspace = Workspace.of(recording)
        return cls(
            recording.name, recording.channel_names, recording.bin_rate, recording.length_unit, workspace
        )
