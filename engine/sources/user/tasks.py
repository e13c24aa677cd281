"""What a simulated user is asked to do: targets, one after the other, and when one is acquired."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np
import param

from engine.sources.user.workspace import LENGTHS, Place, Workspace

WIDEST: Final = 1000.0
"""Radius of a target, as wide as a hit can be (`engine.view.View`)."""


class Task(param.Parameterized):
    """What is asked of the user. Lengths are in the recording's unit."""

    kind: Any = param.Selector(
        default="center_out",
        objects=["center_out", "center_out_and_back", "random", "recording"],
        constant=True,
        doc="`center_out`: each trial begins at the centre; `center_out_and_back`: the user returns there; "
        "`random`: from wherever the cursor is; `recording`: the recording's own targets, in their order, "
        "each from the centre.",
    )
    n_targets = param.Integer(
        default=8, bounds=(2, 64), constant=True, doc="On the circle of a center-out task."
    )
    distance = param.Number(
        default=90.0,
        bounds=LENGTHS,
        constant=True,
        doc="Of the targets from the centre; random ones are within it.",
    )
    radius = param.Number(
        default=15.0,
        bounds=(LENGTHS[0], WIDEST),
        constant=True,
        doc="Of a target.",
    )
    hold = param.Number(
        default=0.5,
        bounds=(0.0, 60.0),
        constant=True,
        doc="Seconds for which the cursor must stay within the target to acquire it.",
    )
    time_limit = param.Number(
        default=8.0,
        bounds=(0.1, 600.0),
        constant=True,
        doc="Seconds after which a trial has failed.",
    )
    autopilot = param.Number(
        default=0.0,
        bounds=(0.0, 1.0),
        constant=True,
        doc="Share of the user's intention, instead of the decoder's velocity, that moves the cursor in "
        "the first trials; 1 is without decoder.",
    )
    autopilot_trials = param.Integer(
        default=0, bounds=(0, 1_000_000), constant=True, doc="How many trials those are."
    )

    @property
    def settings(self) -> dict[str, Any]:
        """By name, as the class takes them."""
        return {name: value for name, value in self.param.values().items() if name != "name"}

    @classmethod
    def usual(cls, workspace: Workspace, **settings: Any) -> Task:
        """One whose targets are as far away as those of the recording, and a sixth of that in radius."""
        reach = _round(workspace.reach)
        distance = settings.get("distance", reach)
        return cls(**{"distance": distance, "radius": min(_round(distance / 6), WIDEST), **settings})

    def n_choices(self, workspace: Workspace) -> int:
        """Among how many targets the user chooses; 0 where they can be anywhere."""
        match self.kind:
            case "random":
                return 0
            case "recording":
                return len(set(workspace.targets))
            case _:
                return self.n_targets


class Aim(NamedTuple):
    """One trial's target, and where the cursor is put when it begins; None leaves it where it is."""

    target_id: int
    place: Place
    start: Place | None


def aims(task: Task, workspace: Workspace, rng: np.random.Generator) -> Iterator[Aim]:
    """The targets of a task, without end; the same generator gives the same ones."""
    return TASKS[task.kind](task, workspace, rng)


def center_out(task: Task, workspace: Workspace, rng: np.random.Generator) -> Iterator[Aim]:
    """All targets of a circle in random order, then again, each from the centre."""
    x, y = workspace.centre
    while True:
        for target in rng.permutation(task.n_targets).tolist():
            angle = 2 * math.pi * target / task.n_targets
            place = x + task.distance * math.cos(angle), y + task.distance * math.sin(angle)
            yield Aim(target, place, workspace.centre)


def center_out_and_back(task: Task, workspace: Workspace, rng: np.random.Generator) -> Iterator[Aim]:
    """The same, where the centre is a target itself, after each of the others."""
    start: Place | None = workspace.centre
    for aim in center_out(task, workspace, rng):
        yield aim._replace(start=start)
        yield Aim(task.n_targets, workspace.centre, None)
        start = None


def random_targets(task: Task, workspace: Workspace, rng: np.random.Generator) -> Iterator[Aim]:
    """Anywhere within the distance of the centre, but not where the target before was."""
    x, y = workspace.centre
    before = start = workspace.centre
    first = True
    while True:
        while math.dist(place := _within(x, y, task.distance, rng), before) < min(
            2 * task.radius, task.distance / 2
        ):
            pass
        yield Aim(0, place, start if first else None)
        before, first = place, False


def recorded_targets(task: Task, workspace: Workspace, rng: np.random.Generator) -> Iterator[Aim]:
    """Those of the recording's trials, in their order, then again; a circle where it has none."""
    if not workspace.targets:
        yield from center_out(task, workspace, rng)
    numbers = {place: i for i, place in enumerate(sorted(set(workspace.targets)))}
    while True:
        for place in workspace.targets:
            yield Aim(numbers[place], place, workspace.centre)


TASKS: Final[Mapping[str, Callable[[Task, Workspace, np.random.Generator], Iterator[Aim]]]] = (
    MappingProxyType(
        {
            "center_out": center_out,
            "center_out_and_back": center_out_and_back,
            "random": random_targets,
            "recording": recorded_targets,
        }
    )
)


def _within(x: float, y: float, distance: float, rng: np.random.Generator) -> Place:
    """A place within a circle, all of which are equally likely."""
    away, angle = distance * math.sqrt(rng.random()), 2 * math.pi * rng.random()
    return x + away * math.cos(angle), y + away * math.sin(angle)


def _round(value: float) -> float:
    return float(f"{value:.2g}")
