"""What the REST calls about predictions and scores answer."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from sessions.rest.models.base import Answer, Number

Interval = tuple[float, float]


def both_known(value: Any) -> Any:
    """The ends, None if there are none."""
    return None if value is not None and any(map(math.isnan, value)) else value


KnownInterval = Annotated[Interval | None, BeforeValidator(both_known)]
"""Low and high."""


class MeasuresAnswer(Answer):
    """Null where nothing can be said. Defined, with sources, in `engine.answers.scores.sums.Measures`."""

    model_config = ConfigDict(title="Measures", from_attributes=True)

    r2_position: Number = Field(description="Coefficient of determination, mean over x and y.")
    r2_velocity: Number
    rmse_position: Number = Field(description="In the recording's length unit.")
    rmse_velocity: Number = Field(description="In length units per second.")
    correlation_position: Number = Field(description="Pearson's, mean over x and y.")
    correlation_velocity: Number
    lag_ms: Number = Field(description="By which the decoder is behind, by cross-correlation.")
    angular_error_deg: Number = Field(
        description="Mean angle between predicted and true velocity, weighted by true speed."
    )
    n_trials: int = Field(description="Trials that it followed from the go cue on.")
    n_hits: int = Field(description="Trials in which its cursor came within the view's `hit_radius`.")
    time_to_target: Number = Field(description="Seconds from the go cue to the hit, mean over hits.")
    end_distance: Number = Field(description="From cursor to target at a trial's end, mean over trials.")
    path_efficiency: Number = Field(
        description="Straight distance over length of the path, mean over trials."
    )
    bit_rate: Number = Field(description="Fitts throughput (ISO 9241-411), bits per second.")
    success: Number = Field(
        description="Closed loop, of the decoder that moves the cursor: share of finished trials whose "
        "target was acquired, 0 to 1."
    )
    acquisition_time: Number = Field(description="Seconds from the go cue to the end of the hold, mean.")
    first_touch_time: Number = Field(description="Seconds from the go cue to the first touch, mean.")
    dial_in_time: Number = Field(
        description="Seconds from the first touch to the hold that succeeded, mean (Gilja et al. 2012)."
    )
    orbits: Number = Field(
        description="Times the cursor came into the target again after it had left it, mean over trials."
    )
    bit_rate_achieved: Number = Field(description="Nuyujukian et al. 2015, bits per second.")
    latency_p50_ms: Number = Field(description="From the bin's being due to its prediction's arrival.")
    latency_p99_ms: Number
    coverage: Number = Field(description="Share of the delivered, observed bins that were answered.")
    n_bins: int = Field(description="Bins scored.")
    on_time: int = Field(description="Predictions received before the next bin was due.")
    late: int = Field(description="Predictions received after that.")
    stale: int = Field(description="Predictions for bins that had left the ring; not scored.")
    duplicate: int = Field(description="Further predictions for the same bin; not scored.")
    missing: int = Field(description="Delivered, observed bins that have no prediction.")
    r2_position_x: Number = Field(description="Of one dimension.")
    r2_position_y: Number
    r2_velocity_x: Number
    r2_velocity_y: Number
    r2_position_weighted: Number = Field(
        description="Of both dimensions, weighted by the variance of each."
    )
    r2_velocity_weighted: Number
    r2_position_moving: Number = Field(
        description="In bins whose true speed is above the session's `moving_above`."
    )
    r2_velocity_moving: Number


class TrialScoreAnswer(Answer):
    model_config = ConfigDict(title="TrialScore", from_attributes=True)

    trial_id: int
    sequence_number: int = Field(description="Of the first packet of this passage that was answered.")
    hit: bool | None = Field(
        description="Null if it was not followed from the go cue on, or there is no target."
    )
    measures: MeasuresAnswer


class DecoderScores(MeasuresAnswer):
    """The measures since the decoder's first prediction; within, those of shorter times."""

    model_config = ConfigDict(title="DecoderScores")

    rank: int = Field(description="1 is the best, by R² of position over the last 10 s.")
    first_sequence_number: int = Field(description="The first packet that it answered.")
    joined_later: float = Field(
        description="Seconds by which that is later than the first decoder's, 0 up to 1 s. Where it is "
        "more, the measures since then are of other bins; those of `window` are of the same."
    )
    truth: bool = Field(
        description="Whether it may have been told true kinematics or intention: it did not connect with "
        "`truth=0`, or got its bins by another way than WebSocket and `bins`."
    )
    refused: int = Field(description="Predictions beyond the rate limit: neither kept nor scored.")
    r2_position_interval: KnownInterval = Field(
        description="95 % interval over the trials that have ended; null below 5."
    )
    r2_velocity_interval: KnownInterval
    r2_position_weighted_interval: KnownInterval
    r2_velocity_weighted_interval: KnownInterval
    window: MeasuresAnswer = Field(description="Over the last 10 s of recording.")
    trial: TrialScoreAnswer | None = Field(description="The newest trial that has ended.")
    trials: list[TrialScoreAnswer] = Field(description="The newest 20 of them, oldest first.")


