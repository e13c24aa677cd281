"""The cursor on the screen: how a decoder's answers move it, and what it does without them."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple

import param

from engine.sources.user.workspace import Place
from engine.tuned import Tuned

Values = tuple[float, float, float, float]
"""x, y (length units), vx, vy (per second) of an answer; NaN where a decoder gives none."""
AT_REST: Final[Place] = (0.0, 0.0)
PER: Final = 0.025
"""Seconds for which a smoothing is said."""
COAST: Final = 0.2
"""Seconds for which a cursor goes on without an answer, before it stands."""
SCREEN: Final = 2.5
"""Times the distance of targets from the centre to which the screen goes, in each direction."""


class Dynamics(NamedTuple):
    """How the velocity of one bin follows from that of the bin before: ``a v + (1 - a) b u``.

    Attributes
    ----------
    kept : float
        Share of the velocity that is kept (a).
    gain : float
        Of the decoder's velocity (b).
    """

    kept: float
    gain: float

    def after(self, velocity: Place, decoded: Place) -> Place:
        """The next velocity."""
        kept, share = self.kept, (1 - self.kept) * self.gain
        return kept * velocity[0] + share * decoded[0], kept * velocity[1] + share * decoded[1]


PLACED: Final = Dynamics(0.0, 1.0)
"""Of a cursor that is put where a decoder says, as far as a user knows."""


class Steering(Tuned):
    """How a decoder's velocity moves the cursor: ``v[k] = a v[k-1] + (1 - a) b u[k]``."""

    smoothing = param.Number(
        default=0.9,
        bounds=(0.0, 1.0),
        inclusive_bounds=(True, False),
        constant=True,
        doc="Of the velocity (a), in 25 ms: 0 is none. It means nothing to decoders that give positions "
        "alone.",
    )
    delay = param.Number(
        default=0.0,
        bounds=(0.0, 1.0),
        constant=True,
        doc="Seconds by which the decoder's answers move the cursor late.",
    )
    gain = param.Number(
        default=0.3,
        bounds=(0.0, 100.0),
        inclusive_bounds=(False, True),
        constant=True,
        doc="What the decoder's velocity is multiplied by (b). It means nothing to decoders that give "
        "positions alone.",
    )

    def dynamics(self, bin_width: float) -> Dynamics:
        """The same from one bin to the next."""
        return Dynamics(float(self.smoothing ** (bin_width / PER)), float(self.gain))


class ScreenCursor:
    """Where the cursor is. It moves once a bin, by what was answered before.

    Parameters
    ----------
    steering : Steering
    bin_width : float
        Seconds.
    place : tuple of float
    extent : float
        From `place` to the edges of the screen, beyond which it does not go.
    """

    def __init__(self, steering: Steering, bin_width: float, place: Place, extent: float) -> None:
        self.place = self._middle = place
        self.velocity = AT_REST
        self._bin_width = bin_width
        self._extent = extent
        self._coming: deque[Sequence[Values]] = deque()
        self.steer(steering)
        self._coast = round(COAST / bin_width)
        self._silent = self._coast  # bins without an answer

    def steer(self, steering: Steering) -> None:
        """Be moved otherwise from the next bin on."""
        self.dynamics = steering.dynamics(self._bin_width)
        self._late = round(steering.delay / self._bin_width)

    def put(self, place: Place) -> None:
        """Put it somewhere, at rest."""
        self.place, self.velocity = place, AT_REST

    def wanted(self, answers: Sequence[Values], intended: Place, autopilot: float) -> Place:
        """Where it is to go in this bin.

        Parameters
        ----------
        answers : sequence of tuple
            Those that have come since the bin before, oldest first.
        intended : tuple of float
            The velocity that the user wanted then.
        autopilot : float
            Share of that, instead of the decoder's, from 0 to 1.
        """
        (x, y), put = self.place, None
        if self._late or self._coming:
            answers = self._due(answers)
        for *place, ux, uy in answers:
            if math.isnan(ux):
                put = place[0], place[1]
            else:
                self._drive((ux, uy), intended, autopilot)
        self._silent = 0 if answers else self._silent + 1
        if autopilot and not answers:
            self._drive(AT_REST, intended, autopilot)
        elif self._silent > self._coast:
            self.velocity = AT_REST
        if put is not None and not autopilot:
            self.velocity = (put[0] - x) / self._bin_width, (put[1] - y) / self._bin_width
            return put
        vx, vy = self.velocity
        return x + vx * self._bin_width, y + vy * self._bin_width

    def go(self, place: Place, wanted: Place) -> None:
        """Go there, which is where it was `wanted` or where it may go, and not beyond the screen."""
        x, y = (
            min(max(at, middle - self._extent), middle + self._extent)
            for at, middle in zip(place, self._middle, strict=True)
        )
        if (x, y) != wanted:
            at = self.place
            self.velocity = (x - at[0]) / self._bin_width, (y - at[1]) / self._bin_width
        self.place = x, y

    def _due(self, answers: Sequence[Values]) -> Sequence[Values]:
        """The answers that have waited for as long as they are to, given those that have just come."""
        self._coming.append(answers)
        late = max(len(self._coming) - self._late, 0)
        return [each for _ in range(late) for each in self._coming.popleft()]

    def _drive(self, decoded: Place, intended: Place, autopilot: float) -> None:
        if autopilot:
            own = 1 - autopilot
            decoded = (
                own * decoded[0] + autopilot * intended[0],
                own * decoded[1] + autopilot * intended[1],
            )
        self.velocity = self.dynamics.after(self.velocity, decoded)
