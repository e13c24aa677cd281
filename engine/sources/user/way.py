"""The way from a pointer over neurons and decoder to the cursor, in milliseconds."""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

import numpy as np

KEPT: Final = 400
"""Times of which medians and percentiles are told: 10 s at 40 Hz."""
DUES: Final = 64
"""Bins that may be answered for their answer to be timed."""


class Leg(NamedTuple):
    """How long a part of the way takes, in milliseconds; NaN if it was never gone."""

    p50: float
    p99: float


class Times:
    """The newest times of one leg: one thread adds, any reads."""

    def __init__(self) -> None:
        self._seconds: deque[float] = deque(maxlen=KEPT)

    def add(self, seconds: float) -> None:
        self._seconds.append(seconds)

    def leg(self) -> Leg:
        known = np.array(self._seconds.copy())
        known = known[np.isfinite(known)]
        if not len(known):
            return Leg(np.nan, np.nan)
        p50, p99 = (1e3 * np.percentile(known, (50, 99))).tolist()
        return Leg(p50, p99)


class Way:
    """Times of all legs.

    Attributes
    ----------
    pointer : Times
        From the pointer's being there to its arrival at the server, as the page's clock and the server's
        have it.
    neurons : Times
        From its arrival to the bin for which neurons fired.
    whole : Times
        Both together.
    decoder : Times
        From the bin's being due to the driver's answer.
    cursor : Times
        From the answer to the bin in which the cursor has gone where it says.
    """

    def __init__(self) -> None:
        self.pointer, self.neurons, self.whole = Times(), Times(), Times()
        self.decoder, self.cursor = Times(), Times()
        self._dues = [np.nan] * DUES

    def made(self, number: int, due: float) -> None:
        """Note when a bin was due."""
        self._dues[number % DUES] = due

    def answered(self, number: int, newest: int, at: float) -> None:
        """Note the driver's answer to a bin, given the newest that was made."""
        if newest - DUES < number <= newest:
            self.decoder.add(at - self._dues[number % DUES])

    def legs(self) -> dict[str, Leg]:
        """By name."""
        return {name: each.leg() for name, each in vars(self).items() if isinstance(each, Times)}
