"""The targets of the recording's trials, in their order, then again, each from the centre."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from engine.sources.user.tasks.aim import Aim, across
from engine.sources.user.tasks.center_out import center_out
from engine.sources.user.workspace import Workspace

if TYPE_CHECKING:
    from engine.sources.user.tasks import Task


def recorded(task: Task, workspace: Workspace, rng: np.random.Generator) -> Iterator[Aim]:
    """Trials of the task, without end; those of center-out where the recording has no targets."""
    if not workspace.targets:
        yield from center_out(task, workspace, rng)
    numbers = {place: i for i, place in enumerate(sorted(set(workspace.targets)))}
    walls = workspace.barriers if task.barriers and any(workspace.barriers) else None
    while True:
        for trial, place in enumerate(workspace.targets):
            barriers = walls[trial] if walls else across(task, workspace.centre, place)
            yield Aim(numbers[place], place, workspace.centre, barriers)
