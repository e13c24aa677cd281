"""Scores of decoders, as bins and predictions come in."""

from __future__ import annotations

from dataclasses import asdict, fields

import numpy as np
import pytest

from engine.answers.scores.board import Board
from engine.answers.scores.offline import rescore
from engine.answers.scores.sent import Reference
from engine.answers.scores.summary import Summary
from engine.answers.scores.sums import Measures
from engine.bins.answered import Verdict
from engine.bins.schema import Rows
from engine.sources.recordings.recording import Recording
from tests.builders import small_recording
from tests.engine.answers.scores.answering import LATENCY, answers, line, sent

CAPACITY = 2400
RADIUS = 10.0
FOREVER = 1e9
"""A time at which everything is overdue."""


@pytest.fixture
def recording() -> Recording:
    """Four trials of 50 bins: go cue at their bin 15, within 10 mm of the target from bin 45 on."""
    return small_recording()


def board(recording: Recording) -> Board:
    return Board(Reference.of(recording), CAPACITY)


def summary(recording: Recording, rows: Rows, lines: Rows, now: float = FOREVER) -> Summary:
    made = board(recording)
    made.advance(rows, lines, RADIUS, now)
    return made.summaries()[0]


def assert_equal(one: Measures, other: Measures) -> None:
    for field in fields(Measures):
        a, b = getattr(one, field.name), getattr(other, field.name)
        assert a == pytest.approx(b, rel=1e-9, abs=1e-9, nan_ok=True), field.name


def assert_same(one: Summary, other: Summary) -> None:
    assert_equal(one.window, other.window)
    assert_equal(one.total, other.total)
    assert [(t.trial_id, t.sequence_number, t.hit) for t in one.trials] == [
        (t.trial_id, t.sequence_number, t.hit) for t in other.trials
    ]
    for a, b in zip(one.trials, other.trials, strict=True):
        assert_equal(a.measures, b.measures)
    np.testing.assert_array_equal(one.errors, other.errors)


# A decoder that knows the truth


def test_true_answers_are_perfect(recording: Recording) -> None:
    rows = sent(recording, range(200))
    total = summary(recording, rows, answers(rows)).total
    assert (total.r2_position, total.r2_velocity) == (1.0, 1.0)
    assert (total.rmse_position, total.rmse_velocity, total.lag_ms) == (0.0, 0.0, 0.0)
    assert (total.n_bins, total.on_time, total.missing, total.coverage) == (200, 200, 0, 1.0)
    assert total.latency_p50_ms == pytest.approx(1000 * LATENCY, rel=0.01)
    assert total.angular_error_deg == pytest.approx(0.0, abs=1e-3)


def test_trials_end_with_a_score_of_their_own(recording: Recording) -> None:
    rows = sent(recording, range(160))
    made = board(recording)
    finished = made.advance(rows, answers(rows), RADIUS, FOREVER)
    assert [(decoder, trial.trial_id, trial.hit) for decoder, trial in finished] == [
        (0, 0, True),
        (0, 1, True),
        (0, 2, True),
    ]
    first = finished[0][1].measures
    assert first.time_to_target == pytest.approx((45 - 15 + 1) * 0.025)
    assert first.path_efficiency == pytest.approx(1.0)
    assert first.end_distance == pytest.approx(1.0, rel=1e-5)
    assert first.bit_rate == pytest.approx(np.log2(69 / 20 + 1) / 0.775, rel=1e-5)
    assert made.summaries()[0].total.n_trials == made.summaries()[0].total.n_hits == 3


def test_hit_is_judged_by_the_decoders_cursor_and_not_by_the_true_one(recording: Recording) -> None:
    rows = sent(recording, range(101))
    lines = answers(rows)
    lines["values"][:50, 1] += 11.0
    trials = summary(recording, rows, lines).trials
    assert [trial.hit for trial in trials] == [False, True]
    assert trials[0].measures.end_distance == pytest.approx(np.hypot(1, 11), rel=1e-5)


