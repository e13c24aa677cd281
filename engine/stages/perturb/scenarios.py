"""Timetables with a name: days that a session goes through, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from engine.stages.perturb import DAYS
from engine.stages.perturb.timetable import Step

PACE: Final = 120.0
"""Seconds of each day, unless told otherwise."""


def days(seconds: float = PACE) -> list[Step]:
    """Day 0 to day 30: the presets of days, each for so many seconds of the session."""
    return [Step(i * seconds, {"preset": name}) for i, name in enumerate(DAYS)]


SCENARIOS: Final[dict[str, Callable[[float], list[Step]]]] = {"days": days}
