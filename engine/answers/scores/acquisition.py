"""One trial of a closed loop, judged by the cursor on the screen: acquired or not, and how fast."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.answers.scores.reach import Outcome, index_of_difficulty, path_efficiency
from engine.bins.description import Goal
from engine.bins.schema import Rows


@dataclass(frozen=True)
class Acquisition:
    """Of one trial; NaN where there is none. Seconds count from the trial's first bin.

    Attributes
    ----------
    row : int
        Of the trial.
    last : int
        Number of its last bin.
    success : bool
        Whether the cursor stayed within the target for as long as it had to.
    seconds : float
        To the trial's end: with success, the acquisition time, the hold included.
    first_touch : float
        To the end of the first bin within the target.
    dial_in : float
        From then to the beginning of the hold that succeeded (Gilja et al. 2012, Nature Neuroscience 15,
        1752-1757): with it and the hold, the first touch makes up the acquisition time.
    orbits : float
        How often the cursor came into the target again after it had left it: the target re-entries of
        MacKenzie, Kauppinen & Silfverberg 2001 (CHI, 9-16). NaN if it never came in.
    bits : float
        ``log2(N - 1)`` of N targets, less than 0 where the trial failed: summed, and divided by the time
        that all trials took, the achieved bit rate of Nuyujukian et al. 2015 (IEEE Transactions on
        Biomedical Engineering 62, 21-32), which counts a target that was not acquired as a wrong
        selection. NaN where there is no choice among targets.
    outcome : Outcome
        As a reach is judged, up to the beginning of the hold that succeeded: its bits over its seconds
        are Fitts's throughput.
    """

    row: int
    last: int
    success: bool
    seconds: float
    first_touch: float
    dial_in: float
    orbits: float
    bits: float
    outcome: Outcome


class Acquisitions:
    """Follows the cursor on the screen, bin by bin, in trials that are seen whole.

    Parameters
    ----------
    goal : Goal
    bin_width : float
        Seconds.
    """

    def __init__(self, goal: Goal, bin_width: float) -> None:
        self._goal = goal
        self._bin_width = bin_width
        self._hold = max(round(goal.hold / bin_width), 1)
        self._row = -1
        self._parts: list[Rows] = []

    def take(self, rows: Rows) -> list[Acquisition]:
        """Take rows in the order in which they were sent; return the trials that have ended."""
        ended = []
        cuts = np.flatnonzero(np.diff(rows["trial"], prepend=self._row))
        parts = np.split(rows, cuts)
        if len(parts[0]):
            self._parts.append(parts[0])
        for part in parts[1:]:
            if self._row >= 0 and (judged := self._judge(int(part["sequence_number"][0]))) is not None:
                ended.append(judged)
            self._row, self._parts = int(part["trial"][0]), [part]
        return ended

    def _judge(self, following: int) -> Acquisition | None:
        """None if bins are missing before that number, or at the trial's start."""
        rows = np.concatenate(self._parts)
        n, numbers = len(rows), rows["sequence_number"]
        if rows["trial_time_ms"][0] != 0.0 or numbers[0] + n != following:
            return None
        path = rows["kinematics"][:, :2].astype(np.float64)
        target = rows["intention"][0, 1:3].astype(np.float64)
        inside: npt.NDArray[np.bool_] = rows["intention"][:, 3] <= self._goal.radius
        entries = int(np.count_nonzero(np.diff(inside, prepend=False) & inside))
        success = n >= self._hold and bool(inside[-self._hold :].all())
        first = int(np.argmax(inside)) + 1 if inside.any() else 0
        moved = n - self._hold + 1 if success else n
        width, choices = self._bin_width, self._goal.n_choices
        choice = math.log2(choices - 1) if choices > 1 else math.nan
        difficulty = index_of_difficulty(math.dist(path[0], target), 2 * self._goal.radius)
        return Acquisition(
            row=self._row,
            last=int(numbers[-1]),
            success=success,
            seconds=n * width,
            first_touch=first * width if first else math.nan,
            dial_in=(moved - first) * width if success else math.nan,
            orbits=float(entries - 1) if entries else math.nan,
            bits=choice if success else -choice,
            outcome=Outcome(
                hit=success,
                seconds=moved * width,
                end_distance=math.dist(path[-1], target),
                path_efficiency=path_efficiency(path[:moved]),
                bits=difficulty if success else 0.0,
            ),
        )
