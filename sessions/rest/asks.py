"""What every request's model is made of."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class Ask(BaseModel):
    """A query or body; as it stands, one without any field."""

    body_alone: ClassVar[bool] = False
    """Whether a query means nothing beside a body; else it gives what the body leaves out."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Tuning(Ask):
    """Of what the engine lets a person tune: what is wrong with it is a bad setting."""
