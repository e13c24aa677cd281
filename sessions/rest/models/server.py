"""What the REST calls about the server, its totals and its measurements answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import ConfigDict, Field

from engine.sinks.feeder import State as SinkState
from sessions.rest.models.base import Answer


class Home(Answer):
    service: str
    version: str
    endpoints: dict[str, str] = Field(description="What there is, by name.")


class Health(Answer):
    status: Literal["healthy", "degraded"] = Field(description="Degraded if a session's replay has failed.")
    version: str
    timestamp: datetime
    sessions: int
    active_sessions: int = Field(description="Those that play.")
    active_connections: int = Field(description="Decoders.")
    session_manager_initialized: Literal[True]
    model_loaded: bool = Field(description="Whether `POST /decode` has a model at hand.")
    buffer_size: int = Field(
        description="Newest bins of sessions that `POST /decode` has, at most 100 of each."
    )
    failed: list[str] = Field(description="Codes of the sessions that have failed.")
    sinks: list[str] = Field(
        description="Sinks that have failed, such as `lsl of CODE`, and brokers, such as `redis`."
    )
    sources: list[str] = Field(description="Live streams that are not there, such as `NAME of CODE`.")
    recording: str = Field(description="Name of the default recording.")


class OpenApi(Answer):
    """This document."""

    model_config = ConfigDict(extra="allow")

    openapi: str
    info: dict[str, Any]
    paths: dict[str, Any]
    components: dict[str, Any]


class LslStreaming(Answer):
    enabled: bool = Field(description="Whether sessions may have LSL outlets.")
    sessions: int = Field(description="Those that have.")


class Totals(Answer):
    """Over all sessions."""

    total_sessions: int
    max_sessions: int
    session_ttl: float = Field(description="Seconds without use or listener after which a session goes.")
    running_sessions: int
    active_connections: int
    total_created: int = Field(description="Sessions made since the server started.")
    packets_sent: int
    dropped_packets: int
    uptime_seconds: float


class Stats(Totals):
    """The totals, and the same where published clients read them."""

    session_manager: Totals
    lsl_streaming: LslStreaming


class SessionStats(Answer):
    session_code: str
    is_running: bool
    current_packet: int
    total_packets: int | None = Field(description="Of the recording.")
    elapsed_seconds: float = Field(description="Since the session was made.")
    active_connections: int


class Distribution(Answer):
    """Zeros where nothing was measured yet."""

    mean: float
    std: float
    p99: float
    max: float


class SinkAnswer(Answer):
    """Where a session's bins go beside its WebSockets, and how that does."""

    model_config = ConfigDict(title="SinkOfASession")

    name: str = Field(description="Such as `lsl`.")
    state: SinkState = Field(description="A sink that has failed is tried again, every 2 s at least.")
    since: float = Field(description="Unix seconds at which that began.")
    error: str | None = Field(description="Why it failed last.")
    lost: int = Field(description="Bins that it never got.")


class StreamAnswer(Answer):
    """A live stream that a session plays."""

    model_config = ConfigDict(title="LiveStream")

    name: str
    state: Literal["running", "gone", "changed", "waiting"] = Field(
        description="`waiting`: it has not been there yet. While it is gone or changed its bins are not "
        "observed; it is taken again when it is back."
    )
    since: float = Field(description="Unix seconds at which that began.")
    error: str | None = Field(description="In what it has changed, or what has failed.")
    late: int = Field(
        description="Samples that came when their bin had gone: counts are lost, spikes a bin off."
    )


class SessionMetrics(Answer):
    packets_sent: int
    dropped_packets: int = Field(description="Packets that decoders lost because they were slow.")
    late_ticks: int = Field(description="Packets sent a whole bin or more after they were due.")
    lost_time_seconds: float = Field(description="Given up because the replay was over 1 s late.")
    network_latency_ms: Distribution = Field(
        description="From due to handed to the last socket, without the delay of a jitter."
    )
    timing_error_ms: Distribution = Field(description="From due to sent by the replay, over the last 60 s.")
    memory_usage_mb: float = Field(description="The session's packets and selection.")
    sinks: list[SinkAnswer]
    stream: StreamAnswer | None = Field(description="What it plays, if that is no recording.")
    is_running: bool
    is_paused: bool
    connections: int


class ServerMetrics(Answer):
    total_sessions: int
    active_sessions: int = Field(description="Those that are running and not paused.")
    total_connections: int
    sessions: dict[str, SessionMetrics] = Field(description="By code.")
    waiting: dict[str, StreamAnswer] = Field(description="What others wait for, by their codes.")


class Metrics(Answer):
    timestamp: float = Field(description="Unix seconds.")
    service: str
    version: str
    metrics: ServerMetrics
