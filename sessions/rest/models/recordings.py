"""What the REST calls about recordings and trials answer."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from engine.bins.trials import Scalar
from sessions.rest.models.base import Answer, Number, known

Point = Annotated[list[float], Field(min_length=2, max_length=2)]
Wall = Annotated[list[float], Field(min_length=4, max_length=4)]
Column = Annotated[Scalar | None, BeforeValidator(known)]


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
    duration_seconds: float | None = Field(description="Null for a stream, as all that only a file has.")
    total_packets: int | None
    total_samples: int | None
    num_trials: int
    trial_count: int
    num_targets: int
    length_unit: str = Field(description="Of positions; velocities are per second.")
    synthetic: bool
    channel_ids: list[int]
    channel_names: list[str]
    count_dtype: Literal["uint8", "uint16"] = Field(description="Of the counts in the compact layout.")
    series: dict[str, Any] = Field(description="What was chosen for position and velocity, and why.")
    trial_tables: dict[str, Any] = Field(
        description="Which table of trials was taken, and which not, and why."
    )
    warnings: list[str] = Field(description="What in the file is doubtful, and what was done about it.")
    sha256: str | None


class VoltagesAnswer(Answer):
    """Voltages of electrodes in a recording's file."""

    model_config = ConfigDict(title="Voltages")

    name: str = Field(description="Of the series.")
    n_channels: int
    sampling_rate_hz: Number
    seconds: Number = Field(description="That they last, gaps left out.")
    microvolts_per_count: Number = Field(description="Null where voltages are rounded to counts.")
    truth: bool = Field(description="Whether the file's units tell which spikes are in them.")
    misfit: str | None = Field(description="Why no session can play them; null if one can.")


class RecordingMetadata(Metadata):
    """The facts of a recording."""

    voltages: VoltagesAnswer | None = Field(
        description="Those that a session with source `electrodes` plays; null where the file has none."
    )


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
    barrier_pos: list[Wall] = Field(
        description="The trial's barriers: x, y, half width and half height, in length units."
    )


class Trials(Answer):
    trials: list[TrialAnswer]
    count: int
    total_trials: int


class TrialsOfTarget(Answer):
    trials: list[TrialAnswer]
    count: int
    target_index: int
