"""One trial, judged by the cursor of a decoder: hit or not, how fast, how straight."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.answers.scores.moments import Floats


@dataclass(frozen=True)
class Outcome:
    """Of one trial; NaN where there is none.

    Attributes
    ----------
    hit : bool
    seconds : float
        From the go cue to the end of the bin that hit, or of the last bin if none did.
    end_distance : float
        From the cursor to the target at the last bin with a cursor, in length units.
    path_efficiency : float
        From 0 to 1.
    bits : float
        Index of difficulty if hit, else 0.
    """

    hit: bool
    seconds: float
    end_distance: float
    path_efficiency: float
    bits: float

    @property
    def bit_rate(self) -> float:
        """Bits per second."""
        return self.bits / self.seconds


def path_efficiency(path: Floats) -> float:
    """Straight distance between the ends of a path over its length.

    Williams & Kirsch (2008), IEEE Transactions on Neural Systems and Rehabilitation Engineering 16:485.

    Parameters
    ----------
    path : ndarray of float64, shape (n, 2)

    Returns
    -------
    float
        1 for a straight path; NaN for one without length.
    """
    length = float(np.hypot(*np.diff(path, axis=0).T).sum())
    return math.dist(path[0], path[-1]) / length if length else math.nan


def index_of_difficulty(distance: float, width: float) -> float:
    """Shannon's form of Fitts's index, ``log2(distance / width + 1)``, in bits.

    ISO 9241-411:2012, annex B, after Fitts (1954), Journal of Experimental Psychology 47:381, and
    MacKenzie (1992), Human-Computer Interaction 7:91. The width is the target's own (its diameter) and
    not the effective one, which follows from where selections scatter: here a selection is the entry
    into the target, so that all end on its edge.
    """
    return math.log2(distance / width + 1.0)


class Reach:
    """Follows one trial from its go cue on, bin by bin.

    A hit is the cursor within the radius of the target, from the go cue on (`phases.plan`).

    Parameters
    ----------
    go_bin : int
        First bin of the recording from which a hit counts.
    target : ndarray of float64, shape (2,)
    bin_width : float
        Seconds.
    """

    def __init__(self, go_bin: int, target: Floats, bin_width: float) -> None:
        self._go_bin = go_bin
        self._target = target
        self._bin_width = bin_width
        self._path: list[Floats] = []
        self._last_bin = -1
        self._end = math.nan
        self._hit_bin: int | None = None

    def follow(self, packet_ids: npt.NDArray[np.int64], cursor: Floats, radius: float) -> None:
        """Take new bins.

        Parameters
        ----------
        packet_ids : ndarray of int64, shape (n,)
            Ascending.
        cursor : ndarray of float64, shape (n, 2)
            Of the decoder; NaN where unknown.
        radius : float
            Of the target.
        """
        known = (packet_ids >= self._go_bin) & np.isfinite(cursor).all(axis=1)
        if not known.any():
            return
        packet_ids, cursor = packet_ids[known], cursor[known]
        distance = np.hypot(*(cursor - self._target).T)
        self._last_bin, self._end = int(packet_ids[-1]), float(distance[-1])
        if self._hit_bin is not None:
            return
        inside = np.flatnonzero(distance <= radius)
        if len(inside):
            self._hit_bin = int(packet_ids[inside[0]])
            cursor = cursor[: inside[0] + 1]
        self._path.append(cursor)

    def outcome(self, radius: float) -> Outcome | None:
        """How the trial ended, given the target's radius; None if there was no cursor after the go cue."""
        if not self._path:
            return None
        path = np.concatenate(self._path)
        hit = self._hit_bin is not None
        last = self._last_bin if self._hit_bin is None else self._hit_bin
        difficulty = index_of_difficulty(math.dist(path[0], self._target), 2 * radius)
        return Outcome(
            hit=hit,
            seconds=(last + 1 - self._go_bin) * self._bin_width,
            end_distance=self._end,
            path_efficiency=path_efficiency(path),
            bits=difficulty if hit else 0.0,
        )
