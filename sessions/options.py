"""What a session is made with."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.bins.selection import EVERYTHING, Selection
from engine.deck.transport import Speed
from engine.stages.perturb.timetable import Step
from sessions.refusals import Conflict


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
    electrodes: Mapping[str, Any] = field(default_factory=dict)
    detection: Mapping[str, Any] = field(default_factory=dict)

    def check_alike(self, made_with: Options, asked: Collection[str], code: str) -> None:
        """Refuse a session that was made with others, as far as these are asked for by name.

        Raises
        ------
        Conflict
        """
        other = [name for name in asked if getattr(self, name) != getattr(made_with, name)]
        if other:
            was = f"Session {code} was made with another {' and '.join(other)}."
            raise Conflict(f"{was} Choose another code, or delete it first.")
