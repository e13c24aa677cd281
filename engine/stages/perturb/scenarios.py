"""Timetables with a name: days that a session goes through, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from engine.stages.perturb import DAYS
from engine.stages.perturb.timetable import Step

PACE: Final = 120.0
"""Seconds of each part, unless told otherwise."""


@dataclass(frozen=True)
class Scenario:
    """Presets that follow each other.

    Attributes
    ----------
    title : str
        For people.
    presets : sequence of str
    """

    title: str
    presets: Sequence[str]

    def steps(self, pace: float = PACE, at: float = 0.0) -> list[Step]:
        """Its timetable: a preset for each `pace` seconds of the session, from second `at` on."""
        return [Step(at + i * pace, {"preset": preset}) for i, preset in enumerate(self.presets)]


SCENARIOS: Final = {"days": Scenario("Day 0 to day 30", tuple(DAYS))}
