"""Targets anywhere within the distance of the centre, each from wherever the cursor is."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from engine.sources.user.tasks.aim import Aim, across
from engine.sources.user.workspace import Place, Workspace

if TYPE_CHECKING:
    from engine.sources.user.tasks import Task


def random_targets(task: Task, workspace: Workspace, rng: np.random.Generator) -> Iterator[Aim]:
    """Trials of the task, without end; none is where the target before was."""
    x, y = workspace.centre
    before = start = workspace.centre
    first = True
    while True:
        while math.dist(place := _within(x, y, task.distance, rng), before) < min(
            2 * task.radius, task.distance / 2
        ):
            pass
        yield Aim(0, place, start if first else None, across(task, before, place))
        before, first = place, False


def _within(x: float, y: float, distance: float, rng: np.random.Generator) -> Place:
    """A place within a circle, all of which are equally likely."""
    away, angle = distance * math.sqrt(rng.random()), 2 * math.pi * rng.random()
    return x + away * math.cos(angle), y + away * math.sin(angle)
