"""What clients may ask for: these models validate queries and bodies, and document themselves."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AliasChoices,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from engine.answers.prediction import checked_name
from engine.bins.selection import Selection
from engine.bins.trials import TrialEvent
from engine.deck.transport import MAX_SPEED, MIN_SPEED, checked_speed
from engine.errors import BadPrediction
from engine.moment import Plot
from engine.stages.perturb.base import LONGEST
from engine.stages.perturb.timetable import MOST_STEPS
from sessions.codes import RESERVED
from sessions.options import Options
from sessions.rest.asks import Ask
from sessions.rest.tuning import ClosedLoopAsk, DetectionAsk, ElectrodesAsk, PerturbationAsk, StepAsk

CODE_PATTERN = rf"^(?!({'|'.join(RESERVED)})$)[A-Za-z0-9_-]{{0,64}}$"
"""What the store checks; empty is as if left out."""
MAX_INDEX = 2**31 - 1
"""Packets and trials are counted in 32 bits."""

Index = Annotated[int, Field(ge=0, le=MAX_INDEX)]
Id = Annotated[int, Field(ge=-MAX_INDEX, le=MAX_INDEX)]
PacedOrMax = Annotated[
    Annotated[float, Field(ge=MIN_SPEED, le=MAX_SPEED)] | Literal["max"],
    BeforeValidator(checked_speed),
]
SPEED_DOC = "Times real time, or `max`: as fast as the listeners take it."


def _decoder(name: str) -> str:
    try:
        return checked_name(name)
    except BadPrediction as error:
        raise ValueError(str(error)) from None


def _parts(text: Any) -> Any:
    return [part for part in text.split(",") if part] if isinstance(text, str) else text


class SelectionAsk(Ask):
    """Which bins are played: OR within a field, AND across fields; what is left out asks for nothing."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"target_ids": [0], "begin": "go_cue"}]})

    trial_ids: list[Id] = Field([], description="Only these trials.")
    target_ids: list[Id] = Field([], description="Only trials that aim at these targets.")
    success: bool | None = Field(None, description="Only trials that ended so.")
    begin: TrialEvent = Field(
        "start",
        validation_alias=AliasChoices("begin", "from"),
        description="Event at which the part of each trial begins; `from` is understood too.",
    )
    begin_offset: float = Field(0.0, ge=-LONGEST, le=LONGEST, description="Seconds added to it.")
    end: TrialEvent = Field(
        "stop",
        validation_alias=AliasChoices("end", "to"),
        description="Event at which the part of each trial ends; `to` is understood too.",
    )
    end_offset: float = Field(0.0, ge=-LONGEST, le=LONGEST, description="Seconds added to it.")
    first_packet: int | None = Field(
        None, ge=0, le=2**53, description="Only packets from this `packet_id` on."
    )
    last_packet: int | None = Field(
        None, ge=0, le=2**53, description="Only packets up to this one, itself included."
    )

    def selection(self) -> Selection:
        values = self.model_dump(exclude={"trial_ids", "target_ids"})
        return Selection(_ids(self.trial_ids), _ids(self.target_ids), **values)


class CreateQuery(Ask):
    custom_code: str | None = Field(
        None,
        description="1 to 64 letters, digits, `_` or `-`. A readable one is made up if left out or empty.",
        json_schema_extra={"pattern": CODE_PATTERN},
    )


