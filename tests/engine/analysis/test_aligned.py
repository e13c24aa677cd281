"""Counts around an event."""

from __future__ import annotations

import dataclasses

import numpy as np

from engine.analysis import aligned_counts
from tests.builders import small_recording

RECORDING = small_recording(6, 4000, n_trials=40, gaps=True)  # 100 bins a trial, of which 80 observed


def test_a_trial_has_the_counts_of_its_bins_around_the_event() -> None:
    aligned = aligned_counts(RECORDING, "go_cue", 0.2, 0.5)
    assert aligned.counts.shape == (40, 28, 6)
    np.testing.assert_allclose(aligned.edges[[0, 8, 28]], [-0.2, 0.0, 0.5], atol=1e-12)
    go = 7 * 100 + 24  # 30 % of 80 bins
    np.testing.assert_array_equal(aligned.counts[7], RECORDING.counts[go - 8 : go + 20])


def test_units_and_wider_bins_are_sums_of_the_same_counts() -> None:
    fine = aligned_counts(RECORDING, "go_cue", 0.2, 0.4)
    coarse = aligned_counts(RECORDING, "go_cue", 0.2, 0.4, bins_per_step=4, units=[4])
    np.testing.assert_array_equal(coarse.counts[..., 0], fine.counts[..., 4].reshape(40, 6, 4).sum(axis=2))
    assert coarse.width == 0.1
    np.testing.assert_allclose(coarse.centres, [-0.15, -0.05, 0.05, 0.15, 0.25, 0.35])


def test_trials_without_the_event_are_skipped() -> None:
    assert 2 not in aligned_counts(RECORDING, "move_onset", 0.1, 0.1).trials
    trials = tuple(dataclasses.replace(trial, go_cue_time=np.nan) for trial in RECORDING.trials)
    nobody = aligned_counts(dataclasses.replace(RECORDING, trials=trials), "go_cue", 0.1, 0.1)
    assert nobody.counts.shape == (0, 8, 6)


def test_unobserved_bins_are_missing_and_not_silent() -> None:
    aligned = aligned_counts(RECORDING, "stop", 0.1, 0.3)
    assert np.isfinite(aligned.counts[:, :4]).all()
    assert np.isnan(aligned.counts[:, 4:]).all()


def test_a_wide_bin_is_missing_if_part_of_it_is() -> None:
    bins = RECORDING.bins.copy()
    bins["observed"][710] = False
    aligned = aligned_counts(dataclasses.replace(RECORDING, bins=bins), "start", 0.0, 0.8, bins_per_step=8)
    assert np.isnan(aligned.counts[7, :, 0]).tolist() == [False, True, False, False]


def test_bins_of_another_trial_are_missing() -> None:
    abutting = small_recording(3, 400, n_trials=4)
    aligned = aligned_counts(abutting, "start", 0.5, 0.5)
    assert np.isnan(aligned.counts[:, :20]).all()
    assert np.isfinite(aligned.counts[:, 20:]).all()


def test_time_zero_is_the_nearest_edge() -> None:
    trial = dataclasses.replace(RECORDING.trials[3], go_cue_time=RECORDING.trials[3].start_time + 0.515)
    recording = dataclasses.replace(RECORDING, trials=(*RECORDING.trials[:3], trial, *RECORDING.trials[4:]))
    aligned = aligned_counts(recording, "go_cue", 0.0, 0.1)
    np.testing.assert_array_equal(aligned.counts[3], RECORDING.counts[321:325])


def test_a_window_that_leaves_the_recording_is_missing_there() -> None:
    aligned = aligned_counts(RECORDING, "start", 1.0, 0.1)
    assert np.isnan(aligned.counts[0, :40]).all()
    np.testing.assert_array_equal(aligned.counts[0, 40:], RECORDING.counts[:4])
