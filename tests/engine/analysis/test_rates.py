"""Rates over observed time."""

from __future__ import annotations

import dataclasses

import numpy as np

from engine.analysis import mean_rates, trial_rates
from tests.builders import small_recording

RECORDING = small_recording(6, 4000, n_trials=40, gaps=True)


def test_the_mean_rate_is_over_observed_time_only() -> None:
    seen = RECORDING.counts[RECORDING.observed]
    np.testing.assert_allclose(mean_rates(RECORDING), seen.mean(axis=0) * 40.0)
    assert mean_rates(RECORDING).shape == (6,)


def test_a_recording_that_was_not_observed_has_no_rate() -> None:
    bins = RECORDING.bins.copy()
    bins["observed"] = False
    assert np.isnan(mean_rates(dataclasses.replace(RECORDING, bins=bins))).all()


def test_a_trials_rate_is_that_of_its_part() -> None:
    rates = trial_rates(RECORDING, "go_cue")
    np.testing.assert_allclose(rates[7], RECORDING.counts[724:780].mean(axis=0) * 40.0)
    assert rates.shape == (40, 6)


def test_a_trial_without_the_event_has_no_rate() -> None:
    rates = trial_rates(RECORDING, "move_onset")
    assert np.isnan(rates[2]).all()
    assert np.isfinite(np.delete(rates, 2, axis=0)).all()


def test_unobserved_bins_of_a_trial_do_not_count() -> None:
    bins = RECORDING.bins.copy()
    bins["observed"][700:770] = False
    bins["observed"][800:880] = False
    rates = trial_rates(dataclasses.replace(RECORDING, bins=bins))
    np.testing.assert_allclose(rates[7], RECORDING.counts[770:780].mean(axis=0) * 40.0)
    assert np.isnan(rates[8]).all()


def test_no_trial_is_no_rate() -> None:
    bins = RECORDING.bins.copy()
    bins["trial"] = -1
    assert trial_rates(dataclasses.replace(RECORDING, bins=bins, trials=())).shape == (0, 6)
