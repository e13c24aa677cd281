"""What the REST calls about sessions, and those that control one, answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import ConfigDict, Field

from engine.deck.transport import Speed, State
from engine.sources.electrodes.settings import ELSEWHERE, Electrodes
from engine.sources.user.cursor import Steering
from engine.sources.user.tasks import Task
from engine.sources.user.user import User
from engine.stages.detection.settings import Detection
from sessions.rest.models.base import Answer, Number
from sessions.rest.models.server import SinkAnswer, StreamAnswer, Totals
from sessions.rest.models.tuned import answer_model

_user: Any = answer_model(User, Answer)
_task: Any = answer_model(Task, Answer)
_steering: Any = answer_model(Steering, Answer)
_electrodes: Any = answer_model(Electrodes, Answer, without=ELSEWHERE)
_detection: Any = answer_model(Detection, Answer)


class Created(Answer):
    session_code: str
    stream_url: str = Field(description="WebSocket, JSON.")
    binary_url: str = Field(description="WebSocket, MessagePack.")
    dashboard_url: str
    created_at: datetime
    created: float = Field(description="Unix seconds.")
    message: str


class CreatedSeat(Created):
    """One of many sessions."""

    model_config = ConfigDict(title="CreatedSession")

    look_url: str = Field(description="Of a page that can only look, without the server's token.")


class CreatedMany(Answer):
    sessions: list[CreatedSeat]
    count: int
    wall_url: str = Field(description="Of the page that shows them all.")
    print_url: str = Field(description="Of the page to print: a card for each, with its address.")


class SteeringAnswer(_steering):  # type: ignore[misc]  # its fields are the steering's
    """How answers move the cursor."""

    model_config = ConfigDict(title="Steering")


class LegAnswer(Answer):
    """Milliseconds; null where nobody has gone that way."""

    model_config = ConfigDict(title="Leg")

    p50: Number
    p99: Number


class ClosedLoopAnswer(Answer):
    """A simulated user, and the cursor that a decoder moves."""

    model_config = ConfigDict(title="ClosedLoop")

    driver: str | None = Field(description="The decoder that moves the cursor; null before an answer.")
    lockstep: bool = Field(description="Whether each packet waits for the answer to the one before.")
    waits_for: str | None = Field(description="What the next packet waits for, of an answer.")
    fitted: float = Field(description="How far the fit of the neurons is, 0 to 1: packets wait for it.")
    encoding_units: int | None = Field(description="Units that encode the movement; null before the fit.")
    bits_per_spike: list[Number] | None = Field(
        description="Of each unit on trials that the fit has not seen (Pillow et al. 2008)."
    )
    user: _user
    task: _task
    steering: SteeringAnswer
    hand: bool | None = Field(description="Whether a person's hand is there; null of a simulated user.")
    way: dict[str, LegAnswer] = Field(
        description="How long each leg takes, over the newest 400 packets: `pointer`, to the server; "
        "`neurons`, from there to the packet; `whole`, both; `decoder`, from the packet's being due to the "
        "driver's answer; `cursor`, from there to the packet that has the cursor moved."
    )


class ElectrodesAnswer(_electrodes):  # type: ignore[misc]  # its fields are the electrodes'
    """Electrodes as they are set."""

    model_config = ConfigDict(title="Electrodes")


class DetectionSettings(_detection):  # type: ignore[misc]  # its fields are the detection's
    """How spikes are found, as it is set."""


class DetectedChannels(Answer):
    """The same of each channel; null where there was nothing to find, or nothing found."""

    threshold: list[Number]
    noise_uv: list[Number]
    recall: list[Number]
    precision: list[Number]
    timing_error_ms: list[Number]


class DetectionAnswer(Answer):
    """How spikes are found at electrodes; recall, precision and lateness are null without truth."""

    model_config = ConfigDict(title="Detection")

    threshold: Number = Field(description="Mean over channels, uV; below 0.")
    noise_uv: Number = Field(description="The same of the noise: median absolute value / 0.6745.")
    recall: Number = Field(description="Share of the true spikes of the newest 10 s that were found.")
    precision: Number = Field(description="Share of the found spikes that are true.")
    timing_error_ms: Number = Field(description="By how much found troughs are later than true ones.")
    channels: DetectedChannels


class FeaturedAnswer(Answer):
    """A bin's features: a row for each channel, null where it is left out."""

    model_config = ConfigDict(title="BinFeatures")

    sequence_number: int
    values: list[list[Number]] = Field(description="In the order of `names`.")


