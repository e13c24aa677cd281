"""All targets of a circle in random order, then again, each from the centre."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from engine.sources.user.tasks.aim import Aim, across
from engine.sources.user.workspace import Workspace

if TYPE_CHECKING:
    from engine.sources.user.tasks import Task


def center_out(task: Task, workspace: Workspace, rng: np.random.Generator) -> Iterator[Aim]:
    """Trials of the task, without end."""
    x, y = workspace.centre
    while True:
        for target in rng.permutation(task.n_targets).tolist():
            angle = 2 * math.pi * target / task.n_targets
            place = x + task.distance * math.cos(angle), y + task.distance * math.sin(angle)
            yield Aim(target, place, workspace.centre, across(task, workspace.centre, place))
