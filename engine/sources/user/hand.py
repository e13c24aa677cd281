"""A person's hand in place of the simulated user: where it points, who has it, and how old that is."""

from __future__ import annotations

import math
import threading
from typing import Final, NamedTuple

from engine.bins import clock
from engine.errors import BadSetting, NotNow
from engine.sources.user.workspace import LENGTHS, Place

LATE: Final = 0.25
"""Seconds after which a hand that has sent nothing wants nothing."""
OLDEST: Final = 10.0
"""Seconds by which a pointer's own time may differ from its arrival, to be believed."""


class Pointed(NamedTuple):
    """Where a hand pointed.

    Attributes
    ----------
    place : tuple of float or None
        In length units; None where it wants nothing.
    came : float
        When that was received, seconds of the engine's clock.
    travelled : float
        Seconds that it took from the pointer to the server; NaN if nobody knows.
    """

    place: Place | None
    came: float
    travelled: float = math.nan


NOTHING: Final = Pointed(None, -math.inf)


class Hand:
    """The one seat at a person's session. Its methods may be called from any thread."""

    def __init__(self) -> None:
        self._pointed = NOTHING
        self._who: object | None = None
        self._lock = threading.Lock()  # guards the two above

    @property
    def taken(self) -> bool:
        """Whether somebody has it."""
        return self._who is not None

    def take(self, who: object) -> None:
        """Have it until `leave`.

        Raises
        ------
        NotNow
            If another one has it.
        """
        with self._lock:
            if self._who not in (None, who):
                raise NotNow("Another hand steers this session. Watch, or wait until it has gone.")
            self._who = who

    def leave(self, who: object) -> None:
        """Give it back, and want nothing; of one who has not got it, nothing happens."""
        with self._lock:
            if self._who is who:
                self._who, self._pointed = None, NOTHING

    def point(self, who: object, place: Place | None, travelled: float = math.nan) -> None:
        """Point somewhere, or nowhere.

        Parameters
        ----------
        who : object
            That has taken it.
        place : tuple of float, optional
        travelled : float
            Seconds since the pointer was there.

        Raises
        ------
        BadSetting
            If that is no place.
        """
        if place is not None and not all(abs(at) <= LENGTHS[1] for at in place):
            raise BadSetting(f"A pointer's x and y are numbers within {LENGTHS[1]:g}. Send such.")
        known = travelled if abs(travelled) < OLDEST else math.nan
        with self._lock:
            if self._who is who:
                self._pointed = Pointed(place, clock.now(), max(known, 0.0))

    def at(self, now: float) -> Pointed:
        """Where it points now; nowhere if it is late or gone."""
        pointed = self._pointed
        return pointed if now - pointed.came <= LATE else NOTHING
