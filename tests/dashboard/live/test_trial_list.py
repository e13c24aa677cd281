"""The trials of a recording in any order, with what decoders made of them."""

from __future__ import annotations

import math
from dataclasses import replace

from dashboard.live.trial_list import TrialList, errors, failures, passages
from engine.answers.scores.summary import TrialScore
from tests.builders import small_recording
from tests.dashboard.test_scores import GOOD

RECORDING = small_recording(2, 200, n_trials=5, gaps=True)
"""Of which trial 2 has failed."""
SCORES = {
    "best": {
        1: TrialScore(1, 40, True, replace(GOOD, rmse_position=3.0)),
        3: TrialScore(3, 120, False, replace(GOOD, rmse_position=1.0)),
        4: TrialScore(4, 160, None, replace(GOOD, rmse_position=math.nan)),
    },
    "other": {0: TrialScore(0, 0, False, GOOD)},
}
NAMES = ["best", "other"]
ERROR = 8
"""The column of the best decoder's error."""


def order(column: int, *, descending: bool = False, failures_first: bool = False) -> list[int]:
    trials = TrialList(RECORDING, SCORES)
    return trials.order(column, NAMES, descending=descending, failures_first=failures_first)


def test_passages_are_the_bins_of_trials() -> None:
    assert [(each.trial.trial_id, each.first, each.end) for each in passages(RECORDING)][:2] == [
        (0, 0, 32),
        (1, 40, 72),
    ]


def test_a_trial_fails_in_the_recording_or_with_the_best_decoder() -> None:
    assert failures(RECORDING, SCORES) == [2, 3]
    assert failures(RECORDING, {}) == [2]


def test_errors_are_shares_of_the_greatest_where_the_best_decoder_has_one() -> None:
    assert errors(RECORDING, SCORES) == [[1, 1.0], [3, 0.333]]
    assert errors(RECORDING, {}) == []


def test_a_line_has_the_trial_and_every_decoder() -> None:
    trials = TrialList(RECORDING, SCORES)
    assert trials.columns(NAMES)[ERROR] == "best: error"
    assert trials.values(1, NAMES) == [1, 1, True, 1.0, 0.8, True, None, 0.9, 3.0, None, None, None, None]


def test_trials_without_a_value_come_last_in_either_direction() -> None:
    assert order(ERROR) == [3, 1, 0, 2, 4]
    assert order(ERROR, descending=True) == [1, 3, 0, 2, 4]


def test_failures_come_first_on_demand_in_the_same_order() -> None:
    assert order(0, descending=True, failures_first=True) == [3, 2, 4, 1, 0]


def test_the_way_to_the_failures() -> None:
    trials = TrialList(RECORDING, SCORES)
    assert [trials.failure_away(bin_, 1) for bin_ in (0, 80, 119, 120)] == [2, 3, 3, None]
    assert [trials.failure_away(bin_, -1) for bin_ in (100, 112, 160, 199)] == [None, 2, 3, 3]
