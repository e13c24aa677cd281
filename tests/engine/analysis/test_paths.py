"""Paths, and which go through a place."""

from __future__ import annotations

import dataclasses

import numpy as np

from engine.analysis import trial_paths
from tests.builders import small_recording

RECORDING = small_recording(3, 400, n_trials=4, gaps=True)  # 80 bins a trial: right, up, left, right
PATHS = trial_paths(RECORDING)


def test_each_trial_is_its_positions_and_a_gap() -> None:
    for row in range(4):
        path = PATHS.of(np.array([row]))
        np.testing.assert_array_equal(path[:-1], RECORDING.kinematics[100 * row : 100 * row + 80, :2])
        assert np.isnan(path[-1]).all()


def test_a_box_finds_the_trials_that_go_through_it() -> None:
    assert PATHS.through((40.0, 60.0), (-5.0, 5.0)).tolist() == [0, 3]
    assert PATHS.through((5.0, -5.0), (90.0, 50.0)).tolist() == [1]
    assert PATHS.through((300.0, 400.0), (0.0, 1.0)).tolist() == []


def test_a_point_finds_the_nearest_trial_within_reach() -> None:
    assert PATHS.nearest(-50.0, 3.0, within=5.0) == 2
    assert PATHS.nearest(-50.0, 30.0, within=5.0) is None


def test_a_recording_without_positions_has_no_paths() -> None:
    bins = RECORDING.bins.copy()
    bins["kinematics"] = np.nan
    nowhere = trial_paths(dataclasses.replace(RECORDING, bins=bins))
    assert nowhere.is_empty
    assert nowhere.nearest(0.0, 0.0, 10.0) is None
    bins["trial"] = -1
    assert trial_paths(dataclasses.replace(RECORDING, bins=bins, trials=())).is_empty


def test_a_missing_position_interrupts_a_path() -> None:
    bins = RECORDING.bins.copy()
    bins["kinematics"][10, 0] = np.nan
    assert np.isnan(trial_paths(dataclasses.replace(RECORDING, bins=bins)).position[10]).all()
