"""What the REST calls about safety answer."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from sessions.models import Answer, Number
from sessions.requests import LIMITS


class GuardedAnswer(Answer):
    """How the guard of one decoder's cursor does."""

    model_config = ConfigDict(title="GuardedCursor")

    held: bool = Field(description="Whether its cursor stands, for a stop or because it is silent.")
    silent: bool = Field(description="Whether its predictions have stopped.")
    x: Number = Field(description="Where its cursor is shown; null if nowhere.")
    y: Number
    slowed: int = Field(description="Predictions followed no faster than `max_speed`.")
    jumps: int = Field(description="Predictions not followed, being beyond `max_jump`.")
    not_finite: int = Field(description="Predictions not followed, being no finite place.")


class SafetyAnswer(Answer):
    """What guards the cursors that are shown. Scores are of the predictions as they came."""

    model_config = ConfigDict(title="Safety")

    stopped: bool = Field(description="Whether an emergency stop is in force.")
    stopped_at: float | None = Field(description="Unix seconds.")
    max_speed: float = Field(description=LIMITS["max_speed"])
    max_jump: float = Field(description=LIMITS["max_jump"])
    watchdog: float = Field(description=LIMITS["watchdog"])
    decoders: dict[str, GuardedAnswer] = Field(description="By name.")
