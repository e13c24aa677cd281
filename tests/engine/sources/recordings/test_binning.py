"""Bins hold what they should, to the microsecond; checked against independent arithmetic."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest

from engine.bins.ticks import as_rate, to_ticks
from engine.bins.trials import Trial
from engine.sources.recordings.binning import (
    Grid,
    bin_of,
    count_spikes,
    covered_bins,
    fill_bins,
    grid_over,
    observed_bins,
    trial_of_bins,
)


def trial(trial_id: int, start: float, stop: float) -> Trial:
    return Trial(trial_id, start, stop, target_id=2, target_x=3.0, target_y=4.0)


def test_spike_on_an_edge_belongs_to_the_bin_that_begins_there() -> None:
    assert 0.075 * 40 == 3.0
    assert bin_of(to_ticks(np.array([0.0749999, 0.075, 0.0999994, 0.1])), as_rate(40)).tolist() == [
        3,
        3,
        3,
        4,
    ]
    assert bin_of(to_ticks(np.array([-0.000001, 0.024999])), as_rate(40)).tolist() == [-1, 0]


@pytest.mark.parametrize("rate", [20.0, 30.0, 40.0, 50.0, 64.0, 100.0, 100 / 3])
def test_every_edge_is_exact_for_hours(rate: float) -> None:
    exact = as_rate(rate)
    for k in (*range(200), 1_000_003, 5_184_000):
        edge = Fraction(k) / exact * 1_000_000
        first_tick = -(-edge.numerator // edge.denominator)
        assert bin_of(np.array([first_tick - 1, first_tick]), exact).tolist() == [k - 1, k]


def test_rate_becomes_the_small_fraction_that_was_meant() -> None:
    assert as_rate(33.3333) == Fraction(100, 3)
    assert as_rate(40) == 40


def test_grid_starts_on_the_whole_bin_of_the_first_observation_and_ends_with_the_last() -> None:
    grid = grid_over(40.0, [0.130, 0.2], [(0.11, 0.5)])

    assert (grid.first, grid.n_bins) == (4, 16)  # a stop on an edge needs no bin of its own
    assert (grid.start_time, grid.stop_time) == (0.1, 0.5)
    assert grid_over(40.0, [0.0, 0.5]).n_bins == 21  # a spike does
    assert grid_over(40.0, [-0.01, 0.01]).first == -1


def test_counts_equal_a_count_by_hand_and_leave_nothing_out() -> None:
    times = np.array([0.0, 0.024999, 0.025, 0.0749999, 0.1, 0.05, 0.05])
    counts = count_spikes(times, np.array([0, 4, 4, 7]), grid_over(40.0, [0.0, 0.1]))

    assert counts.dtype == np.uint8
    assert counts.tolist() == [[2, 1, 0, 1, 0], [0, 0, 0, 0, 0], [0, 0, 2, 0, 1]]


def test_more_than_255_spikes_in_a_bin_widen_the_counts() -> None:
    counts = count_spikes(np.full(300, 0.01), np.array([0, 255, 300]), Grid(Fraction(40), 0, 2))
    assert counts.dtype == np.uint8

    counts = count_spikes(np.full(300, 0.01), np.array([0, 10, 300]), Grid(Fraction(40), 0, 2))
    assert counts.dtype == np.uint16
    assert counts[:, 0].tolist() == [10, 290]


def test_bin_is_observed_when_its_centre_lies_in_the_union_of_intervals() -> None:
    grid = Grid(Fraction(10), 0, 10)  # centres 0.05, 0.15, ...
    intervals = np.array([[0.60, 0.75], [0.05, 0.25], [0.1, 0.2], [0.0, 0.01], [0.7, 0.85]])

    assert np.flatnonzero(observed_bins(intervals, grid)).tolist() == [0, 1, 6, 7]
    assert observed_bins(np.empty((0, 2)), grid).all()


def test_bin_belongs_to_the_trial_that_holds_its_centre() -> None:
    grid = Grid(Fraction(10), 0, 10)
    trials = [trial(0, 0.05, 0.35), trial(1, 0.35, 0.5), trial(2, 0.56, 0.64)]

    assert trial_of_bins(trials, grid).tolist() == [0, 0, 0, 1, 1, -1, -1, -1, -1, -1]


def test_coverage_is_the_share_of_a_bin_in_the_union_of_the_intervals() -> None:
    grid = Grid(Fraction(10), 2, 8)  # from 0.2 to 1.0 s
    intervals = np.array([[0.35, 0.45], [0.42, 0.5], [0.3, 0.31], [0.66, 0.67], [0.68, 0.7], [0.95, 3.0]])

    assert covered_bins(intervals, grid).tolist() == [0.0, 0.6, 1.0, 0.0, 0.3, 0.0, 0.0, 0.5]
    assert covered_bins(np.array([[0.0, 9.0], [0.3, 0.4]]), grid).tolist() == [1.0] * 8
    assert covered_bins(np.empty((0, 2)), grid).tolist() == [1.0] * 8


@pytest.mark.parametrize("seed", range(20))
def test_coverage_is_what_counting_microseconds_gives(seed: int) -> None:
    random = np.random.default_rng(seed)
    grid = Grid(Fraction(100, 3), -2, 12)
    starts = random.uniform(-0.2, 0.4, 6)
    intervals = np.column_stack([starts, starts + random.choice([0.0, 0.003, 0.05, 0.2], 6)])
    counted = np.zeros(1_000_000, bool)
    for start, stop in np.rint(intervals * 1e6).astype(int) + 500_000:
        counted[start:stop] = True
    edges = np.rint((grid.first + np.arange(13)) * 30_000).astype(int) + 500_000
    expected = [counted[a:b].mean() for a, b in itertools.pairwise(edges)]

    np.testing.assert_allclose(covered_bins(intervals, grid), expected, atol=1e-6)


def test_of_overlapping_trials_the_one_that_started_last_has_the_bin() -> None:
    grid = Grid(Fraction(10), 0, 10)
    trials = [trial(0, 0.0, 0.8), trial(1, 0.2, 0.5), trial(2, 0.4, 0.6)]

    assert trial_of_bins(trials, grid).tolist() == [0, 0, 1, 1, 2, 2, 0, 0, -1, -1]


def filled(position: npt.NDArray[np.float64] | None = None) -> npt.NDArray[np.void]:
    grid = Grid(Fraction(40), 4, 8)
    missing = np.full((8, 2), np.nan)
    observed = np.ones(8, np.bool_)
    observed[2] = False
    return fill_bins(
        grid,
        np.arange(16, dtype=np.uint8).reshape(2, 8),
        observed,
        observed * 0.5,
        [trial(7, 0.11, 0.2)],
        np.zeros((8, 2)) if position is None else position,
        missing,
    )


def test_rows_carry_trial_time_from_the_start_of_the_bin_and_the_distance_to_the_target() -> None:
    bins = filled()

    assert bins["packet_id"].tolist() == list(range(8))
    assert bins["counts"][:2].tolist() == [[0, 8], [1, 9]]
    assert bins["trial"].tolist() == [0, 0, 0, 0, -1, -1, -1, -1]
    assert bins["trial_time_ms"][:4].tolist() == [-10.0, 15.0, 40.0, 65.0]
    assert np.isnan(bins["trial_time_ms"][4:]).all()
    assert bins["intention"][0].tolist() == [2.0, 3.0, 4.0, 5.0]
    assert np.isnan(bins["intention"][4:]).all()
    assert bins["coverage"].tolist() == [0.5, 0.5, 0.0, 0.5, 0.5, 0.5, 0.5, 0.5]
    assert not bins.flags.writeable


def test_what_was_not_observed_has_no_kinematics_and_no_distance_but_its_target() -> None:
    bins = filled()

    assert np.isnan(bins["kinematics"][2]).all()
    assert np.isnan(bins["intention"][2, 3])
    assert bins["intention"][2, :3].tolist() == [2.0, 3.0, 4.0]


def test_missing_position_leaves_the_target_without_distance() -> None:
    bins = filled(np.full((8, 2), np.nan))

    assert np.isnan(bins["kinematics"]).all()
    assert np.isnan(bins["intention"][:, 3]).all()


def test_a_session_without_trials_has_bins_outside_of_trials() -> None:
    none = np.full((3, 2), np.nan)
    bins = fill_bins(
        Grid(Fraction(40), 0, 3),
        np.zeros((1, 3), np.uint8),
        np.ones(3, np.bool_),
        np.ones(3),
        [],
        none,
        none,
    )

    assert bins["trial"].tolist() == [-1, -1, -1]
    assert np.isnan(bins["intention"]).all()
