"""The real recording beside the checkout and the default one, binned by an independent implementation."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from engine.sources.recordings.readers import read
from engine.sources.recordings.synthetic import default_recording
from tests.given import given


@pytest.fixture(scope="module", params=["reach98", "default"])
def path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if request.param == "reach98":
        return given("reach98.nwb")
    return default_recording(tmp_path_factory.mktemp("data"))


@pytest.mark.parametrize("rate", [20, 40, 50, 100])
def test_counts_equal_numpy_histogram_on_integer_edges_for_every_bin(path: Path, rate: int) -> None:
    recording = read(path, float(rate))
    assert recording.start_time == 0.0
    edges = np.arange(recording.n_bins + 1) * (1_000_000 // rate)
    with h5py.File(path) as file:
        ticks = np.round(file["units/spike_times"][:] * 1e6).astype(np.int64)
        ends = file["units/spike_times_index"][:]

    assert recording.counts.sum() == len(ticks)
    for unit, train in enumerate(np.split(ticks, ends[:-1])):
        # numpy.histogram closes its last bin: a further edge keeps that bin empty
        expected = np.histogram(train, np.append(edges, edges[-1] + 1))[0][:-1]
        np.testing.assert_array_equal(recording.counts[:, unit], expected)


@pytest.mark.parametrize("rate", [20, 40, 50, 100])
def test_kinematics_equal_numpy_interp_inside_each_stretch_and_are_missing_across_gaps(
    path: Path, rate: int
) -> None:
    recording = read(path, float(rate))
    centres = recording.centres
    with h5py.File(path) as file:
        behavior = file["processing/behavior"]
        times = behavior["cursor_pos/timestamps"][:]
        period = np.median(np.diff(times))
        series = np.hstack((behavior["cursor_pos/data"][:], behavior["hand_vel/data"][:]))
        intervals = np.unique(file["units/obs_intervals"][:], axis=0)
    observed = ((centres[:, None] >= intervals[:, 0]) & (centres[:, None] < intervals[:, 1])).any(axis=1)
    expected = np.full((len(centres), 4), np.nan)
    starts = np.flatnonzero(np.diff(times, prepend=-1.0) > 1.5 * period)
    for begin, end in zip(starts, [*starts[1:], len(times)], strict=True):
        reach = period / 2 + 1e-6
        near = (centres >= times[begin] - reach) & (centres <= times[end - 1] + reach)
        for column in range(4):
            expected[near, column] = np.interp(centres[near], times[begin:end], series[begin:end, column])
    expected[~observed] = np.nan

    if path.name == "reach98.nwb":
        assert len(starts) > 700
        assert 0.05 < np.isnan(expected).mean() < 0.5
    else:
        assert not np.isnan(expected).any()
    np.testing.assert_array_equal(recording.observed, observed)
    np.testing.assert_allclose(recording.kinematics, expected, rtol=1e-6, atol=1e-4)


def test_every_trial_aims_at_its_active_target() -> None:
    recording = read(given("reach98.nwb"), 40.0)

    assert len(recording.trials) == 800
    assert recording.target_ids == tuple(range(8))
    assert recording.length_unit == "mm"
    assert not recording.synthetic
    for trial in recording.trials:
        assert trial.target_id == trial.columns["active_target"]
        assert (trial.target_x, trial.target_y) == trial.target_pos[int(trial.columns["active_target"])]
    inside = recording.bins[recording.bins["trial"] >= 0]
    reached = inside["intention"][inside["trial_time_ms"] > 300, 3]
    assert np.nanmedian(reached) < np.nanmedian(inside["intention"][:, 3])
