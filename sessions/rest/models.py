"""What the REST calls answer. Nothing is optional in an answer: what is missing is null."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Annotated, Any, Literal

import param
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, create_model

from engine.perturb import MODELS
from engine.recording import Scalar
from engine.selection import TrialEvent
from engine.speed import Speed
from engine.transport import State
from engine.view import View
from sessions.archive import EntryState
from sessions.tape import TapeState


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


Number = Annotated[float | None, BeforeValidator(_known)]
"""Null where the recording has none; JSON knows no NaN."""
Point = Annotated[list[float], Field(min_length=2, max_length=2)]
Column = Annotated[Scalar | None, BeforeValidator(_known)]


class Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ErrorFacts(Answer):
    code: str = Field(description="Short and stable, for programs.")
    message: str = Field(description="For people: the rule, the value and the way out.")


class Error(Answer):
    error: ErrorFacts
    detail: str = Field(description="The message again, where other clients look for it.")


class Home(Answer):
    service: str
    version: str
    endpoints: dict[str, str] = Field(description="What there is, by name.")


class Health(Answer):
    status: Literal["healthy", "degraded"] = Field(description="Degraded if a session's replay has failed.")
    version: str
    timestamp: datetime
    sessions: int
    failed: list[str] = Field(description="Codes of the sessions that have failed.")
    recording: str = Field(description="Name of the default recording.")


class OpenApi(Answer):
    """This document."""

    model_config = ConfigDict(extra="allow")

    openapi: str
    info: dict[str, Any]
    paths: dict[str, Any]
    components: dict[str, Any]


class RecordingList(Answer):
    recordings: list[str] = Field(description="Names, as `recording` takes them.")
    count: int
    default: str


class Metadata(Answer):
    """The facts of a recording; a stream's first message has them too."""

    dataset: str
    num_channels: int
    channel_count: int
    frequency_hz: float
    sampling_rate_hz: float
    bin_size_ms: float
    start_time: float = Field(description="Start of packet 0 in the file's seconds.")
    duration_seconds: float
    total_packets: int
    total_samples: int
    num_trials: int
    trial_count: int
    num_targets: int
    length_unit: str = Field(description="Of positions; velocities are per second.")
    synthetic: bool
    channel_ids: list[int]
    channel_names: list[str]
    count_dtype: Literal["uint8", "uint16"] = Field(description="Of the counts in the compact layout.")
    series: dict[str, Any] = Field(description="What was chosen for position and velocity, and why.")
    sha256: str


class TrialAnswer(Answer):
    """One trial, with the other columns of the file's trial table. Times are the file's seconds."""

    model_config = ConfigDict(extra="allow", title="Trial")
    __pydantic_extra__: dict[str, Column]

    trial_id: int
    start_time: float
    stop_time: float
    target_on_time: Number
    go_cue_time: Number
    move_onset_time: Number
    success: bool | None
    target_id: int | None = Field(description="Index within the trial's own targets.")
    active_target: int | None
    target_x: Number
    target_y: Number
    num_targets: int
    target_pos: list[Point] = Field(description="The trial's targets.")


class Trials(Answer):
    trials: list[TrialAnswer]
    count: int
    total_trials: int


class TrialsOfTarget(Answer):
    trials: list[TrialAnswer]
    count: int
    target_index: int


class Created(Answer):
    session_code: str
    stream_url: str = Field(description="WebSocket, JSON.")
    binary_url: str = Field(description="WebSocket, MessagePack.")
    dashboard_url: str
    created_at: datetime
    created: float = Field(description="Unix seconds.")
    message: str


class SessionView(Answer):
    """One session."""

    session_code: str
    recording: str
    state: State
    speed: Speed
    loop: bool
    seed: int
    lsl: bool = Field(description="Whether it has LSL outlets.")
    created_at: datetime
    last_accessed: datetime
    age_seconds: float
    idle_seconds: float = Field(description="0 while somebody listens.")
    active_connections: int = Field(description="Decoders.")
    connections: int
    pages: int = Field(description="Dashboards that watch.")
    lsl_listened: bool = Field(description="Whether its LSL outlets have consumers.")
    dropped_packets: int = Field(description="Packets that decoders lost because they were slow.")
    error: str | None = Field(description="Why it has failed.")
    is_running: bool = Field(description="Whether a run is under way, paused or not.")
    is_paused: bool
    current_packet: int = Field(description="The next packet's index in the recording.")
    current_index: int = Field(description="The same within the selection.")
    selected_packets: int = Field(description="How many packets the selection has.")
    total_packets: int = Field(description="Of the recording.")
    position_seconds: float = Field(description="Since the recording's beginning.")
    duration_seconds: float = Field(description="Of the recording.")
    packets_sent: int


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


