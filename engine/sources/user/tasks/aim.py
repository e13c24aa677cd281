"""One trial of a task, and how a task makes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from engine.bins.trials import Barrier
from engine.sources.user.workspace import Place, Workspace

if TYPE_CHECKING:
    from engine.sources.user.tasks import Task

THICK, LONG = 0.04, 0.25
"""Half the thickness and half the length of a wall across the way, as shares of the way."""


class Aim(NamedTuple):
    """One trial's target, the walls around it, and where the cursor is put when it begins.

    Attributes
    ----------
    start : tuple of float or None
        None leaves the cursor where it is.
    """

    target_id: int
    place: Place
    start: Place | None
    barriers: tuple[Barrier, ...] = ()


Aims = Callable[["Task", Workspace, np.random.Generator], Iterator[Aim]]
"""Makes the trials of a task, without end."""


def across(task: Task, start: Place, target: Place) -> tuple[Barrier, ...]:
    """The wall on the straight way, upright or level, whichever is more across it, if walls are wanted."""
    dx, dy = target[0] - start[0], target[1] - start[1]
    way = max(abs(dx), abs(dy))
    if not task.barriers or not way:
        return ()
    thick, long = THICK * way, LONG * way
    half = (thick, long) if abs(dx) >= abs(dy) else (long, thick)
    return (Barrier((start[0] + target[0]) / 2, (start[1] + target[1]) / 2, *half),)