def test_trial_that_is_entered_after_its_go_cue_is_not_judged(recording: Recording) -> None:
    rows = sent(recording, range(20, 101))
    trials = summary(recording, rows, answers(rows)).trials
    assert [trial.hit for trial in trials] == [None, True]


# Which bins count


def test_unobserved_bins_are_neither_scored_nor_missing() -> None:
    recording = small_recording(gaps=True)
    rows = sent(recording, range(200))
    lines = answers(rows)
    lines["values"][~rows["observed"]] = 1e6
    total = summary(recording, rows, lines[:150]).total
    assert total.n_bins == 3 * 40
    assert total.rmse_position == 0.0
    assert total.missing == 40


def test_bins_count_as_missing_after_ten_seconds_without_an_answer(recording: Recording) -> None:
    rows = sent(recording, [*range(200)] * 3)
    made = board(recording)
    made.advance(rows, answers(rows[::2]), RADIUS, now=float(rows["due"][401]) + 10.0)
    total = made.summaries()[0].total
    assert total.missing == 200
    assert total.coverage == 300 / 500

    late = answers(rows[1:2])
    late["verdict"] = Verdict.LATE
    made.advance(rows[:0], late, RADIUS, now=float(rows["due"][401]) + 10.0)
    total = made.summaries()[0].total
    assert (total.missing, total.late, total.n_bins) == (199, 1, 301)


def test_decoder_owes_nothing_before_its_first_answer_and_after_it_has_left(recording: Recording) -> None:
    rows = sent(recording, range(200))
    lines = [answers(rows[50:60]), line(Verdict.LEFT, 70), answers(rows[100:110]), line(Verdict.LEFT, 110)]
    total = summary(recording, rows, np.concatenate(lines)).total
    assert (total.n_bins, total.missing) == (20, 10)


def test_bins_that_were_dropped_or_lost_are_not_missing(recording: Recording) -> None:
    rows = sent(recording, range(100))
    rows["lost"][30:33] = True
    answered = answers(rows[~np.isin(np.arange(100), (20, 21, 30, 31, 32))])
    dropped = [line(Verdict.DROPPED, number) for number in (20, 21)]
    total = summary(recording, rows, np.concatenate([answered, *dropped])).total
    assert (total.n_bins, total.missing, total.coverage) == (95, 0, 1.0)


def test_stale_and_duplicate_predictions_are_counted_and_not_scored(recording: Recording) -> None:
    rows = sent(recording, range(100))
    wrong = answers(rows[:2], noise=1000.0)
    wrong["verdict"] = (Verdict.STALE, Verdict.DUPLICATE)
    total = summary(recording, rows, np.concatenate([answers(rows), wrong])).total
    assert (total.stale, total.duplicate, total.n_bins, total.rmse_position) == (1, 1, 100, 0.0)


# Kinds of decoders


def test_velocity_alone_is_integrated_from_the_true_position(recording: Recording) -> None:
    rows = sent(recording, range(50))
    lines = answers(rows)
    lines["values"][:, :2] = np.nan
    total = summary(recording, rows, lines).total
    assert total.r2_position == pytest.approx(1.0)
    assert total.rmse_position == pytest.approx(0.0, abs=1e-3)


def test_position_alone_has_no_velocity(recording: Recording) -> None:
    rows = sent(recording, range(200))
    lines = answers(rows)
    lines["values"][:, 2:] = np.nan
    total = summary(recording, rows, lines).total
    assert np.isnan(total.r2_velocity)
    assert np.isnan(total.angular_error_deg)
    assert total.r2_position == 1.0
    assert total.lag_ms == 0.0


