"""What sources have in common that make bins for ever: each is written as it is sent."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Final

import numpy as np
import numpy.typing as npt

from engine.bins.source import Block, Capability, Position, Tick, Told
from engine.bins.trials import Trial
from engine.sources.growing import COUNTS, GrowingDescription

UNKNOWN = (math.nan,) * 4
OBSERVED: Final = 0.5
"""Share of a bin from which on it counts as observed."""


class Written:
    """The part of an `engine.bins.source.Source` that writes its bins, one after the other.

    Parameters
    ----------
    description : GrowingDescription
    """

    kind: ClassVar[str]
    can: ClassVar[tuple[Capability, ...]]
    ended = False

    def __init__(self, description: GrowingDescription) -> None:
        self.description = description
        self._sent = 0

    @property
    def position(self) -> Position:
        return Position(self._sent, self._sent, None, self._sent * self.description.bin_width)

    def write(
        self,
        row: Any,
        due: float,
        counts: npt.ArrayLike,
        kinematics: Sequence[float] = UNKNOWN,
        trial: Trial | None = None,
        coverage: float = 1.0,
        known: bool = True,
    ) -> None:
        """Write a bin into its row.

        Parameters
        ----------
        row : void
            Of a block.
        due : float
            Seconds of the engine's clock.
        counts : array of numbers, shape (n_units,)
            They are rounded, and kept within 0 and 65,535.
        kinematics : sequence of float
            x, y, vx, vy; NaN where missing.
        trial : Trial, optional
            With its target.
        coverage : float
            Share of the bin that was there, 0 to 1; from a half on it counts as observed.
        known : bool
            Whether it is known in which trial it is, also if in none.
        """
        packet_id, description = self._sent, self.description
        whole = np.asarray(counts)
        if whole.dtype.kind not in "iu":
            whole = np.nan_to_num(np.rint(np.asarray(counts, np.float64)))
        whole = np.clip(whole, 0, np.iinfo(COUNTS).max)
        at = description.enter(packet_id, trial, known)
        description.append(packet_id, due, whole)
        row["counts"], row["coverage"], row["observed"] = whole, coverage, coverage >= OBSERVED
        row["packet_id"], row["trial"], row["kinematics"] = packet_id, at, kinematics
        row["trial_time_ms"] = description.trial_time(packet_id) * 1e3
        row["intention"] = row["intended"] = math.nan
        if trial is not None:
            x, y, _, _ = kinematics
            target = math.nan if trial.target_id is None else trial.target_id
            distance = math.hypot(trial.target_x - x, trial.target_y - y)
            row["intention"] = target, trial.target_x, trial.target_y, distance
        self._sent += 1


class Endless(Written, ABC):
    """A source whose bins are due when the deck says, and there whenever they are asked for."""

    can = ("pause", "step", "speed", "perturbation")

    @abstractmethod
    def bin(self, due: float) -> npt.ArrayLike:
        """Make the counts of the next bin, shape (n_units,), which is due then."""

    def ready(self, n: int) -> int:
        return n

    def fill(self, block: Block, ticks: Sequence[Tick]) -> Told:
        for row, (due, _) in zip(block.rows, ticks, strict=False):
            self.write(row, due, self.bin(due))
        return ()

    def close(self) -> None:
        """End what it runs: as a rule nothing."""
        return