class FloorAnswer(Answer):
    """Over trials that were not learned from."""

    model_config = ConfigDict(title="Floor", from_attributes=True)

    r2_position: Number
    r2_velocity: Number
    r2_position_weighted: Number
    r2_velocity_weighted: Number
    r2_position_interval: KnownInterval = Field(description="95 % interval over trials; null below 5.")
    r2_velocity_interval: KnownInterval


class FloorsAnswer(Answer):
    """What scores without reading the brain. Defined in `engine.calibration.floors.Floors`."""

    model_config = ConfigDict(title="Floors", from_attributes=True)

    no_spikes: FloorAnswer = Field(description="Knows the target and the time in the trial, and no spike.")
    delayed_truth: FloorAnswer = Field(description="The true kinematics of 100 ms before.")
    shuffled_units: FloorAnswer = Field(
        description="A Wiener filter that is not told which unit fired: each trial has its units in "
        "another order, in training and in test."
    )


class Scores(Answer):
    floors: FloorsAnswer | None = Field(
        description="Of the whole recording, undisturbed: found on its last quarter of trials, by what has "
        "learned from the others. Null while they are being found, and where the source is no recording."
    )
    moving_above: Number = Field(
        description="Speed above which a bin counts as one of movement, in length units per second: a "
        "tenth of the speed that 99 % of the recording's bins do not reach. Null where it is not known."
    )
    decoders: dict[str, DecoderScores] = Field(description="By name, the best first.")


class EstimateAnswer(Answer):
    model_config = ConfigDict(title="Estimate", from_attributes=True)

    mean: Number = Field(description="Over trials.")
    low: Number = Field(
        description="Of the 95 % interval, by bootstrap over trials; null for fewer than 5 trials."
    )
    high: Number
    n_trials: int


class PairAnswer(Answer):
    model_config = ConfigDict(title="Pair", from_attributes=True)

    one: str
    other: str
    difference: EstimateAnswer = Field(
        description="`one` minus `other`, over the trials of which both answered every bin."
    )
    p_value: Number = Field(
        description="Wilcoxon's signed-rank test of these differences, two-sided; null for fewer than 5."
    )


class Comparison(Answer):
    measure: str
    decoders: dict[str, EstimateAnswer] = Field(description="Over the newest 5,000 trials of each.")
    pairs: list[PairAnswer] = Field(description="Every two decoders.")


class SourceAnswer(Answer):
    model_config = ConfigDict(title="PredictionSource")

    decoder: str
    lsl: str = Field(description="Name of the LSL stream.")
    connected: bool
    error: str | None = Field(description="What was last wrong with what came.")


class Taken(Answer):
    """What became of a prediction."""

    model_config = ConfigDict(title="TakenPrediction")
    status_code = 202

    decoder: str = Field(description="The name under which it counts.")
    sequence_number: int
    verdict: Literal["on_time", "late", "stale", "duplicate"] = Field(
        description="`on_time`: before the next bin was due; `stale`, its bin has left the ring, and "
        "`duplicate`, it had one already, are not scored."
    )


class Sources(Answer):
    """LSL streams from which a session takes predictions."""

    sources: list[SourceAnswer]
    count: int
