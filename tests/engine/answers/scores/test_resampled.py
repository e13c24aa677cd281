"""Intervals of R2 over trials, beside those of other ways to draw trials."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import bootstrap

from engine.answers.scores.moments import Moments, r_squared, weighted_r_squared
from engine.answers.scores.resampled import LEAST_TRIALS, Intervals, Resampled


def of_trials(n: int, seed: int = 0) -> list[Moments]:
    """Far from 0, and as different as trials are."""
    draws = np.random.default_rng(seed)
    trials = []
    for _ in range(n):
        truth = draws.normal(1e4, (1.0, 2.0, 3.0, 4.0), (30, 4))
        trials.append(Moments.of(truth, truth + draws.exponential(0.5) * draws.normal(size=(30, 4))))
    return trials


def intervals(trials: list[Moments]) -> Intervals:
    resampled = Resampled()
    for trial in trials:
        resampled.take(trial)
    return resampled.intervals()


def test_few_trials_have_no_interval() -> None:
    few = intervals(of_trials(LEAST_TRIALS - 1))
    assert few.n_trials == LEAST_TRIALS - 1
    assert math.isnan(few.r2_velocity[0])


def test_interval_is_that_of_a_bootstrap_that_draws_whole_trials() -> None:
    trials = of_trials(200)
    found = intervals(trials)

    def pooled(rows: np.ndarray) -> float:
        return float(r_squared(Moments.merged([trials[i] for i in rows]))[2:].mean())

    usual = bootstrap(
        (np.arange(200),), pooled, vectorized=False, n_resamples=1000, method="percentile", rng=1
    ).confidence_interval
    width = usual.high - usual.low
    assert found.r2_velocity == pytest.approx((usual.low, usual.high), abs=0.15 * width)


def test_interval_holds_what_it_is_about_and_shrinks_with_trials() -> None:
    trials = of_trials(400)
    few, many = intervals(trials[:25]), intervals(trials)
    for name, columns in (("position", slice(0, 2)), ("velocity", slice(2, 4))):
        all_ = Moments(Moments.merged(trials).sums[:, columns])
        low, high = getattr(many, f"r2_{name}")
        assert low < r_squared(all_).mean() < high
        weighted = getattr(many, f"r2_{name}_weighted")
        assert weighted[0] < weighted_r_squared(all_) < weighted[1]
        wide = getattr(few, f"r2_{name}")
        assert high - low < 0.5 * (wide[1] - wide[0])


def test_what_is_never_predicted_has_no_interval() -> None:
    trials = []
    for trial in of_trials(10):
        sums = trial.sums.copy()
        sums[:, :2] = 0.0
        trials.append(Moments(sums))
    found = intervals(trials)
    assert math.isnan(found.r2_position[0])
    assert math.isnan(found.r2_position_weighted[0])
    assert found.r2_velocity[0] < 1.0
