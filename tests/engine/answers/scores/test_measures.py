"""Each measure on cases that can be computed by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.answers.scores.angle import angles, mean_angle
from engine.answers.scores.histogram import LATENCY, LogScale
from engine.answers.scores.lag import LagFollower, Lags
from engine.answers.scores.moments import Moments, correlation, r_squared, root_mean_square_error
from engine.answers.scores.reach import Reach, index_of_difficulty, path_efficiency
from engine.answers.scores.sent import moving_above
from engine.answers.scores.sums import Sums

TRUTH = np.array([1.0, 2.0, 3.0, 4.0])
PREDICTED = np.array([1.0, 3.0, 3.0, 5.0])
NAN = math.nan


# R2, RMSE, correlation


def test_r2_rmse_and_correlation_by_hand() -> None:
    moments = Moments.of(TRUTH, PREDICTED)
    # Errors 0, 1, 0, 1; the truth's squared deviations from 2.5 sum to 5, the prediction's from 3 to 8.
    assert r_squared(moments) == pytest.approx(1 - 2 / 5, rel=1e-12)
    assert root_mean_square_error(moments) == pytest.approx(math.sqrt(2 / 4), rel=1e-12)
    assert correlation(moments) == pytest.approx(6 / math.sqrt(5 * 8), rel=1e-12)


def test_wrong_gain_lowers_r2_and_leaves_correlation() -> None:
    moments = Moments.of(TRUTH, 3 * TRUTH)
    assert correlation(moments) == pytest.approx(1.0)
    assert r_squared(moments) == pytest.approx(1 - 4 * 30 / 5)


def test_pairs_with_a_missing_value_do_not_count() -> None:
    truth = np.array([*TRUTH, NAN, 7.0])
    predicted = np.array([*PREDICTED, 9.0, NAN])
    np.testing.assert_allclose(Moments.of(truth, predicted).sums, Moments.of(TRUTH, PREDICTED).sums)


def test_truth_that_does_not_vary_has_no_r2() -> None:
    moments = Moments.of(np.full(3, 0.1), np.array([0.0, 0.1, 0.2]))
    assert np.isnan(r_squared(moments))
    assert np.isnan(correlation(moments))
    assert np.isnan(root_mean_square_error(Moments.none()))


def test_merged_moments_are_those_of_everything_even_far_from_zero() -> None:
    rng = np.random.default_rng(1)
    truth = 1e6 + rng.normal(size=(1000, 2))
    predicted = truth + rng.normal(size=(1000, 2))
    parts = [Moments.of(truth[i : i + 37], predicted[i : i + 37]) for i in range(0, 1000, 37)]
    merged = Moments.merged([Moments.none(2), *parts])
    expected = 1 - ((truth - predicted) ** 2).sum(0) / ((truth - truth.mean(0)) ** 2).sum(0)
    np.testing.assert_allclose(r_squared(merged), expected, rtol=1e-9)
    np.testing.assert_allclose(
        correlation(merged), [np.corrcoef(truth[:, i], predicted[:, i])[0, 1] for i in (0, 1)], rtol=1e-7
    )


# Angle


def test_angles_by_hand() -> None:
    truth = np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.0, 0.0]])
    predicted = np.array([[2.0, 0.0], [0.0, -3.0], [-1.0, 0.0], [1.0, 0.0]])
    np.testing.assert_allclose(angles(truth, predicted), [0.0, math.pi / 2, math.pi, NAN])


def test_mean_angle_counts_fast_movement_more() -> None:
    truth = np.array([[3.0, 0.0], [1.0, 0.0]])
    predicted = np.array([[1.0, 0.0], [0.0, 1.0]])
    angle, speed = mean_angle(truth, predicted)
    assert angle / speed == pytest.approx(math.pi / 2 / 4)


# Lag


@pytest.mark.parametrize(("bin_rate", "shift"), [(40.0, 0), (40.0, 3), (40.0, -5), (200.0, 20)])
def test_lag_is_the_shift_whatever_the_portions(bin_rate: float, shift: int) -> None:
    lags = Lags(bin_rate)
    rng = np.random.default_rng(2)
    signal = np.cumsum(rng.normal(size=(800, 2)), axis=0)
    truth, predicted = signal[200:600], signal[200 - shift : 600 - shift]
    numbers = np.arange(400)
    whole = LagFollower(lags).add(numbers, truth, predicted)
    follower = LagFollower(lags)
    parts = [
        follower.add(numbers[i : i + 7], truth[i : i + 7], predicted[i : i + 7]) for i in range(0, 400, 7)
    ]
    assert lags.best(whole) == pytest.approx(shift / bin_rate)
    np.testing.assert_allclose(Moments.merged(parts).sums, whole.sums, rtol=1e-9, atol=1e-9)


def test_nothing_is_paired_over_a_jump() -> None:
    lags = Lags(40.0)
    follower = LagFollower(lags)
    ones = np.ones((5, 2))
    follower.add(np.arange(5), ones, ones)
    follower.jump()
    pairs = follower.add(np.arange(5, 10), ones, ones).sums[0, :, 0]
    assert pairs.tolist() == [max(5 - abs(lag), 0) for lag in lags.bins]


# Trials


def reach(target: tuple[float, float] = (100.0, 0.0), go_bin: int = 4) -> Reach:
    return Reach(go_bin, np.array(target), bin_width=0.025)


def test_hit_is_the_cursor_within_the_radius_from_the_go_cue_on() -> None:
    trial = reach()
    path = np.array([[100.0, 0.0], [0.0, 0.0], [50.0, 0.0], [90.0, 0.0], [120.0, 0.0]])
    trial.follow(np.arange(3, 8), path, radius=10.0)
    outcome = trial.outcome(10.0)
    assert outcome is not None
    assert outcome.hit
    assert outcome.seconds == pytest.approx(3 * 0.025)  # bins 4, 5 and 6
    assert outcome.end_distance == 20.0
    assert outcome.path_efficiency == 1.0
    assert outcome.bits == pytest.approx(math.log2(100 / 20 + 1))
    assert outcome.bit_rate == pytest.approx(math.log2(6) / 0.075)


def test_miss_takes_the_whole_trial_and_brings_no_bits() -> None:
    trial = reach()
    trial.follow(np.array([4, 5]), np.array([[0.0, 0.0], [0.0, 30.0]]), radius=10.0)
    trial.follow(np.array([6, 8]), np.array([[40.0, 30.0], [40.0, 30.0]]), radius=10.0)
    outcome = trial.outcome(10.0)
    assert outcome is not None
    assert not outcome.hit
    assert outcome.seconds == pytest.approx(5 * 0.025)
    assert outcome.end_distance == pytest.approx(math.hypot(60, 30))
    assert outcome.path_efficiency == pytest.approx(50 / 70)
    assert outcome.bits == 0.0


def test_trial_without_a_cursor_after_the_go_cue_has_no_outcome() -> None:
    trial = reach()
    trial.follow(np.array([1, 5]), np.array([[100.0, 0.0], [NAN, NAN]]), radius=10.0)
    assert trial.outcome(10.0) is None


def test_path_efficiency_and_difficulty_by_hand() -> None:
    assert path_efficiency(np.array([[0.0, 0.0], [3.0, 0.0], [3.0, 4.0]])) == pytest.approx(5 / 7)
    assert math.isnan(path_efficiency(np.zeros((3, 2))))
    assert index_of_difficulty(70.0, 10.0) == 3.0


# Quantiles


def test_quantiles_are_within_one_percent() -> None:
    values = np.random.default_rng(3).lognormal(-6, 1, 5000)
    counts = sum(LATENCY.count(part) for part in np.split(values, 10))
    for q in (0.5, 0.99):
        assert LATENCY.quantile(counts, q) == pytest.approx(np.quantile(values, q), rel=0.01)


def test_what_lies_beyond_the_scale_counts_at_its_ends() -> None:
    scale = LogScale(1.0, 100.0, 10.0)
    assert scale.count(np.array([-5.0, 0.0, 2.0, 50.0, 1e9, NAN])).tolist() == [3, 2]
    assert math.isnan(scale.quantile(np.zeros(2, np.int64), 0.5))


# All together


def test_measures_are_means_over_x_and_y() -> None:
    truth = np.array([[0.0, 0.0, 1.0, 0.0], [2.0, 4.0, -1.0, 0.0]])
    predicted = np.array([[1.0, 0.0, NAN, NAN], [2.0, 2.0, NAN, NAN]])
    sums = Sums(Lags(40.0))
    sums.take(truth, predicted)
    sums.n_answered = 2
    measures = sums.measures(missing=2)
    assert measures.r2_position == pytest.approx(((1 - 1 / 2) + (1 - 4 / 8)) / 2)
    assert measures.rmse_position == pytest.approx(math.sqrt((1 + 4) / 2))
    assert (measures.n_bins, measures.coverage, measures.missing) == (2, 0.5, 2)
    for name in ("r2_velocity", "rmse_velocity", "correlation_velocity", "angular_error_deg", "bit_rate"):
        assert math.isnan(getattr(measures, name))


def test_weighted_r2_gives_each_dimension_the_weight_of_its_variance() -> None:
    truth = np.array([[0.0, 0.0, 1.0, 0.0], [2.0, 4.0, -1.0, 0.0]])
    predicted = np.array([[1.0, 0.0, 0.5, 3.0], [2.0, 2.0, -1.0, 3.0]])
    sums = Sums(Lags(40.0))
    sums.take(truth, predicted)
    measures = sums.measures(missing=0)
    assert (measures.r2_position_x, measures.r2_position_y) == pytest.approx((1 - 1 / 2, 1 - 4 / 8))
    assert measures.r2_position_weighted == pytest.approx(1 - (1 + 4) / (2 + 8))
    assert measures.r2_velocity_weighted == measures.r2_velocity_x == pytest.approx(1 - 0.25 / 2)
    assert math.isnan(measures.r2_velocity_y)  # the truth does not vary


def test_moving_bins_are_those_above_a_speed() -> None:
    truth = np.array([[0.0, 0, 0, 0], [1.0, 1, 30, 40], [2.0, 2, 3, 4], [3.0, 3, 0, 80]])
    predicted = truth + np.array([[9.0], [0.0], [9.0], [0.0]])
    sums = Sums(Lags(40.0))
    sums.take(truth, predicted, moving_above=10.0)
    measures = sums.measures(missing=0)
    assert measures.r2_position_moving == measures.r2_velocity_moving == 1.0
    assert measures.r2_velocity < 1.0
    sums = Sums(Lags(40.0))
    sums.take(truth, predicted)
    assert math.isnan(sums.measures(missing=0).r2_velocity_moving)


def test_speed_of_movement_is_a_tenth_of_the_fastest() -> None:
    kinematics = np.zeros((101, 4), np.float32)
    kinematics[:, 2] = np.arange(101)
    kinematics[100] = 1e6  # one in a hundred does not count
    assert moving_above(kinematics) == pytest.approx(9.9)
    assert math.isnan(moving_above(np.full((3, 4), np.nan, np.float32)))
