"""Center-out, where the centre is a target itself, after each of the others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from engine.sources.user.tasks.aim import Aim
from engine.sources.user.tasks.center_out import center_out
from engine.sources.user.workspace import Place, Workspace

if TYPE_CHECKING:
    from engine.sources.user.tasks import Task


def center_out_and_back(task: Task, workspace: Workspace, rng: np.random.Generator) -> Iterator[Aim]:
    """Trials of the task, without end."""
    start: Place | None = workspace.centre
    for aim in center_out(task, workspace, rng):
        yield aim._replace(start=start)
        yield Aim(task.n_targets, workspace.centre, None, aim.barriers)
        start = None
