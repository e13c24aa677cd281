"""The user: sees the cursor late, knows what is in flight, and pushes towards the target."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import param

from engine.sources.user.barriers import Route
from engine.sources.user.cursor import AT_REST, PLACED, Dynamics
from engine.sources.user.workspace import LENGTHS, Place, Workspace
from engine.tuned import Tuned

FULL_AT: Final = 5 / 6
"""Of the distance of usual targets: from there on the push is full."""


class User(Tuned):
    """The piecewise-linear feedback model of Willett et al. 2019 (doi 10.1038/s41598-019-44166-7).

    What the user intends is a velocity, in the recording's length unit per second: a push towards the
    target that grows with the distance until it is full, less the damping of the cursor's velocity, plus
    noise. Both are judged from where the user believes the cursor to be.
    """

    delay = param.Number(
        default=0.2, bounds=(0.0, 2.0), constant=True, doc="Seconds by which the cursor is seen late."
    )
    forward_model = param.Boolean(
        default=True,
        constant=True,
        doc="Whether the user adds to what is seen what the commands in flight will have done to it.",
    )
    reaction = param.Number(
        default=0.2,
        bounds=(0.0, 2.0),
        constant=True,
        doc="Seconds from a target's appearance until the user pushes.",
    )
    full_push = param.Number(
        default=740.0,
        bounds=LENGTHS,
        constant=True,
        doc="Greatest intended speed, in length units per second.",
    )
    full_at = param.Number(
        default=75.0,
        bounds=LENGTHS,
        constant=True,
        doc="Distance from the target beyond which the push is full, in length units.",
    )
    damping = param.Number(
        default=0.1,
        bounds=(0.0, 10.0),
        constant=True,
        doc="Times the cursor's velocity that is taken from the push.",
    )
    noise = param.Number(
        default=0.1,
        bounds=(0.0, 5.0),
        constant=True,
        doc="Standard deviation of the motor noise, as a share of the push.",
    )

    @classmethod
    def usual(cls, workspace: Workspace, preset: str = "skilled", **settings: Any) -> User:
        """One of the `PRESETS`, who pushes as fast as movements in the recording are."""
        scale = {
            "full_push": float(f"{workspace.fast:.2g}"),
            "full_at": float(f"{FULL_AT * workspace.reach:.2g}"),
        }
        return cls(**{**scale, **PRESETS[preset], **settings})


PERSON: Final = "person"
"""Who steers by a pointer: the push towards it is the model's, and all else the person's own."""
PRESETS: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "skilled": {},
        "naive": {"forward_model": False},
        "noisy": {"noise": 0.5},
        PERSON: {"forward_model": False, "delay": 0.0, "reaction": 0.0, "damping": 0.0, "noise": 0.0},
    }
)
"""What differs from the defaults, by name."""


class Mind:
    """What a user believes and does, bin by bin.

    Parameters
    ----------
    user : User
    bin_width : float
        Seconds.
    rng : Generator
        Of the motor noise.
    """

    def __init__(self, user: User, bin_width: float, rng: np.random.Generator) -> None:
        self._foresees = bool(user.forward_model)
        self._full_push, self._full_at = float(user.full_push), float(user.full_at)
        self._damping, self._noise = float(user.damping), float(user.noise)
        self._bin_width = bin_width
        self._rng = rng
        self._delay = round(user.delay / bin_width)
        self._reaction = round(user.reaction / bin_width)
        self._seen: deque[tuple[Place, Place]] = deque(maxlen=self._delay + 1)
        self._commands: deque[Place] = deque([AT_REST] * self._delay, maxlen=self._delay)
        self._waited = 0

    def aim(self, moved: bool) -> None:
        """A target appears; if the cursor was moved to its start, what was seen before means nothing."""
        self._waited = 0
        if moved:
            self._seen.clear()
            self._commands.extend([AT_REST] * self._delay)

    def intend(self, route: Route, place: Place, velocity: Place, dynamics: Dynamics = PLACED) -> Place:
        """What the user wants in this bin.

        Parameters
        ----------
        route : Route
            To the target.
        place, velocity : tuple of float
            The cursor's own, as they are.
        dynamics : Dynamics
            How the user takes the cursor to be moved.

        Returns
        -------
        tuple of float
            vx, vy in length units per second.
        """
        self._seen.append((place, velocity))
        believed, speed = self._seen[0]
        if self._foresees:
            believed, speed = self._foreseen(believed, speed, dynamics)
        draw = self._rng.standard_normal(2).tolist()
        push = AT_REST
        if self._waited >= self._reaction:
            push = self._push(route, believed, speed)
            size = self._noise * math.hypot(*push)
            push = push[0] + size * draw[0], push[1] + size * draw[1]
        self._waited += 1
        self._commands.append(push)
        return push

    def _push(self, route: Route, place: Place, velocity: Place) -> Place:
        ahead, away = route.ahead(place)
        dx, dy = ahead[0] - place[0], ahead[1] - place[1]
        near = math.hypot(dx, dy)
        push = self._full_push * min(away / self._full_at, 1.0) / near if near else 0.0
        return push * dx - self._damping * velocity[0], push * dy - self._damping * velocity[1]

    def _foreseen(self, place: Place, velocity: Place, dynamics: Dynamics) -> tuple[Place, Place]:
        """Where the cursor will be now, as far as the user knows, and how fast.

        The commands that were given since it was where it is seen, as the decoder would move it that knew
        them.
        """
        x, y = place
        since = len(self._seen) - 1
        for command in list(self._commands)[self._delay - since :]:
            velocity = dynamics.after(velocity, command)
            x, y = x + velocity[0] * self._bin_width, y + velocity[1] * self._bin_width
        return (x, y), velocity
