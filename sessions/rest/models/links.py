"""What the REST calls about links answer."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, Field

from sessions.rest.models.base import Answer


class LinkAnswer(Answer):
    model_config = ConfigDict(title="Link")

    id: str
    session: str | None = Field(description="What it looks at; null of all sessions and their wall.")
    url: str
    created_at: datetime


class LinkList(Answer):
    links: list[LinkAnswer] = Field(description="The oldest first.")
    count: int


class LinkRevoked(Answer):
    status: Literal["revoked"]
    id: str
