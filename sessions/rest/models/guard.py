"""What the REST calls about drift and safety answer."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field

from engine.answers.safety import Limits
from sessions.rest.models.base import Answer, Number
from sessions.rest.models.tuned import answer_model


class UnitDrift(Answer):
    """Of one unit; rates in Hz, null before the first second."""

    rate: Number = Field(description="Over the last 15 s.")
    reference: Number = Field(description="In the reference.")
    mean: Number = Field(description="Since the session's start.")
    change: Number = Field(
        description="Amplitude of the change: rate over reference, minus 1. Null if that was silent."
    )
    shift: Number = Field(description="The change of the log rate in standard deviations.")


class DriftAnswer(Answer):
    """The units against the reference. Defined in `drift.Detector`; seconds are of received bins."""

    model_config = ConfigDict(title="DriftOfUnits")

    alarm: bool
    shift: Number = Field(
        description="Root mean square of the units' shifts; null until the reference is complete."
    )
    alarm_at: float = Field(description="The shift at which an alarm begins.")
    shifted_units: int = Field(description="Units whose own shift is beyond that.")
    reference_seconds: int = Field(description="Of the reference so far.")
    reference_needed: int = Field(description="When it is complete.")
    hint: str | None = Field(description="What to do about an alarm, or why nothing is compared yet.")
    units: list[UnitDrift]


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


_limits: Any = answer_model(Limits, Answer)


class SafetyAnswer(_limits):  # type: ignore[misc]  # its fields are the limits too
    """What guards the cursors that are shown. Scores are of the predictions as they came."""

    model_config = ConfigDict(title="Safety")

    stopped: bool = Field(description="Whether an emergency stop is in force.")
    stopped_at: float | None = Field(description="Unix seconds.")
    decoders: dict[str, GuardedAnswer] = Field(description="By name.")
