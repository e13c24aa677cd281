"""Trials that come while bins are sent."""

from __future__ import annotations

import math

import numpy as np

from engine.bins.trials import PHASES, Trial
from engine.sources.growing import GAP, GrowingDescription

RATE = 40.0
NAN = math.nan


def trial(trial_id: int, target_id: int = 0) -> Trial:
    return Trial(trial_id, NAN, NAN, target_id=target_id, target_x=1.0, target_y=2.0)


def described(told: bool = True) -> GrowingDescription:
    return GrowingDescription("rig", ("a", "b"), RATE, told=told)


def send(
    made: GrowingDescription, first: int, n: int, there: Trial | None, known: bool = True
) -> list[int]:
    """Bins of one trial, due at their numbers by the rate; their rows."""
    rows = []
    for packet_id in range(first, first + n):
        rows.append(made.enter(packet_id, there, known))
        made.append(packet_id, packet_id / RATE, np.array([packet_id, 1]))
    return rows


def test_a_new_id_is_a_new_trial_and_ends_the_one_before() -> None:
    made = described()
    assert send(made, 0, 4, None) == [-1] * 4
    assert send(made, 4, 10, trial(7)) == [0] * 10
    assert send(made, 14, 10, trial(8, target_id=1)) == [1] * 10
    assert send(made, 24, 2, None) == [-1] * 2
    assert list(made.trial_ids) == [7, 8]
    assert [(each.start_time, each.stop_time) for each in made.trials] == [(0.1, 0.35), (0.35, 0.6)]
    assert made.target_ids == (0, 1)
    assert made.target_places == {(1.0, 2.0)}


def test_a_bin_that_tells_no_trial_does_not_begin_it_anew() -> None:
    made = described()
    send(made, 0, 4, trial(7))
    send(made, 4, 1, None)
    assert send(made, 5, 4, trial(7)) == [0] * 4
    assert made.trial_time(9) == 9 / RATE
    send(made, 9, 2, trial(8))
    assert made.trials[0].stop_time == 9 / RATE


def test_a_trial_of_which_a_stretch_is_lost_is_one_however_long_that_was() -> None:
    made = described()
    send(made, 0, 4, trial(7))
    lost = round(30 * RATE)
    send(made, 4, lost, None, known=False)
    assert made.trials[0].stop_time == 4 / RATE
    assert send(made, 4 + lost, 4, trial(7)) == [0] * 4
    assert math.isnan(made.trials[0].stop_time)
    assert made.trial_time(8 + lost) == (8 + lost) / RATE
    send(made, 8 + lost, lost, None, known=False)
    assert send(made, 8 + 2 * lost, 1, trial(8)) == [1]
    assert made.trials[0].stop_time == (8 + lost) / RATE


def test_a_trial_that_comes_again_much_later_is_another() -> None:
    made = described()
    send(made, 0, 4, trial(7))
    away = round(GAP * RATE) + 1
    send(made, 4, away, None)
    assert send(made, 4 + away, 2, trial(7)) == [1, 1]
    assert list(made.trial_ids) == [7, 7]


def test_an_event_counts_from_the_bin_on_that_was_due_then_also_if_it_is_told_later() -> None:
    made = described()
    send(made, 0, 10, trial(7))
    made.tell("target_on 7", 2 / RATE, 9)
    made.tell("go_cue 7", 5 / RATE, 9)
    send(made, 10, 5, trial(7))
    planned, armed = made.phases(np.arange(15))
    assert [PHASES[phase] for phase in planned] == ["waiting"] * 2 + ["target on"] * 3 + ["go"] * 10
    np.testing.assert_array_equal(armed, np.arange(15) >= 5)
    assert list(made.go_bins) == [5]
    assert (made.trials[0].target_on_time, made.trials[0].go_cue_time) == (2 / RATE, 5 / RATE)
    send(made, 15, 2, trial(8))
    assert not made.phases(np.array([16])).armed.any()


def test_events_of_another_trial_and_other_texts_change_nothing() -> None:
    made = described()
    made.tell("go_cue 7", 0.0, 0)
    send(made, 0, 4, trial(7))
    for text in ("go_cue 6", "go_cue", "pause", "trial_start 7"):
        made.tell(text, 2 / RATE, 3)
    assert list(made.go_bins) == [-1]
    assert math.isnan(made.trials[0].go_cue_time)


def test_without_events_a_hit_counts_from_the_start_of_a_trial() -> None:
    made = described(told=False)
    send(made, 0, 4, None)
    send(made, 4, 4, trial(7))
    assert list(made.go_bins) == [4]
    np.testing.assert_array_equal(made.phases(np.arange(8)).armed, np.arange(8) >= 4)


def test_counts_of_the_newest_minutes_are_known() -> None:
    made = described()
    send(made, 0, 6000, None)
    np.testing.assert_array_equal(made.clean(np.arange(5000, 6000))[:, 0], np.arange(5000, 6000))