class OptionsAsk(Ask):
    """Options of a new session."""

    recording: str | None = Field(None, description="By name; the first by name if left out.")
    trial_ids: list[Id] = Field([], description="Play only these trials.")
    target_ids: list[Id] = Field([], description="Play only trials that aim at these targets.")
    seed: int = Field(0, ge=0, le=2**63 - 1, description="Of the perturbations: same seed, same packets.")
    speed: PacedOrMax = Field(1.0, description=SPEED_DOC)
    loop: bool = Field(True, description="Whether the first bin follows the last.")
    lsl: bool | None = Field(
        None,
        description="Whether it has LSL outlets. If left out, the first sessions of a server have them.",
    )
    perturbation: PerturbationAsk = Field(
        default_factory=PerturbationAsk, description="As `PUT /api/sessions/{code}/perturbation` takes it."
    )
    timetable: list[StepAsk] = Field(
        [],
        max_length=MOST_STEPS,
        description="As `steps` of `PUT /api/sessions/{code}/timetable`.",
    )
    source: str | None = Field(
        None,
        max_length=1000,
        description="Where its bins come from: `recording`, `user` (or `user:naive`, `user:noisy`, "
        "`user:person`), `electrodes` (or `electrodes:CHANNELS`), both as `user:electrodes` or "
        "`user:PRESET:electrodes:CHANNELS`, or `lsl:NAME`; the server's own if left out.",
    )
    driver: Annotated[str, AfterValidator(_decoder)] | None = Field(
        None,
        description="Of a closed loop: the decoder that moves the cursor; the first that answers if left "
        "out.",
    )
    lockstep: bool = Field(
        False,
        description="Of a closed loop, with speed `max` and not without: each packet waits for the "
        "driver's answer to the one before.",
    )
    closed_loop: ClosedLoopAsk = Field(
        default_factory=lambda: ClosedLoopAsk.model_validate({}),
        description="What differs from the usual in a closed loop.",
    )
    electrodes: ElectrodesAsk = Field(
        default_factory=lambda: ElectrodesAsk.model_validate({}),
        description="Of source `electrodes`: whose voltages, tissue, noise and bad channels.",
    )
    detection: DetectionAsk = Field(
        default_factory=lambda: DetectionAsk.model_validate({}),
        description="Of source `electrodes`: how spikes are found.",
    )

    def options(self) -> Options:
        return Options(
            recording=self.recording,
            source=self.source,
            selection=Selection(_ids(self.trial_ids), _ids(self.target_ids)),
            seed=self.seed,
            speed=self.speed,
            loop=self.loop,
            lsl=self.lsl,
            perturbation=self.perturbation.model_dump(exclude_unset=True),
            timetable=tuple(each.step() for each in self.timetable),
            driver=self.driver,
            lockstep=self.lockstep,
            closed_loop=self.closed_loop.model_dump(exclude_unset=True),
            electrodes=self.electrodes.model_dump(exclude_unset=True),
            detection=self.detection.model_dump(exclude_unset=True),
        )

    def asked(self) -> set[str]:
        """The fields of `Options` that the client named."""
        named = self.model_fields_set - {"custom_code"}
        ids = named & {"trial_ids", "target_ids"}
        return named - ids | ({"selection"} if ids else set())


class Create(OptionsAsk, CreateQuery):
    """Options of a new session, and its code."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"custom_code": "my-run", "speed": 2.0}]})


class CreateMany(OptionsAsk):
    """How many sessions, and their options."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"count": 40, "prefix": "class"}]})

    count: int = Field(40, ge=1, le=100)
    prefix: str = Field(
        "class",
        pattern=r"^[A-Za-z0-9_-]{1,60}$",
        description="What their codes begin with; 1 to 60 letters, digits, `_` or `-`.",
    )


class LinkAsk(Ask):
    model_config = ConfigDict(json_schema_extra={"examples": [{"session": None}]})

    session: str | None = Field(description="By its code; all sessions and their wall if null.")


class DeleteQuery(Ask):
    force: bool = Field(False, description="Delete even while decoders are connected.")


class RecordingQuery(Ask):
    recording: str | None = Field(None, description="By name; the first by name if left out.")


class TrialsQuery(Ask):
    trial_ids: Annotated[tuple[Id, ...], BeforeValidator(_parts)] = Field(
        (), description="Ids with commas between them, or a parameter each; every bin if left out."
    )


class BinsQuery(TrialsQuery, RecordingQuery):
    pass


class SeekQuery(Ask):
    packet_id: Index | None = Field(None, description="Index of the bin in the recording.")
    position_seconds: float | None = Field(
        None, ge=0, description="Seconds since the recording's beginning, metadata's `start_time`."
    )
    trial_id: Id | None = Field(None, description="The first selected bin of this trial.")


class Seek(SeekQuery):
    """Where to go: one of the three. A body goes before a query."""

    body_alone = True
    model_config = ConfigDict(json_schema_extra={"examples": [{"trial_id": 3}], "maxProperties": 1})

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len(self.model_dump(exclude_none=True)) != 1:
            raise ValueError("Send one of packet_id, position_seconds and trial_id.")
        return self


class SpeedAsk(Ask):
    model_config = ConfigDict(json_schema_extra={"examples": [{"speed": 2.0}]})

    speed: PacedOrMax = Field(description=SPEED_DOC)


class DriverAsk(Ask):
    model_config = ConfigDict(json_schema_extra={"examples": [{"driver": "kalman"}]})

    driver: Annotated[str, AfterValidator(_decoder)] | None = Field(
        description="The decoder that moves the cursor, there already or not; null: the next that answers."
    )


class LoopAsk(Ask):
    model_config = ConfigDict(json_schema_extra={"examples": [{"loop": False}]})

    loop: bool = Field(description="Whether the first bin follows the last.")


