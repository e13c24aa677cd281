"""What the models of answers share. Nothing is optional in an answer: what is missing is null."""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def known(value: Any) -> Any:
    """The value, None for a number that is not finite."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


Number = Annotated[float | None, BeforeValidator(known)]
"""Null where the recording has none; JSON knows no NaN."""


class Answer(BaseModel):
    status_code: ClassVar[int] = 200
    """Of HTTP."""

    model_config = ConfigDict(extra="forbid")


class ErrorDetail(Answer):
    code: str = Field(description="Short and stable, for programs.")
    message: str = Field(description="For people: the rule, the value and the way out.")


class Error(Answer):
    error: ErrorDetail
    detail: str = Field(description="The message again, where other clients look for it.")
