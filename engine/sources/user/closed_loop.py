"""What a closed loop is made with, and its settings, which the recording scales."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.errors import BadSetting
from engine.sources.user.cursor import Steering
from engine.sources.user.tasks import Task
from engine.sources.user.user import PERSON, PRESETS, User
from engine.sources.user.workspace import Workspace
from engine.tuned import made


@dataclass(frozen=True)
class ClosedLoop:
    """What a closed loop is made with.

    Attributes
    ----------
    preset : str
        Of `PRESETS`.
    user, task, steering : mapping
        What differs from the usual `User`, `Task` and `Steering`.
    position, dispersed : bool
        As `Firing` has them.
    driver : str, optional
        The first decoder that answers, if None.
    lockstep : bool
    seed : int
    """

    preset: str = "skilled"
    user: Mapping[str, Any] = field(default_factory=dict)
    task: Mapping[str, Any] = field(default_factory=dict)
    steering: Mapping[str, Any] = field(default_factory=dict)
    position: bool = False
    dispersed: bool = False
    driver: str | None = None
    lockstep: bool = False
    seed: int = 0


def settings_of(workspace: Workspace, loop: ClosedLoop) -> tuple[User, Task, Steering]:
    """The user, the task and the steering of a closed loop.

    Raises
    ------
    BadSetting
        If one is unknown or out of bounds.
    """
    if loop.preset not in PRESETS:
        raise BadSetting(f"Unknown user {loop.preset[:80]!r}. There are {', '.join(PRESETS)}.")
    if loop.preset == PERSON and loop.lockstep:
        raise BadSetting("A person steers at a pace. Leave lockstep out, or send another user.")
    return (
        made(User, loop.user, lambda **given: User.usual(workspace, loop.preset, **given)),
        made(Task, loop.task, lambda **given: Task.usual(workspace, **given)),
        made(Steering, loop.steering),
    )
