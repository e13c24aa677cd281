"""What a simulated user is asked to do: targets, one after the other, and when one is acquired.

One task a file, one line each here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import param

from engine.sources.user.tasks.aim import Aim, Aims
from engine.sources.user.tasks.center_out import center_out
from engine.sources.user.tasks.center_out_and_back import center_out_and_back
from engine.sources.user.tasks.random_targets import random_targets
from engine.sources.user.tasks.recorded import recorded
from engine.sources.user.workspace import LENGTHS, Workspace
from engine.tuned import Tuned

__all__ = ["TASKS", "Aim", "Task", "aims"]

TASKS: Final[Mapping[str, Aims]] = MappingProxyType(
    {
        "center_out": center_out,
        "center_out_and_back": center_out_and_back,
        "random": random_targets,
        "recording": recorded,
    }
)
"""By the `kind` of a `Task`."""

WIDEST: Final = 1000.0
"""Radius of a target, as wide as a hit can be (`engine.view.View`)."""


class Task(Tuned):
    """What is asked of the user. Lengths are in the recording's unit."""

    kind: Any = param.Selector(
        default="center_out",
        objects=list(TASKS),
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
    barriers = param.Boolean(
        default=False,
        constant=True,
        doc="Whether walls stand in the way, which the cursor cannot pass and the user goes round: those "
        "of the recording's trials if they are the task and tell of any (`barrier_pos`), else one across "
        "the way to each target.",
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


def aims(task: Task, workspace: Workspace, rng: np.random.Generator) -> Iterator[Aim]:
    """The trials of a task, without end; the same generator gives the same ones."""
    return TASKS[task.kind](task, workspace, rng)


def _round(value: float) -> float:
    return float(f"{value:.2g}")
