"""Where the predictions of one decoder put its cursor, bin by bin."""

from __future__ import annotations

import math

Place = tuple[float, float]
Values = tuple[float, float, float, float]
"""x, y (length units), vx, vy (per second); NaN where a decoder gives none."""


class Cursor:
    """The cursor of one decoder, as a person would see it: what has come is never taken back.

    A predicted position is the cursor's. A velocity without a position moves it by ``v * dt`` a bin,
    from the true position at the first predicted bin of each stretch; a jump in the recording begins a
    new stretch, and so does a bin whose true position is missing. A bin without prediction leaves the
    cursor where it was, and a velocity that comes after that of a later bin no longer moves it.

    Parameters
    ----------
    bin_width : float
        Seconds.
    """

    def __init__(self, bin_width: float) -> None:
        self._bin_width = bin_width
        self._number = -1
        self._packet_id = -1
        self._place: Place = (math.nan, math.nan)

    def move(self, number: int, packet_id: int, truth: Place, values: Values) -> Place:
        """Follow one prediction; they come in the order in which they were received.

        Parameters
        ----------
        number, packet_id : int
            Of the bin: within the session, and within the recording.
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
            (x, y), linked = self._place, packet_id - self._packet_id == number - self._number
            if not linked or math.isnan(x):
                x, y = truth
            else:
                x, y = x + vx * self._bin_width, y + vy * self._bin_width
        self._number, self._packet_id, self._place = number, packet_id, (x, y)
        return x, y