class RecordAsk(Ask):
    """How to record; the body of an unencrypted request is readable on the way."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "baseline"}]})

    name: str | None = Field(
        None, description="The record's name begins with it; the session's code if left out."
    )
    encrypt: bool | None = Field(
        None, description="If left out, it is encrypted if there is a passphrase, here or on the server."
    )
    passphrase: str | None = Field(
        None, min_length=1, max_length=1024, description="The server's own if left out."
    )
    voltages: bool = Field(
        False,
        description="Whether to record voltages, too, of a session with electrodes. 96 channels take about "
        "208 MB a minute, in the NWB file and until that is made.",
    )


class RunsQuery(Ask):
    decoder: str | None = Field(None, description="Runs of this one alone.")
    recording: str | None = Field(None, description="Runs on this one alone, by its name.")
    tag: str | None = Field(None, description="Runs with this tag alone.")
    limit: int = Field(1000, ge=1, le=100_000, description="The newest so many.")


Tag = Annotated[str, Field(min_length=1, max_length=64)]


class RunAsk(Ask):
    model_config = ConfigDict(json_schema_extra={"examples": [{"tags": ["baseline"]}]})

    notes: str | None = Field(None, max_length=10_000)
    tags: list[Tag] | None = Field(None, max_length=32)


class TableQuery(Ask):
    table: Literal["bins", "predictions", "events"] = Field(
        "bins", description="One line a packet, prediction or event."
    )


class BinsSinceQuery(Ask):
    since: int | None = Field(
        None, ge=0, le=2**53, description="Sequence number of the first; the next to be sent if left out."
    )
    decoder: Annotated[str, AfterValidator(_decoder)] | None = Field(
        None, description="What the decoder that asks is called: the name is held while it asks."
    )
    wait: float = Field(10.0, ge=0, le=10, description="Seconds at most until the answer.")
    truth: bool = Field(True, description="Whether kinematics, intention and what is intended are told.")


class FeaturesQuery(Ask):
    since: int | None = Field(
        None, ge=0, le=2**53, description="Sequence number of the first; the newest bin if left out."
    )


class PredictionQuery(Ask):
    sequence_number: int | None = Field(None, description="Of the bin that is answered.")
    decoder: str | None = Field(
        None, description="What the decoder is called; if left out, as its stream, or by a made-up name."
    )
    x: float | None = Field(None, description="In the recording's length unit.")
    y: float | None = None
    vx: float | None = Field(None, description="In length units per second.")
    vy: float | None = None


class PredictionAsk(PredictionQuery):
    """A prediction, with `sequence_number`, or an LSL stream of them, with `lsl`: one of the two."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"lsl": "my-decoder"}]})

    lsl: str | None = Field(None, min_length=1, max_length=200, description="Name of the stream.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.lsl is None) == (self.sequence_number is None):
            raise ValueError("Send one of sequence_number, with its x, y, vx, vy, and lsl.")
        if self.lsl is not None and self.model_fields_set & {"x", "y", "vx", "vy"}:
            raise ValueError("A stream brings its own values. Send lsl and decoder alone.")
        return self


class DecoderAsk(Ask):
    """A decoder to start."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"decoder": "kalman"}]})

    decoder: str = Field(description="As `serve.py decode --decoder` has it.")


ComparedMeasure = Literal[
    "r2_position",
    "r2_velocity",
    "r2_position_weighted",
    "r2_velocity_weighted",
    "r2_position_moving",
    "r2_velocity_moving",
    "rmse_position",
    "rmse_velocity",
    "correlation_position",
    "correlation_velocity",
    "angular_error_deg",
    "time_to_target",
    "end_distance",
    "path_efficiency",
    "acquisition_time",
    "first_touch_time",
    "dial_in_time",
    "orbits",
]
"""Of a trial, as `engine.answers.scores.sums.Measures` names them."""


class ComparisonQuery(Ask):
    measure: ComparedMeasure = "r2_position"


class SourceQuery(Ask):
    decoder: str | None = Field(None, description="Only this one; all if left out.")


class MetricsQuery(Ask):
    format: Literal["json", "prometheus"] | None = Field(
        None, description="By the `Accept` header if left out."
    )


Theme = Literal["light", "dark"]


class WindowQuery(Ask):
    seconds: float = Field(10.0, ge=1, le=60, description="Of recording, up to the newest packet.")


class SnapshotQuery(WindowQuery):
    plots: Annotated[tuple[Plot, ...], BeforeValidator(_parts)] = Field(
        (), description="Names with commas between them; all if left out."
    )
    theme: Theme = "light"
    width: int = Field(1200, ge=300, le=4000, description="Pixels; a PDF has the layout that suits them.")


def _ids(values: list[int]) -> tuple[int, ...]:
    return tuple(sorted(set(values)))
