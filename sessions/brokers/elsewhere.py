"""Sessions of other servers on the same broker, and what is known of a server's own parts there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field

from engine.sinks.base import Sink, Subject
from sessions.store import Store


class Registered(BaseModel):
    """A session as it stands in the registry: its metadata, of which this much is needed."""

    model_config = ConfigDict(extra="ignore")

    server: str = Field(max_length=200)
    created: float
    dataset: str = Field(max_length=1000)


class Addresses(BaseModel):
    """Where other machines find a server."""

    model_config = ConfigDict(extra="ignore")

    stream_url: str = Field(pattern="^wss?://", max_length=1000)
    api_url: str = Field(pattern="^https?://", max_length=1000)
    dashboard_url: str = Field(pattern="^https?://", max_length=1000)


@dataclass(frozen=True)
class Elsewhere:
    """A session of another server."""

    code: str
    server: str
    recording: str
    created: float
    stream_url: str
    binary_url: str
    dashboard_url: str

    @classmethod
    def at(cls, code: str, session: Registered, server: Addresses) -> Elsewhere:
        return cls(
            code=code,
            server=session.server,
            recording=session.dataset,
            created=session.created,
            stream_url=f"{server.stream_url}/{code}",
            binary_url=f"{server.stream_url}/binary/{code}",
            dashboard_url=f"{server.dashboard_url}/live?session={code}",
        )


class Broker(Protocol):
    """A server's part in a broker, as REST tells of it."""

    @property
    def name(self) -> str: ...
    @property
    def fault(self) -> str | None:
        """What is wrong with it, in one line."""
        ...

    @property
    def others(self) -> Sequence[Elsewhere]:
        """Sessions of other servers."""
        ...


class PublishingBroker(Broker, Protocol):
    """A server's part in a broker, as the server sees it."""

    def sink(self, subject: Subject, /) -> Sink:
        """Make the sink of a session, in the thread that will drive it."""
        ...

    def start(self, store: Store, /) -> None:
        """Publish which sessions there are, and take predictions for them."""
        ...

    def close(self) -> None:
        """Leave; the store is to be closed before."""
        ...
