"""What the REST calls about runs answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import ConfigDict, Field

from sessions.rest.models.base import Answer
from sessions.rest.models.scores import MeasuresAnswer


class RunAnswer(Answer):
    model_config = ConfigDict(title="Run")

    run: int
    ended: datetime
    decoder: str
    session: str
    recording: str
    sha256: str | None = Field(description="Of the recording; null where the source was none.")
    source: str
    seed: int
    settings: dict[str, Any] = Field(description="Of the session at the end, as records have them.")
    scores: MeasuresAnswer
    notes: str
    tags: list[str]


class RunList(Answer):
    runs: list[RunAnswer] = Field(description="The newest first.")
    count: int


class RunDeleted(Answer):
    status: str
    run: int
