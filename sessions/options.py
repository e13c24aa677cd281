"""What a session is made with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.bins.selection import EVERYTHING, Selection
from engine.deck.transport import Speed
from engine.stages.perturb.timetable import Step


@dataclass(frozen=True)
class Options:
    """What a session can be created with; None leaves it to the deployment's default."""

    recording: str | None = None
    source: str | None = None
    selection: Selection = EVERYTHING
    seed: int = 0
    speed: Speed = 1.0
    loop: bool = True
    lsl: bool | None = None
    perturbation: Mapping[str, Any] = field(default_factory=dict)
    timetable: tuple[Step, ...] = ()
    driver: str | None = None
    lockstep: bool = False
    closed_loop: Mapping[str, Any] = field(default_factory=dict)
