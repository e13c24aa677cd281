"""What scores need to know: of the recording, and of each bin that was sent."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.answers.cursor import Stretches
from engine.bins.description import Description, Goal
from engine.bins.schema import Rows

BIN: Final = np.dtype(
    [
        ("sequence_number", np.int64),
        ("due", np.float64),
        ("packet_id", np.int64),
        ("stretch", np.int64),
        ("trial", np.int64),
        ("kinematics", np.float64, (4,)),
        ("target", np.float64, (2,)),
        ("observed", np.bool_),
        ("lost", np.bool_),
    ]
)
"""The part of a sent bin that is scored; ``stretch`` is the first bin of its `cursor.Stretches`,
``target`` its place."""

SLOW: Final = 0.1
FAST: Final = 99.0
"""Movement is what is faster than so much of the speed that so many percent of the bins do not reach."""


@dataclass(frozen=True)
class Reference:
    """Of a source; plain data that a record can keep, or what a live one goes on writing.

    Attributes
    ----------
    bin_rate : float
        Bins per second.
    trial_ids : sequence of int
        By the value of ``rows["trial"]``.
    go_bins : sequence of int
        The first bin of each trial from which a hit counts, -1 where there is none.
    goal : Goal or None
        Of a closed loop: decoders are scored against what was intended, never against the cursor that one
        of them moves.
    n_bins : int or None
        Of a recording of which it is kept what decoders make of each bin.
    moving_above : float
        Speed above which a bin is one of movement, in length units per second; NaN where that is unknown.
    """

    bin_rate: float
    trial_ids: Sequence[int]
    go_bins: Sequence[int]
    goal: Goal | None = None
    n_bins: int | None = None
    moving_above: float = math.nan

    @classmethod
    def of(cls, description: Description) -> Reference:
        return cls(
            description.bin_rate,
            description.trial_ids,
            description.go_bins,
            description.goal,
            description.n_bins,
            moving_above(description.kinematics),
        )

    @property
    def bin_width(self) -> float:
        """Seconds."""
        return 1.0 / self.bin_rate


def moving_above(kinematics: npt.NDArray[np.float32]) -> float:
    """The speed above which a bin is one of movement: `SLOW` times the `FAST` percentile of all.

    Parameters
    ----------
    kinematics : ndarray of float32, shape (n, 4)
        x, y, vx, vy of a whole recording; NaN where missing.

    Returns
    -------
    float
        NaN where no velocity is known.
    """
    speed = np.hypot(*kinematics[:, 2:].T)
    known = speed[np.isfinite(speed)]
    return SLOW * float(np.percentile(known, FAST)) if len(known) else math.nan


class Sent:
    """The bins that were sent last, by their number in the session.

    Parameters
    ----------
    kept : int
        How many.
    intended : bool
        Whether the truth is the velocity that was intended.
    """

    def __init__(self, kept: int, intended: bool = False) -> None:
        self._intended = intended
        self.kept = kept
        self.end = 0
        self._bins = np.zeros(kept, BIN)
        self._bins["sequence_number"] = -1
        self._stretches = Stretches(kept)

    def take(self, rows: Rows) -> npt.NDArray[np.int64]:
        """Remember rows of a ring, at most `kept`; return their numbers."""
        numbers: npt.NDArray[np.int64] = rows["sequence_number"]
        bins = np.empty(len(rows), BIN)
        for name in ("sequence_number", "due", "packet_id", "trial", "kinematics", "observed", "lost"):
            bins[name] = rows[name]
        if self._intended:
            bins["kinematics"][:, :2] = np.nan
            bins["kinematics"][:, 2:] = rows["intended"]
        bins["target"] = rows["intention"][:, 1:3]
        self._stretches.take(numbers, rows["packet_id"], rows["kinematics"])
        bins["stretch"] = [self._stretches.first(number) for number in numbers.tolist()]
        self._bins[numbers % self.kept] = bins
        self.end = int(numbers[-1]) + 1
        return numbers

    def holds(self, numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Which bins are among them, shape (n,)."""
        held: npt.NDArray[np.bool_] = self.at(numbers)["sequence_number"] == numbers
        return held

    def at(self, numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.void]:
        """Bins by their numbers, shape (n,), dtype `BIN`."""
        return self._bins[numbers % self.kept]
