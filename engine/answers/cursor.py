"""Where the predictions of one decoder put its cursor, bin by bin."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.integer[Any]]
Floats = npt.NDArray[np.floating[Any]]
Place = tuple[float, float]
Values = tuple[float, float, float, float]
"""x, y (length units), vx, vy (per second); NaN where a decoder gives none."""
NOWHERE: Final[Place] = (math.nan, math.nan)


class Stretches:
    """Which of the bins that were sent last belong together: a velocity moves no cursor from one stretch
    to the next.

    A jump in the recording begins a stretch. So does a bin whose true position is missing, and the one
    after it, whether or not a decoder has answered either.

    Parameters
    ----------
    kept : int
        Bins that are remembered.

    Attributes
    ----------
    end : int
        The first bin that is not known yet.
    """

    def __init__(self, kept: int) -> None:
        self.end = 0
        self._first = [-1] * kept
        self._packet_id = -1
        self._place = NOWHERE

    def take(self, numbers: Integers, packet_ids: Integers, kinematics: Floats) -> None:
        """Take bins in the order in which they were sent.

        Parameters
        ----------
        numbers, packet_ids : ndarray of int, shape (n,)
            Of the bins: within the session, and within the recording.
        kinematics : ndarray of float, shape (n, 4)
            True x, y, vx, vy; NaN where missing.
        """
        for number, packet_id, (x, y, *_) in zip(
            numbers.tolist(), packet_ids.tolist(), kinematics.tolist(), strict=True
        ):
            follows = number == self.end and packet_id == self._packet_id + 1
            known = not math.isnan(x + y + self._place[0] + self._place[1])
            self._first[number % len(self._first)] = self.first(number - 1) if follows and known else number
            self.end, self._packet_id, self._place = number + 1, packet_id, (x, y)

    def first(self, number: int) -> int:
        """The first bin of the stretch to which one of the bins that are kept belongs."""
        return self._first[number % len(self._first)]


class Cursor:
    """The cursor of one decoder, as a person would see it: what has come is never taken back.

    A predicted position is the cursor's. A velocity without a position moves it by ``v * dt`` a bin,
    from the true position at the first predicted bin of each of the `Stretches`; where that is missing,
    it is nowhere. A bin without prediction leaves the cursor where it was, and a velocity that comes
    after that of a later bin no longer moves it.

    Parameters
    ----------
    bin_width : float
        Seconds.
    """

    def __init__(self, bin_width: float) -> None:
        self._bin_width = bin_width
        self._number = -1
        self._stretch = -1
        self._place = NOWHERE

    def move(self, number: int, stretch: int, truth: Place, values: Values) -> Place:
        """Follow one prediction; they come in the order in which they were received.

        Parameters
        ----------
        number : int
            Of the bin, within the session.
        stretch : int
            The first bin of its stretch.
        truth : tuple of float
            True position; NaN where missing.
        values : tuple of float

        Returns
        -------
        tuple of float
            x, y at this bin; NaN where unknown.
        """
        x, y, vx, vy = values
        if number <= self._number:
            return x, y
        if math.isnan(x):
            (x, y), linked = self._place, stretch == self._stretch
            if not linked or math.isnan(x):
                x, y = truth
            else:
                x, y = x + vx * self._bin_width, y + vy * self._bin_width
        self._number, self._stretch, self._place = number, stretch, (x, y)
        return x, y
