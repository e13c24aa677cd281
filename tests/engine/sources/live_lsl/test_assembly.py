"""Samples become bins by their time stamps alone: given, late, missing, summed, and with companions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from engine.sources.live_lsl.assembly import PATIENCE, SPIKE_DELAY, Made, Regular, Spikes
from engine.sources.live_lsl.companion import GIVEN_UP, WAIT, Companion
from engine.sources.live_lsl.names import Role

WIDTH = 0.025


def regular(samples: int = 1, companions: Mapping[Role, Companion] | None = None) -> Regular:
    """Of two units."""
    return Regular(samples, 2, WIDTH, companions or {})


def taken(made: Regular | Spikes) -> list[Made]:
    bins = list(made.made)
    made.made.clear()
    return bins


def give(made: Regular, *stamps: float, late_by: float = 0.0) -> None:
    """A sample at each time, whose counts are that time in bins."""
    for stamp in stamps:
        made.add([stamp], [[round(stamp / WIDTH), 1]], stamp + late_by)


def test_a_sample_is_a_bin_due_at_its_time_stamp() -> None:
    made = regular()
    give(made, 1.0, 1.025, 1.05)
    bins = taken(made)
    assert [bin_.due for bin_ in bins] == [1.0, 1.025, 1.05]
    assert [bin_.counts.tolist() for bin_ in bins] == [[40, 1], [41, 1], [42, 1]]
    assert {bin_.coverage for bin_ in bins} == {1.0}


def test_time_stamps_that_waver_neither_lose_a_sample_nor_make_a_bin() -> None:
    made, draws = regular(), np.random.default_rng(0)
    stamps = 1.0 + WIDTH * np.arange(400) + draws.uniform(-0.4, 0.4, 400) * WIDTH
    give(made, *stamps)
    assert len(made.made) == 400
    assert {bin_.coverage for bin_ in made.made} == {1.0}
    assert (np.diff([bin_.due for bin_ in made.made]) > 0).all()


def test_a_clock_that_is_a_thousandth_slow_is_followed() -> None:
    made = regular()
    give(made, *(1.0 + 1.001 * WIDTH * np.arange(390)))
    assert len(made.made) == 390


def test_missing_samples_leave_bins_that_were_not_observed() -> None:
    made = regular()
    give(made, 1.0, 1.1)
    bins = taken(made)
    assert [bin_.due for bin_ in bins] == pytest.approx([1.0, 1.025, 1.05, 1.075, 1.1])
    assert [bin_.coverage for bin_ in bins] == [1, 0, 0, 0, 1]
    assert not bins[1].counts.any()


def test_successive_samples_are_summed_into_a_bin_due_with_the_last() -> None:
    made = regular(samples=5)
    for k in range(12):
        made.add([1.0 + k * WIDTH / 5], [[1, k]], 1.0)
    first, second = taken(made)
    assert (first.counts.tolist(), second.counts.tolist()) == ([5, 10], [5, 35])
    assert (first.due, second.due) == pytest.approx((1.02, 1.045))


def test_a_bin_of_which_samples_are_missing_tells_how_much_there_was() -> None:
    made = regular(samples=5)
    for k in (0, 1, *range(6, 10)):
        made.add([1.0 + k * WIDTH / 5], [[1, 0]], 1.0)
    first, second = taken(made)
    assert (first.coverage, first.counts.tolist()) == (0.4, [2, 0])
    assert second.coverage == pytest.approx(0.8)


def test_silence_goes_on_as_bins_at_the_rate_and_what_comes_after_it_is_taken() -> None:
    made = regular()
    give(made, 1.0)
    taken(made)
    made.advance(1.0 + PATIENCE)
    assert not made.made
    assert made.deadline == pytest.approx(1.025 + PATIENCE)
    made.advance(1.1 + PATIENCE)
    assert [bin_.due for bin_ in made.made] == pytest.approx([1.025, 1.05, 1.075, 1.1])
    assert not any(bin_.coverage for bin_ in taken(made))
    give(made, 1.05, late_by=PATIENCE)  # its bin has gone
    assert (len(made.made), made.late) == (0, 1)
    give(made, 1.15, late_by=PATIENCE)
    assert [(round(bin_.due, 3), bin_.coverage) for bin_ in made.made] == [(1.125, 0.0), (1.15, 1.0)]


def test_a_stream_that_never_speaks_has_bins_as_soon_as_they_are_wanted() -> None:
    made = regular()
    assert made.deadline == np.inf
    made.skip(5.0)
    made.advance(5.0 + PATIENCE + 2.5 * WIDTH)
    assert [bin_.due for bin_ in made.made] == pytest.approx([5.0, 5.025, 5.05])


def test_what_passes_while_nobody_wants_it_is_forgotten() -> None:
    made = regular()
    give(made, 1.0, 1.025)
    made.skip(1.03)
    give(made, 1.05)
    assert [bin_.due for bin_ in made.made] == [1.05]


def test_what_passed_while_nobody_wanted_it_is_forgotten_where_its_samples_come_late() -> None:
    made = regular()
    give(made, 1.0)
    made.skip(1.06)
    give(made, 1.025, 1.05, 1.075, late_by=0.2)
    assert [bin_.due for bin_ in made.made] == [1.075]


def test_hours_of_silence_that_nobody_asked_about_cost_nothing() -> None:
    made = regular()
    give(made, 1.0)
    made.skip(1e5)
    made.advance(1e5 + PATIENCE)
    assert len(made.made) <= 2
    give(made, 2e5)
    assert made.made[-1].due == 2e5


def test_a_bin_waits_for_its_companion_and_takes_what_belongs_to_its_time() -> None:
    kinematics = Companion(40.0, WIDTH)
    made = regular(companions={"kinematics": kinematics})
    kinematics.come(0.9)
    give(made, 1.0)
    assert not made.made
    assert made.deadline == pytest.approx(1.0 + WAIT)
    kinematics.add([0.975, 1.0004], [[1.0, 0, 0, 0], [2.0, 0, 0, 0]])
    made.advance(1.01)
    assert taken(made)[0].beside == {"kinematics": (2.0, 0, 0, 0)}


def test_a_companion_that_does_not_come_is_waited_for_in_vain_for_a_second() -> None:
    kinematics = Companion(40.0, WIDTH)
    made = regular(companions={"kinematics": kinematics})
    kinematics.come(1.0)
    give(made, 1.0)
    made.advance(1.0 + WAIT)
    assert taken(made)[0].beside == {}
    stamps = np.arange(1.025, 1.0 + GIVEN_UP + WAIT + 2 * WIDTH, WIDTH)
    give(made, *stamps)
    assert made.made[-1].due == stamps[-1]  # at once


def test_a_companion_that_has_gone_is_not_waited_for() -> None:
    kinematics = Companion(40.0, WIDTH)
    made = regular(companions={"kinematics": kinematics})
    kinematics.come(0.9)
    kinematics.go()
    give(made, 1.0)
    assert len(made.made) == 1


def test_a_faster_companion_gives_the_sample_that_is_nearest() -> None:
    companion = Companion(1000.0, WIDTH)
    companion.come(0.0)
    stamps = 1.0 + np.arange(100) / 1000
    companion.add(stamps, [[k] for k in range(100)])
    assert [companion.at(due) for due in (1.0, 1.0252, 1.05)] == [(0,), (25,), (50,)]


def test_what_an_irregular_companion_says_holds_until_it_says_something_else() -> None:
    companion = Companion(0.0, WIDTH)
    companion.come(0.0)
    companion.add([1.0, 2.0], [[7], [8]])
    assert [companion.at(due) for due in (0.9, 1.0, 1.9, 2.0, 9.0)] == [None, (7,), (7,), (8,), (8,)]


def test_spikes_are_counted_in_the_bin_that_holds_their_time() -> None:
    made = Spikes(2, WIDTH, {})
    made.come(0.9)
    made.skip(1.0)
    made.add([1.001, 1.024, 1.026], [[1, 0], [0, 1], [2, 0]], 1.03)
    assert not made.made
    assert made.deadline == pytest.approx(1.025 + SPIKE_DELAY)
    made.advance(1.05 + SPIKE_DELAY)
    bins = taken(made)
    assert [(round(bin_.due, 3), bin_.counts.tolist()) for bin_ in bins] == [
        (1.025, [1, 1]),
        (1.05, [2, 0]),
    ]
    made.add([1.04], [[1, 1]], 1.05 + SPIKE_DELAY)  # its bin has gone: the next one has it
    made.advance(1.075 + SPIKE_DELAY)
    assert (taken(made)[0].counts.tolist(), made.late) == ([1, 1], 1)


def test_no_spikes_are_none_while_their_stream_is_there_and_unknown_when_it_has_gone() -> None:
    made = Spikes(2, WIDTH, {})
    made.come(0.9)
    made.skip(1.0)
    made.add([1.01, 1.03, 1.06], [[1, 0], [2, 0], [3, 0]], 1.06)
    made.go(1.06)
    made.advance(1.075 + SPIKE_DELAY)
    made.come(1.08)
    made.advance(1.125 + SPIKE_DELAY)
    bins = taken(made)
    assert [bin_.coverage for bin_ in bins] == [1, 1, 0, 0, 1]
    assert [bin_.counts[0] for bin_ in bins] == [1, 2, 0, 0, 0]