class FeaturesAnswer(Answer):
    """Features of bins that were sent."""

    model_config = ConfigDict(title="Features")

    names: list[str] = Field(
        description="Threshold crossings; spike-band power, the mean square of the filtered signal, uV^2; "
        "mean scores of the bin's waveforms by each component, uV."
    )
    bins: list[FeaturedAnswer]
    next: int = Field(description="To ask for by `since` next.")


class DriverAnswer(Answer):
    """Which decoder moves the cursor."""

    model_config = ConfigDict(title="Driver")

    driver: str | None = Field(description="Null until one answers.")


class SessionView(Answer):
    """One session."""

    session_code: str
    recording: str
    state: State | Literal["waiting"] = Field(
        description="`waiting`: for the stream that it plays; it is made, and plays, when that comes."
    )
    speed: Speed
    loop: bool
    seed: int
    source: str = Field(description="Where its bins come from.")
    stream: StreamAnswer | None = Field(description="The live stream that it plays; null of a recording.")
    closed_loop: ClosedLoopAnswer | None = Field(description="Of a simulated user; null of all else.")
    electrodes: ElectrodesAnswer | None = Field(description="How electrodes are set; null of all else.")
    detection_settings: DetectionSettings | None = Field(
        description="How spikes are found on them; null of all else."
    )
    detection: DetectionAnswer | None = Field(
        description="Of electrodes, 2 s after their first packet; null of all else."
    )
    can: list[str] = Field(description="What may be asked of it, such as `seek`.")
    lsl: bool = Field(description="Whether it has LSL outlets.")
    lsl_failed: bool = Field(description="Whether it was to have them, and they have failed.")
    sinks: list[SinkAnswer] = Field(description="Where its bins go beside WebSockets and pages.")
    created_at: datetime
    created: float = Field(description="The same in Unix seconds.")
    last_accessed: datetime
    last_active: float = Field(description="The same in Unix seconds.")
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
    selected_packets: int | None = Field(description="How many packets the selection has.")
    total_packets: int | None = Field(description="Of the recording; null where there is none.")
    position_seconds: float = Field(description="Since the recording's beginning.")
    duration_seconds: float | None = Field(description="Of the recording; null where there is none.")
    packets_sent: int


class ElsewhereAnswer(Answer):
    """A session of another server on the same Redis."""

    model_config = ConfigDict(title="SessionElsewhere")

    code: str
    server: str = Field(description="Its id.")
    recording: str
    created: float = Field(description="Unix seconds.")
    stream_url: str = Field(description="WebSocket, JSON.")
    binary_url: str = Field(description="WebSocket, MessagePack.")
    dashboard_url: str


class SessionList(Answer):
    sessions: dict[str, SessionView] = Field(description="By code.")
    total_sessions: int
    stats: Totals
    elsewhere: list[ElsewhereAnswer] = Field(description="Sessions of other servers on the same Redis.")


class Deleted(Answer):
    status: Literal["deleted"]
    message: str


class CleanedUp(Answer):
    cleaned_up: int
    message: str


class Done(Answer):
    status: Literal["paused", "resumed", "stopped", "stepped", "restarted"]
    session_code: str


class Sought(Answer):
    status: Literal["seeked"]
    session_code: str
    position_seconds: float
    packet_id: int


class PositionAnswer(Answer):
    """Where a session stands: the packet that comes next."""

    model_config = ConfigDict(title="Position")

    session_code: str
    position_seconds: float = Field(description="Since the recording's beginning.")
    current_index: int = Field(description="Within the selection.")
    packet_id: int = Field(description="Within the recording.")
    duration_seconds: float | None = Field(description="Of the recording; null where there is none.")
    is_playing: bool
    is_paused: bool


class EventAnswer(Answer):
    model_config = ConfigDict(title="Event")

    timestamp: float = Field(description="Unix seconds.")
    text: str = Field(description="Such as `pause`, `seek 400` or `perturbation noise`.")


class Events(Answer):
    """What was asked of a session and what was found out, oldest first; the newest 1,000 of each."""

    events: list[EventAnswer]
    count: int


class StartedAnswer(Answer):
    model_config = ConfigDict(title="StartedDecoder")

    name: str
    state: Literal["fitting", "running", "ended", "failed"]
    line: str = Field(description="What it said last; of one that failed, why.")


class LaunchedAnswer(Answer):
    model_config = ConfigDict(title="StartedDecoders")

    decoders: list[StartedAnswer]
    count: int
