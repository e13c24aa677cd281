"""What `POST /decode` takes and answers."""

from __future__ import annotations

from typing import Annotated, Final, Self

from pydantic import ConfigDict, Field, model_validator

from engine.broadband import MOST_CHANNELS
from sessions.rest.asks import Ask
from sessions.rest.models.base import Answer, Number

MOST_BINS: Final = 1000
DIRECTION: Final = 2
"""Numbers of an intention that is a direction."""

Count = Annotated[float, Field(ge=0, le=65535)]


class DecodeAsk(Ask):
    """What is decoded: one of `counts`, `session` and `movement_intention`; and by which model."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"counts": [[0, 2, 1, 0, 3], [1, 0, 0, 2, 1]], "model": "1"}],
        }
    )

    counts: list[Annotated[list[Count], Field(min_length=1)]] | None = Field(
        None, min_length=1, max_length=MOST_BINS, description="Bins, the oldest first, each of all units."
    )
    session: str | None = Field(None, description="Code of a session; its newest bins are decoded.")
    movement_intention: list[float] | None = Field(
        None,
        min_length=1,
        max_length=MOST_CHANNELS,
        description="Two numbers: a direction, of length 1 at most, which is a fast movement. Or one for "
        "each channel: modulations of its units, -1 to 1. Simulated electrodes have 100 ms for it.",
    )
    model: str | int | None = Field(
        None,
        description="`id` or `model_file` of a calibration; if left out, a Wiener filter that was "
        "calibrated on counts of the electrodes, or of the session.",
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = [self.counts, self.session, self.movement_intention]
        if sum(each is not None for each in given) != 1:
            raise ValueError("Send one of counts, session and movement_intention.")
        widths = sorted({len(row) for row in self.counts or ()})
        if len(widths) > 1:
            raise ValueError(
                f"Bins of counts have as many units each, not {widths[0]} and {widths[-1]}. "
                "Send a row of all units for each bin."
            )
        intention = self.movement_intention or []
        worst = max(map(abs, intention), default=0.0)
        if len(intention) != DIRECTION and worst > 1:
            raise ValueError(
                f"Modulations of movement_intention are -1 to 1, not {worst:g} in size. Scale them."
            )
        return self


class Decoded(Answer):
    x_velocity: Number = Field(description="In length units per second; null if the model has none.")
    y_velocity: Number
    x: Number = Field(description="In length units; null if the model has none.")
    y: Number
    spike_rate: float = Field(description="Mean over units of the bins that were decoded, Hz.")
    latency_ms: float = Field(description="From the request's turn to the answer; without the network.")
    model: str = Field(description="The model that decoded.")
    session_code: str | None = Field(description="The session that was decoded, if one was.")
