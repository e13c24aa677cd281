"""The rows of the table that ranks decoders."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from dashboard.scores import score_tables
from engine.answers.scores.scorer import Scoreboard
from engine.answers.scores.summary import Summary, TrialScore
from engine.answers.scores.sums import Measures

NOTHING = Measures(**dict.fromkeys(Measures.__dataclass_fields__, math.nan))  # type: ignore[arg-type]
GOOD = replace(
    NOTHING,
    r2_position=0.9,
    r2_velocity=0.456,
    rmse_position=12.34,
    n_hits=3,
    n_trials=4,
    bit_rate=2.5,
    latency_p50_ms=1.234,
    latency_p99_ms=5.67,
    coverage=0.998,
)
WORSE = replace(GOOD, r2_position=-3.0)


BIN_RATE = 40.0


def summary(window: Measures, total: Measures, *trials: TrialScore, first: int = 0) -> Summary:
    return Summary(first, window, total, trials, np.empty((0, 2), np.float32), np.zeros(1, np.int64))


def tables_of(
    decoders: Mapping[str, Summary], marked: Sequence[str] = (), next_bin: int = 0
) -> dict[str, Any]:
    return score_tables(Scoreboard(decoders=decoders, next_bin=next_bin), BIN_RATE, marked)


def test_the_best_of_each_period_comes_first() -> None:
    decoders = {
        "unknown": summary(NOTHING, NOTHING),
        "late bloomer": summary(GOOD, WORSE),
        "steady": summary(WORSE, GOOD),
    }
    tables = tables_of(decoders, ["steady", "", "unknown", ""])
    assert [row[2] for row in tables["scores-window"]] == ["late bloomer", "steady", "unknown"]
    assert [row[2] for row in tables["scores-total"]] == ["steady", "late bloomer", "unknown"]
    assert [row[:2] for row in tables["scores-total"]] == [
        [{"mark": 1}, "1"],
        [{}, "2"],
        [{"mark": 3}, "3"],
    ]
    assert tables["scores-trial"] == []


def test_numbers_are_spelled_and_what_is_not_known_is_a_dash() -> None:
    ((*_, last),) = [tables_of({"a": summary(GOOD, NOTHING)})["scores-window"]]
    assert last[3:] == ["0.90", "0.46", "12.3", "3 / 4", "2.50", "1.2", "5.7", "100"]
    (row,) = tables_of({"a": summary(GOOD, replace(NOTHING, n_hits=0, n_trials=0))})["scores-total"]
    assert row[3:] == ["–", "–", "–", "0 / 0", "–", "–", "–", "–"]


def test_the_newest_trial_says_whether_it_was_a_hit() -> None:
    trials = [TrialScore(i, 40 * i, hit, GOOD) for i, hit in enumerate((True, None, False))]
    said = [tables_of({"a": summary(GOOD, GOOD, *trials[: n + 1])})["scores-trial"][0][6] for n in range(3)]
    assert said == ["0: hit", "1: –", "2: miss"]


def names(decoders: Mapping[str, Summary], next_bin: int, period: str) -> list[str]:
    return [row[2] for row in tables_of(decoders, next_bin=next_bin)[f"scores-{period}"]]


def test_who_joined_later_is_marked_where_that_means_other_bins() -> None:
    decoders = {"first": summary(WORSE, WORSE, first=10), "second": summary(GOOD, GOOD, first=490)}
    assert names(decoders, 600, "total") == ["second (from 12 s later on)", "first"]
    assert names(decoders, 600, "window") == ["second (from 7 s later on)", "first"]
    assert names(decoders, 2000, "window") == ["second", "first"]  # both answered all of these 10 s
    assert names(decoders, 2000, "total") == ["second (from 12 s later on)", "first"]


def test_who_joined_within_a_second_is_not_marked() -> None:
    decoders = {"first": summary(WORSE, WORSE, first=10), "second": summary(GOOD, GOOD, first=50)}
    assert names(decoders, 600, "total") == ["second", "first"]


def test_who_may_know_the_truth_is_marked() -> None:
    board = Scoreboard(decoders={"copy": summary(GOOD, GOOD), "blind": summary(WORSE, WORSE)})
    tables = score_tables(board, BIN_RATE, [], {"copy"})
    assert [row[2] for row in tables["scores-total"]] == ["† copy", "blind"]


def test_trial_of_its_own_is_marked() -> None:
    trials = [TrialScore(i, 100 * i, True, GOOD) for i in range(2)]
    decoders = {"a": summary(GOOD, GOOD, trials[0]), "b": summary(GOOD, GOOD, *trials)}
    assert names(decoders, 300, "trial") == ["a", "b (from 2 s later on)"]
