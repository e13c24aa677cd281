"""What the REST calls about calibrations take and answer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from engine.broadband import MOST_CHANNELS
from engine.decoders import DECODERS
from sessions.calibrations import State
from sessions.rest.asks import Ask
from sessions.rest.models.base import Answer, Number
from sessions.rest.models.scores import FloorsAnswer
from sessions.rest.requests import Id, Theme

LEARNING = ", ".join(key for key, each in DECODERS.items() if each.learned)


class CalibrationAsk(Ask):
    """A decoder, and how it is trained and tested.

    Trials may be named: for training, for the test, or both; what is left out is all the others. If none
    are, a share of them is drawn, with the same number for each target position as far as they go.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"decoder": "wiener", "settings": {"lags": 5}}]}
    )

    recording: str | None = Field(None, description="By name; the first by name if left out.")
    session: str | None = Field(
        None,
        description="Code of a session, in place of `recording`: learn and test on what its decoders learn "
        "from, in a session of electrodes on what is found there.",
    )
    electrodes: Annotated[int, Field(ge=1, le=MOST_CHANNELS)] | None = Field(
        None,
        description="Learn and test on what is found on so many of the electrodes of `POST /decode`, whose "
        "units fire for the recording's movement.",
    )
    decoder: str = Field("wiener", description=f"One of {LEARNING}.")
    settings: dict[str, int | float] = Field(
        {}, description="Hyperparameters that differ from the defaults."
    )
    train_trials: list[Id] = Field([], description="Ids of the trials to learn from.")
    test_trials: list[Id] = Field([], description="Ids of the trials to test on.")
    train_share: float = Field(
        0.75, ge=0.05, le=0.95, description="Of the trials, for training, where none are named."
    )
    seed: int = Field(0, ge=0, le=2**63 - 1, description="Of the draw of trials, and of the perturbations.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.session is not None and (self.recording, self.electrodes) != (None, None):
            raise ValueError("A session has a recording and electrodes of its own. Send it without these.")
        return self


class GuidedAsk(Ask):
    """A decoder that learns in closed loop, and the blocks of trials that it learns from."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"decoder": "refit", "blocks": 3, "trials": 16}]}
    )

    decoder: str = Field("refit", description=f"One of {LEARNING}.")
    settings: dict[str, int | float] = Field(
        {}, description="Hyperparameters that differ from the defaults."
    )
    blocks: int = Field(
        3, ge=2, le=20, description="The first is under autopilot, or with the decoder that drives already."
    )
    trials: int = Field(16, ge=1, le=1000, description="Of each block.")


class BlockAnswer(Answer):
    model_config = ConfigDict(title="CalibrationBlock")

    driver: str = Field(description="The decoder that drove, or autopilot.")
    n_trials: int
    success: float = Field(description="Share of the targets that were acquired, 0 to 1.")
    seconds: Number = Field(description="Mean time to an acquired target, with the hold; null if none was.")


class GuidedAnswer(Answer):
    """A calibration in closed loop: how far it is, and how each block went."""

    model_config = ConfigDict(title="CalibrationInClosedLoop")

    state: Literal["collecting", "fitting", "done", "failed", "cancelled"]
    error: str | None = Field(description="Why it has failed.")
    decoder: str
    n_blocks: int
    n_trials: int = Field(description="Of each block.")
    driver: str = Field(description="Who drives in the present block: a decoder, or autopilot.")
    trials_done: int = Field(description="Of the present block.")
    blocks: list[BlockAnswer] = Field(description="Those that have ended.")


class FigureQuery(Ask):
    theme: Theme = "light"
    width: Annotated[int, Field(ge=300, le=4000)] = Field(1200, description="Pixels.")
    alone: bool = Field(
        default=False,
        description="Without the other decoders that learned and were tested on the same trials.",
    )


class TargetBalance(Answer):
    target_x: Number = Field(description="Null for trials without target.")
    target_y: Number
    train: int = Field(description="Trials that aim there.")
    test: int


class SplitAnswer(Answer):
    """Which trials are in which part. That they are apart was checked on the very bins of the run."""

    train_trials: list[int]
    test_trials: list[int]
    train_bins: int
    test_bins: int
    targets: list[TargetBalance] = Field(description="How the trials are spread over target positions.")
    shared_trials: int = Field(description="Trials in both parts: always 0.")
    shared_bins: int = Field(description="Bins in both parts: always 0.")
    bins_reaching_out: int = Field(
        description="Bins whose history leaves their own part, such as lags that reach from a test trial "
        "into the training trial before it: always 0."
    )


class MeasureAnswer(Answer):
    model_config = ConfigDict(title="Measure", from_attributes=True)

    mean: Number = Field(description="Over x and y.")
    x: Number
    y: Number


class R2Answer(MeasureAnswer):
    model_config = ConfigDict(title="R2", from_attributes=True)

    weighted: Number = Field(description="Both axes weighted by the variance of each.")
    moving: Number = Field(
        description="Mean of x and y in bins that are faster than a tenth of the speed that 99 % of the "
        "tested ones do not reach."
    )
    low: Number = Field(description="Of the 95 % interval of `mean`, over trials; null below 5.")
    high: Number


class ScoresAnswer(Answer):
    """One level of perturbation. Defined in `engine.calibration.frozen.Scores`."""

    model_config = ConfigDict(title="LevelScores", from_attributes=True)

    level: str
    n_bins: int = Field(description="Observed bins with known kinematics that the decoder answered.")
    coverage: float = Field(description="Their share of those that it could have answered.")
    r2_velocity: R2Answer = Field(description="Coefficient of determination.")
    r2_position: R2Answer
    rmse_velocity: MeasureAnswer = Field(description="Root mean square error, length units per second.")
    rmse_position: MeasureAnswer = Field(description="The same in length units.")


class ChoiceAnswer(Answer):
    """How a hyperparameter was chosen that was not set: on training trials left out of the fit, whole."""

    model_config = ConfigDict(title="Choice", from_attributes=True)

    name: str
    value: float = Field(description="That was chosen, and is among `settings`.")
    tried: list[float] = Field(
        description="Values that were compared; empty where that would have taken too long."
    )
    scores: list[float] = Field(
        description="R2 of each on the trials left out, mean over the columns that are predicted."
    )


class CalibrationAnswer(Answer):
    id: int
    state: State
    error: str | None = Field(description="Why it has failed.")
    progress: float = Field(description="From 0 to 1: fitting counts as one step, each level as one.")
    created_at: datetime
    recording: str
    length_unit: str
    decoder: str
    settings: dict[str, int | float | None] = Field(
        description="All hyperparameters; null of those that are yet to be chosen."
    )
    choices: list[ChoiceAnswer] = Field(
        description="Hyperparameters that were not set, and how they were chosen; empty before that."
    )
    seed: int
    split: SplitAnswer
    fit_seconds: Number = Field(description="Null before it has learned.")
    table: list[ScoresAnswer] = Field(description="By level; grows while it is tested.")
    floors: FloorsAnswer | None = Field(
        description="What scores on these trials without reading the brain; null before the last level is "
        "through."
    )
    note: str = Field(description="What frozen means for this decoder.")
    model_file: str | None = Field(
        description="A name for the model's file; null if the decoder has learned what cannot be kept."
    )
    command: str = Field(
        description="Runs the model on a session of this recording, or has it learn the same again."
    )


class CalibrationList(Answer):
    calibrations: list[CalibrationAnswer] = Field(description="The oldest first.")
    count: int