def test_lag_of_a_delayed_decoder(recording: Recording) -> None:
    rows = sent(recording, range(200))
    lines = answers(rows)
    lines["values"][3:, :2] = lines["values"][:-3, :2].copy()
    lines["values"][:, 2:] = np.nan
    assert summary(recording, rows, lines).total.lag_ms == pytest.approx(75.0)


def test_decoders_are_scored_apart(recording: Recording) -> None:
    rows = sent(recording, range(200))
    made = board(recording)
    both = np.concatenate([answers(rows, 20.0, decoder=0), answers(rows, 5.0, decoder=1)])
    made.advance(rows, both[np.argsort(both["received"], kind="stable")], RADIUS, FOREVER)
    worse, better = (made.summaries()[decoder].total.r2_position for decoder in (0, 1))
    assert worse < better < 1.0


# Time


def test_window_is_the_last_ten_seconds(recording: Recording) -> None:
    rows = sent(recording, [*range(200)] * 4)
    lines = answers(rows)
    lines["values"][:300] += 50.0
    seen = summary(recording, rows, lines)
    assert seen.window.n_bins == 400
    assert seen.window.rmse_position == 0.0
    assert seen.total.rmse_position > 0.0


def test_loop_and_seek_begin_a_new_stretch_and_a_new_trial(recording: Recording) -> None:
    rows = sent(recording, [*range(150, 200), *range(60), *range(100, 160)])
    lines = answers(rows)
    lines["values"][:, :2] = np.nan
    seen = summary(recording, rows, lines)
    # At each jump the cursor is the true one again; at bin 50 the truth jumps on its own.
    assert [trial.trial_id for trial in seen.trials] == [3, 0, 1, 2]
    assert [trial.sequence_number for trial in seen.trials] == [0, 50, 100, 110]
    assert seen.trials[0].measures.rmse_position == pytest.approx(0.0, abs=1e-3)
    assert seen.trials[1].measures.rmse_position == pytest.approx(0.0, abs=1e-3)
    assert seen.trials[3].measures.rmse_position == pytest.approx(0.0, abs=1e-3)


# The same in any portions


def disorder(rows: Rows) -> Rows:
    """A log with everything in it: two decoders, laggards, gaps, drops, leaving and coming back."""
    rng = np.random.default_rng(5)
    one = answers(rows, 10.0, decoder=0, seed=1)
    one = one[rng.random(len(one)) > 0.1]
    one["received"] += 0.01 * rng.exponential(size=len(one))
    one = one[np.argsort(one["received"], kind="stable")]
    one["verdict"] = one["received"] > rows["due"][one["sequence_number"]] + 0.025
    one = np.concatenate(
        [one[:300], line(Verdict.DROPPED, 301), one[300:500], line(Verdict.LEFT, 620), one[600:]]
    )
    other = answers(rows[100:], 30.0, decoder=1, seed=2)
    other["values"][:, :2] = np.nan
    lines = np.concatenate([one, other])
    return lines[np.argsort(lines["sequence_number"] // 5, kind="stable")]


@pytest.mark.parametrize("portion", [1, 13, 200])
def test_scores_are_the_same_in_any_portions_and_offline(recording: Recording, portion: int) -> None:
    rows = sent(recording, [*range(200)] * 4 + [*range(30, 90)])
    lines = disorder(rows)
    live = board(recording)
    newest, done = np.maximum.accumulate(lines["sequence_number"]), 0
    for first in range(0, len(rows), portion):
        end = np.searchsorted(newest, min(first + portion, len(rows)) - 1, side="right")
        live.advance(rows[first : first + portion], lines[done:end], RADIUS, float(rows["due"][first]))
        done = end
    live.advance(rows[:0], lines[done:], RADIUS, FOREVER)
    names = ["one", "other"]
    offline = rescore(rows, lines, names, Reference.of(recording), RADIUS)
    assert list(offline) == names
    for decoder, name in enumerate(names):
        assert_same(live.summaries()[decoder], offline[name])
        assert asdict(offline[name].total)["n_trials"] > 10
