"""Perturbations that change by themselves, at seconds of the session that are known beforehand."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from engine.errors import BadSetting
from engine.stages.perturb import Perturbations
from engine.stages.perturb.base import LONGEST

MOST_STEPS: Final = 1000


@dataclass(frozen=True)
class Step:
    """One change.

    Attributes
    ----------
    at : float
        Seconds since the session began or was restarted: the number of bins before the first that is
        disturbed so, by the bin rate.
    perturbation : mapping
        As `engine.stages.perturb.Perturbations.change` takes it; what it does not name stays as it is.
    """

    at: float
    perturbation: Mapping[str, Any]


class Timetable:
    """Changes the perturbations of a session at the bins that its steps name, whatever the speed.

    Parameters
    ----------
    perturbations : Perturbations
    bin_rate : float
        Bins per second.

    Attributes
    ----------
    steps : tuple of Step
        In the order of their times.
    done : int
        How many of them have been taken.
    """

    def __init__(self, perturbations: Perturbations, bin_rate: float) -> None:
        self.steps: tuple[Step, ...] = ()
        self.done = 0
        self._perturbations = perturbations
        self._bin_rate = bin_rate
        self._before: Mapping[str, Any] = {}  # how all stood before the first step was taken

    def change(self, steps: Sequence[Step]) -> None:
        """Take other steps; those whose time is over are taken with the next bin.

        Raises
        ------
        BadSetting
            If one of them cannot be; then nothing has changed.
        """
        if len(steps) > MOST_STEPS:
            raise BadSetting(f"There are {len(steps)} steps. Send {MOST_STEPS} at most.")
        ordered = sorted(steps, key=lambda step: step.at)
        trial = copy.copy(self._perturbations)  # its changes are its own
        for step in ordered:
            if not 0.0 <= step.at <= LONGEST:
                raise BadSetting(f"A step is at {step.at:g} s. Send seconds from 0 to {LONGEST:.0f}.")
            trial.change(step.perturbation)
        self.steps, self.done = tuple(ordered), 0

    def rewind(self) -> None:
        """Begin again: what the steps have changed is as it was before the first of them."""
        if self.done:
            self._perturbations.change(self._before)
            self.done = 0

    def room(self, first: int) -> float:
        """How many bins from number `first` on are sent before the next step; infinity if none is left."""
        if self.done == len(self.steps):
            return math.inf
        return max(self._bin(self.steps[self.done]) - first, 0)

    def reach(self, first: int) -> int:
        """Take the steps that are due with bin number `first`; how many they were."""
        before = self.done
        while self.done < len(self.steps) and self._bin(self.steps[self.done]) <= first:
            if not self.done:
                self._before = self._perturbations.settings
            self._perturbations.change(self.steps[self.done].perturbation)
            self.done += 1
        return self.done - before

    def _bin(self, step: Step) -> int:
        return math.floor(step.at * self._bin_rate + 0.5)