class SessionList(Answer):
    sessions: dict[str, SessionView] = Field(description="By code.")
    total_sessions: int
    stats: Totals


class Deleted(Answer):
    status: Literal["deleted"]
    message: str


class CleanedUp(Answer):
    cleaned_up: int
    message: str


class Done(Answer):
    status: Literal["paused", "resumed", "stopped", "stepped"]
    session_code: str


class StartedAnswer(Answer):
    model_config = ConfigDict(title="StartedDecoder")

    name: str
    state: Literal["fitting", "running", "ended", "failed"]
    line: str = Field(description="What it said last; of one that failed, why.")


class LaunchedAnswer(Answer):
    model_config = ConfigDict(title="StartedDecoders")

    decoders: list[StartedAnswer]
    count: int


class RecordAnswer(Answer):
    """The newest record of a session."""

    model_config = ConfigDict(title="Record")

    session_code: str
    state: TapeState | Literal["off"] = Field(
        description="`finishing` while the NWB file is made; `off` if there is no record."
    )
    name: str | None = Field(description="Of the record, as `/api/records` takes it.")
    encrypted: bool
    bins: int = Field(description="Packets recorded.")
    seconds: float = Field(description="The same, of recording.")
    bytes: int = Field(description="On the disk.")
    lost: int = Field(description="Packets that were gone before they could be recorded.")
    error: str | None = Field(description="Why it has failed. The session goes on.")


class RecordEntry(Answer):
    name: str
    state: EntryState = Field(
        description="`unfinished` while it is written, or until the server finishes it."
    )
    encrypted: bool = Field(description="Known of finished ones.")
    bytes: int
    modified: datetime


class RecordList(Answer):
    records: list[RecordEntry]
    count: int


class EventAnswer(Answer):
    model_config = ConfigDict(title="Event")

    timestamp: float = Field(description="Unix seconds.")
    text: str = Field(description="Such as `pause`, `seek 400` or `perturbation noise`.")


class Events(Answer):
    """What was asked of a session and what was found out, oldest first; the newest 1,000 of each."""

    events: list[EventAnswer]
    count: int


class Sought(Answer):
    status: Literal["seeked"]
    session_code: str
    position_seconds: float
    packet_id: int


class PositionAnswer(Answer):
    """Where a session stands: the packet that comes next."""

    model_config = ConfigDict(title="Position")

    position_seconds: float = Field(description="Since the recording's beginning.")
    current_index: int = Field(description="Within the selection.")
    packet_id: int = Field(description="Within the recording.")
    duration_seconds: float = Field(description="Of the recording.")
    is_playing: bool
    is_paused: bool


class SelectionAnswer(Answer):
    """What is in force. Sending it back changes nothing but the position."""

    model_config = ConfigDict(title="Selection")

    trial_ids: list[int]
    target_ids: list[int]
    success: bool | None
    begin: TrialEvent
    begin_offset: float
    end: TrialEvent
    end_offset: float


class SpeedAnswer(Answer):
    model_config = ConfigDict(title="Speed")

    speed: Speed


class LoopAnswer(Answer):
    model_config = ConfigDict(title="Loop")

    loop: bool


class SessionStats(Answer):
    session_code: str
    is_running: bool
    current_packet: int
    total_packets: int = Field(description="Of the recording.")
    elapsed_seconds: float = Field(description="Since the session was made.")
    active_connections: int


class Distribution(Answer):
    """Zeros where nothing was measured yet."""

    mean: float
    std: float
    p99: float
    max: float


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
    is_running: bool
    is_paused: bool
    connections: int


class MetricsFacts(Answer):
    total_sessions: int
    active_sessions: int = Field(description="Those that are running and not paused.")
    total_connections: int
    sessions: dict[str, SessionMetrics] = Field(description="By code.")


class Metrics(Answer):
    timestamp: float = Field(description="Unix seconds.")
    service: str
    version: str
    metrics: MetricsFacts


def _kind(parameter: Any) -> Any:
    if isinstance(parameter, param.List):
        return list[parameter.item_type]
    plain_number = isinstance(parameter, param.Number) and not isinstance(parameter, param.Integer)
    return float if plain_number else type(parameter.default)


def _parameters(model: type[param.Parameterized]) -> type[Answer]:
    fields: dict[str, Any] = {
        name: (_kind(parameter), Field(description=parameter.doc))
        for name, parameter in model.param.objects("existing").items()
        if name != "name"
    }
    return create_model(model.__name__, __base__=Answer, __doc__=model.__doc__, **fields)


_models: dict[str, Any] = {model.key: (_parameters(model), ...) for model in MODELS}

PerturbationAnswer = create_model(
    "Perturbation",
    __base__=Answer,
    __doc__="Every model with its parameters. Sending it back changes nothing.",
    **_models,
)

ViewAnswer = _parameters(View)
