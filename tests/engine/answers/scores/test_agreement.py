"""A decoder has the same scores live, offline and in calibration."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from engine.answers.prediction import PREDICTION
from engine.answers.predictions import Predictions
from engine.answers.scores.offline import rescore
from engine.answers.scores.scorer import Scorer
from engine.answers.scores.sent import Reference
from engine.bins import clock
from engine.calibration.frozen import answers, score
from engine.decoders import Decoder
from engine.decoders.bins import Bins
from engine.sources.recordings.recording import Recording
from tests.builders import play, replay_of, small_recording
from tests.engine.listening import PATIENCE, Keeper

RADIUS = 10.0


class TooFast(Decoder):
    """Says 3 mm/s too much in both directions, so that its cursor runs away unless it begins anew."""

    key = "too_fast"

    def __init__(self, recording: Recording) -> None:
        super().__init__(bin_rate=recording.bin_rate)
        self._velocities = iter(recording.kinematics[recording.observed, 2:])  # it is asked for those

    def predict(self, counts: Any, truth: Any = None) -> npt.NDArray[np.float64]:  # noqa: ARG002
        return np.concatenate(([math.nan, math.nan], next(self._velocities) + 3.0))


def recording() -> Recording:
    """Four reaches, and ten bins without an observation after each."""
    return small_recording(gaps=True)


def velocities(rows: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    """What the decoder says of those that are observed."""
    observed = rows[rows["observed"]]
    lines = np.zeros(len(observed), PREDICTION)
    lines["sequence_number"], lines["received"] = observed["sequence_number"], observed["due"] + 0.001
    lines["values"] = np.nan
    lines["values"][:, 2:] = observed["kinematics"][:, 2:] + 3.0
    return lines


def calibrated() -> tuple[float, float]:
    bins = Bins.of(recording())
    scores = score(bins, answers(TooFast(recording()), bins, "none", seed=0), "none")
    return scores.r2_position.mean, scores.rmse_position.mean


def test_velocities_of_observed_bins_alone_score_offline_as_in_calibration() -> None:
    rows = play(recording(), range(200))
    total = rescore(rows, velocities(rows), ["a"], Reference.of(recording()), RADIUS)["a"].total
    r2, rmse = calibrated()

    assert total.r2_position == pytest.approx(r2, rel=1e-6)
    assert rmse < 6.0  # 40 bins of 25 ms at 3 mm/s, in both directions


def test_velocities_of_observed_bins_alone_score_live_as_in_calibration() -> None:
    replay = replay_of(recording(), loop=False)
    predictions = Predictions(replay, news=lambda: scorer.news())
    scorer = Scorer(replay, predictions, lambda: RADIUS)
    replay.add_listener(scorer)
    try:
        keeper = Keeper(replay)
        for number in range(200):
            replay.step()
            keeper.wait_rows(number + 1)
            row = keeper.rows[-1]
            if row["observed"]:
                vx, vy = row["kinematics"][2:].tolist()
                predictions.receive("a", number, (math.nan, math.nan, vx + 3.0, vy + 3.0), clock.now())
        total = scorer.settle(PATIENCE).decoders["a"].total
        shown = predictions.decoded(keeper.rows)["a"]
    finally:
        replay.close()
        scorer.close()
    truth = recording().kinematics[:, :2]

    assert total.r2_position == pytest.approx(calibrated()[0], rel=1e-6)
    assert np.nanmax(np.abs(shown - truth)) < 6.0  # in the arena too
