"""Cosine tuning, against units that were made with it."""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy import stats

from engine.analysis import preferred_directions, tuning
from engine.sources.recordings.recording import Recording
from tests.builders import small_recording


def tuned_recording(preferred: list[float], depth: float = 2.0, baseline: float = 4.0) -> Recording:
    """Reaches to three targets by units whose counts in every bin are a rounded cosine of direction."""
    recording = small_recording(len(preferred), 3200, n_trials=32)
    directions = np.array([np.arctan2(trial.target_y, trial.target_x) for trial in recording.trials])
    bins = recording.bins.copy()
    mean = baseline + depth * np.cos(directions[bins["trial"], None] - np.array(preferred))
    bins["counts"] = np.random.default_rng(0).poisson(mean)
    return dataclasses.replace(recording, bins=bins)


def test_the_preferred_direction_of_each_unit_is_found() -> None:
    made = [0.3, 2.0, -2.5]
    recording = tuned_recording(made)
    np.testing.assert_allclose(preferred_directions(recording), made, atol=0.06)
    fit = tuning(recording)
    np.testing.assert_allclose(fit.depth, 2.0 * 40, rtol=0.1)
    np.testing.assert_allclose(fit.baseline, 4.0 * 40, rtol=0.06)
    assert (fit.r2 > 0.9).all()


def test_the_fit_is_that_of_an_ordinary_regression_with_its_f_test() -> None:
    fit = tuning(tuned_recording([1.0], depth=0.15))
    rates, directions = fit.rates[:, 0], fit.directions
    design = np.column_stack((np.ones(32), np.cos(directions), np.sin(directions)))
    b0, b1, b2 = np.linalg.solve(design.T @ design, design.T @ rates)
    predicted = design @ [b0, b1, b2]
    r2 = 1 - ((rates - predicted) ** 2).sum() / ((rates - rates.mean()) ** 2).sum()
    f = (r2 / 2) / ((1 - r2) / 29)
    np.testing.assert_allclose(fit.preferred, np.arctan2(b2, b1))
    np.testing.assert_allclose(fit.depth, np.hypot(b1, b2))
    np.testing.assert_allclose(fit.r2, r2)
    np.testing.assert_allclose(fit.p, stats.f.sf(f, 2, 29))
    np.testing.assert_allclose(fit.predict(0, directions), predicted)


def test_a_unit_that_does_not_care_has_no_preferred_direction() -> None:
    recording = tuned_recording([0.0, 1.0], depth=0.0)
    assert np.isnan(preferred_directions(recording)).all()
    assert np.isfinite(tuning(recording).preferred).all()


def test_a_unit_of_constant_rate_cannot_be_fitted_and_is_not_tuned() -> None:
    recording = tuned_recording([0.0])
    bins = recording.bins.copy()
    bins["counts"] = 1
    fit = tuning(dataclasses.replace(recording, bins=bins))
    assert np.isnan(fit.preferred).all()
    assert not fit.tuned.any()


def test_two_directions_are_too_few() -> None:
    recording = tuned_recording([0.0])
    two = tuple(
        t if t.target_id != 1 else dataclasses.replace(t, target_x=np.nan) for t in recording.trials
    )
    assert np.isnan(tuning(dataclasses.replace(recording, trials=two)).r2).all()


def test_without_kinematics_or_trials_nothing_is_tuned() -> None:
    recording = tuned_recording([0.0, 1.0])
    bins = recording.bins.copy()
    bins["kinematics"] = np.nan
    assert np.isnan(preferred_directions(dataclasses.replace(recording, bins=bins))).all()
    bins["trial"] = -1
    assert np.isnan(preferred_directions(dataclasses.replace(recording, bins=bins, trials=()))).all()


def test_the_direction_of_movement_does_without_targets() -> None:
    recording = tuned_recording([0.3])
    trials = tuple(dataclasses.replace(trial, target_x=np.nan) for trial in recording.trials)
    untargeted = dataclasses.replace(recording, trials=trials)
    assert np.isnan(tuning(untargeted).preferred).all()
    np.testing.assert_allclose(
        tuning(untargeted, "movement").preferred, tuning(recording).preferred, atol=1e-6
    )
