"""Bins as an NWB file: a recording again, and what the tools of two benchmarks read of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.decoders.bins import Bins
from engine.decoders.bins_nwb import to_nwb
from engine.sources.recordings.readers import read
from tests.builders import small_recording


def written(folder: Path, bin_rate: float) -> tuple[Bins, Path]:
    recording = small_recording(n_units=6, n_bins=400, bin_rate=bin_rate, n_trials=8)
    bins = Bins.of(recording, [trial.trial_id for trial in recording.trials[:6]])
    path = folder / "bins.nwb"
    path.write_bytes(to_nwb(bins))
    return bins, path


@pytest.mark.parametrize("bin_rate", [40.0, 50.0])
def test_the_file_is_a_recording_with_the_same_bins(tmp_path: Path, bin_rate: float) -> None:
    bins, path = written(tmp_path, bin_rate)
    back = Bins.of(read(path, bin_rate))
    first = round(float(bins.start_time) * bin_rate) + bins.packet_id
    found = round(float(back.start_time) * bin_rate) + back.packet_id
    own = np.isin(found, first)
    np.testing.assert_array_equal(back.counts[own], bins.counts)
    np.testing.assert_allclose(back.kinematics[own], bins.kinematics, rtol=0, atol=1e-3)
    assert len(back.trial_table) == 6


@pytest.mark.filterwarnings("ignore")  # its own, of pandas
def test_nlb_tools_read_units_trials_and_the_cursor(tmp_path: Path) -> None:
    tools = pytest.importorskip("nlb_tools.nwb_interface")
    bins, path = written(tmp_path, 50.0)  # it wants times in whole milliseconds
    data = tools.NWBDataset(path)
    assert data.data["spikes"].shape[1] == 6
    assert np.nansum(data.data["spikes"].to_numpy()) == bins.counts.sum()
    assert {"cursor_pos", "cursor_vel"} <= set(data.data.columns.get_level_values(0))
    assert data.trial_info["source_trial"].tolist() == bins.trial_table["trial_id"].tolist()


@pytest.mark.filterwarnings("ignore")
def test_falcons_tools_read_the_very_bins(tmp_path: Path) -> None:
    tools = pytest.importorskip("falcon_challenge.dataloaders")
    bins, path = written(tmp_path, 50.0)
    counts, velocity, trial_change, scored = tools.load_nwb(path, dataset=tools.FalconTask.m2)
    np.testing.assert_array_equal(counts, bins.counts)
    np.testing.assert_array_equal(velocity[scored], bins.kinematics[scored, 2:])
    np.testing.assert_array_equal(scored, bins.observed & np.isfinite(bins.kinematics[:, 2:]).all(axis=1))
    assert trial_change.sum() == len(bins.trials)


def test_other_bins_have_nothing_of_falcon(tmp_path: Path) -> None:
    _, path = written(tmp_path, 40.0)
    assert b"finger_vel" not in path.read_bytes()
