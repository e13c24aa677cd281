"""Trials of a closed loop are judged by the cursor on the screen, and decoders by what was intended."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.answers.predictions import Predictions
from engine.answers.scores.acquisition import Acquisition, Acquisitions
from engine.answers.scores.board import Board
from engine.answers.scores.sent import Reference
from engine.bins.description import Goal
from engine.bins.schema import Rows, row_dtype
from tests.engine.sources.user.closed_loop import a_loop, run

WIDTH = 0.1
GOAL = Goal(radius=10.0, hold=0.3, n_choices=9)
TARGET = (50.0, 0.0)


def rows_of(*trials: list[float]) -> Rows:
    """Bins of 0.1 s in which the cursor is at these x of a target at 50, in one trial after the other."""
    rows = np.zeros(sum(map(len, trials)), row_dtype(1))
    rows["sequence_number"] = rows["packet_id"] = np.arange(len(rows))
    rows["trial"] = np.repeat(np.arange(len(trials)), list(map(len, trials)))
    rows["trial_time_ms"] = np.concatenate([100.0 * np.arange(len(trial)) for trial in trials])
    rows["kinematics"][:, 0] = np.concatenate(trials)
    rows["intention"] = np.stack([np.array([0.0, *TARGET, abs(x - 50.0)]) for x in np.concatenate(trials)])
    return rows


def judged(*trials: list[float]) -> list[Acquisition]:
    """All but the last, which has not ended."""
    return Acquisitions(GOAL, WIDTH).take(rows_of(*trials))


def test_touch_dial_in_and_hold_make_up_the_acquisition() -> None:
    [one] = judged([0.0, 20.0, 45.0, 70.0, 55.0, 50.0, 50.0], [0.0])
    assert (one.success, one.last) == (True, 6)
    assert one.seconds == pytest.approx(0.7)
    assert one.first_touch == pytest.approx(0.3)
    assert one.dial_in == pytest.approx(0.2)
    assert one.outcome.seconds == pytest.approx(0.5) == pytest.approx(one.first_touch + one.dial_in)
    assert (one.bits, one.orbits) == (3.0, 1.0)
    assert one.outcome.bits == pytest.approx(math.log2(50 / 20 + 1))
    assert one.outcome.path_efficiency == pytest.approx(55 / 85)


def test_a_target_that_is_passed_or_never_met_was_not_acquired() -> None:
    passed, never = judged([0.0, 45.0, 50.0, 70.0], [0.0, 10.0, 20.0], [0.0])
    assert (passed.success, passed.first_touch, passed.orbits) == (False, pytest.approx(0.2), 0.0)
    assert passed.seconds == passed.outcome.seconds == pytest.approx(0.4)
    assert (never.success, never.bits, never.outcome.bits) == (False, -3.0, 0.0)
    assert math.isnan(never.first_touch)
    assert math.isnan(never.dial_in)
    assert math.isnan(never.orbits)


def test_portions_do_not_matter_and_what_was_not_seen_whole_is_left_out() -> None:
    rows = rows_of([0.0, 50.0, 50.0, 50.0], [0.0, 20.0], [0.0, 50.0, 50.0, 50.0], [0.0])
    whole = Acquisitions(GOAL, WIDTH).take(rows)
    single = Acquisitions(GOAL, WIDTH)
    bin_by_bin = [each for i in range(len(rows)) for each in single.take(rows[i : i + 1])]
    assert list(map(repr, bin_by_bin)) == list(map(repr, whole))  # as NaN equals nothing
    assert [each.success for each in whole] == [True, False, True]
    assert [each.row for each in Acquisitions(GOAL, WIDTH).take(rows[1:])] == [1, 2]
    assert [each.row for each in Acquisitions(GOAL, WIDTH).take(np.delete(rows, 5))] == [0, 2]


def test_where_there_is_no_choice_there_is_no_bit_rate() -> None:
    free = Acquisitions(GOAL._replace(n_choices=0), WIDTH).take(rows_of([0.0], [0.0]))
    assert math.isnan(free[0].bits)


def test_scores_of_a_loop_are_the_drivers_and_of_what_was_intended() -> None:
    replay = a_loop()
    predictions = Predictions(replay)
    rows = run(replay, 1500, predictions=predictions)
    trials = [trial for trial in replay.description.trials if trial.success is not None]
    beside = int(rows["sequence_number"][1200])
    for number in range(beside, beside + 100):
        predictions.receive("beside", number, (math.nan, math.nan, 1.0, 0.0), 0.0)
    replay.close()
    lines, _ = predictions.ring.since(0)
    totals = []
    for step in (len(rows), 37):
        board = Board(Reference.of(replay.description), replay.ring.capacity)
        told = []
        for first in range(0, len(rows), step):
            part = rows[first : first + step]
            told += board.advance(part, lines[:0], 10.0, 0.0, driver=0)
            own = np.isin(lines["sequence_number"], part["sequence_number"])
            told += board.advance(rows[:0], lines[own], 10.0, 0.0, driver=0)
        summaries = board.summaries()
        total, other = summaries[0].total, summaries[1].total
        ended = [trial for trial in trials if trial.stop_time < 1500 / 40]
        assert total.success == 1.0
        assert total.n_trials == total.n_hits == len(ended)
        seconds = [trial.stop_time - trial.start_time for trial in ended]
        assert total.acquisition_time == pytest.approx(np.mean(seconds))
        hold = replay.description.goal.hold - 1 / 40
        assert total.time_to_target == pytest.approx(total.acquisition_time - hold)
        assert total.first_touch_time + total.dial_in_time == pytest.approx(total.time_to_target)
        assert total.bit_rate_achieved == pytest.approx(math.log2(7) / np.mean(seconds))
        assert total.r2_velocity == pytest.approx(1.0)
        assert math.isnan(total.r2_position)
        assert math.isnan(other.success)
        assert (other.n_trials, other.n_bins) == (0, 100)
        assert other.r2_velocity < 0.1
        assert [trial.hit for decoder, trial in told if decoder == 0][:3] == [True] * 3
        totals.append(total)
    assert np.allclose(*(np.array(list(vars(total).values()), float) for total in totals), equal_nan=True)


def test_a_trial_that_was_over_before_the_first_answer_is_not_the_drivers() -> None:
    replay = a_loop()
    predictions = Predictions(replay)
    rows = run(replay, 800, predictions=predictions)
    replay.close()
    lines, _ = predictions.ring.since(0)
    ends = np.flatnonzero(np.diff(rows["trial"]) > 0)  # the last bins of trials
    late = lines[lines["sequence_number"] >= ends[1]]  # which begin in the last bin of the second one
    totals = []
    for step in (len(rows), 100, 7):
        board = Board(Reference.of(replay.description), replay.ring.capacity)
        for first in range(0, len(rows), step):
            part = rows[first : first + step]
            driver = 0 if part["sequence_number"][-1] >= ends[1] else None
            board.advance(part, late[:0], 10.0, 0.0, driver)
            own = np.isin(late["sequence_number"], part["sequence_number"])
            board.advance(rows[:0], late[own], 10.0, 0.0, driver)
        totals.append(board.summaries()[0].total)
        assert totals[-1].n_trials == len(ends) - 1
    for total in totals[1:]:
        np.testing.assert_allclose(list(vars(total).values()), list(vars(totals[0]).values()), rtol=1e-9)
