"""The default recording: its shape, its realism, and when it is made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from pynwb import NWBHDF5IO, NWBFile

from engine.sources.recordings import synthetic
from engine.sources.recordings.readers import read
from engine.sources.recordings.synthetic import SEED, default_recording, simulate

BIN_RATE = 40
HISTORY = 10  # bins
Floats = npt.NDArray[np.float64]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return default_recording(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def nwb(path: Path) -> Iterator[NWBFile]:
    with NWBHDF5IO(path, "r") as io:
        yield io.read()


@pytest.fixture(scope="module")
def trials(nwb: NWBFile) -> Any:
    return nwb.trials.to_dataframe()


def series(nwb: NWBFile, name: str) -> Floats:
    return np.asarray(nwb.processing["behavior"][name].data[:], dtype=np.float64)


def binned_counts(nwb: NWBFile) -> Floats:
    """Spike counts, shape (n_bins, n_units)."""
    edges = np.arange(294 * BIN_RATE + 1) / BIN_RATE
    return np.column_stack(
        [np.histogram(nwb.units["spike_times"][unit], edges)[0] for unit in range(len(nwb.units))]
    ).astype(np.float64)


def ridge_r2(counts: Floats, wanted: Floats, penalty: float = 100.0) -> float:
    """R2 on the last fifth of a ridge regression on the first four, mean over x and y."""
    lagged = np.hstack([counts[HISTORY - 1 - lag : len(counts) - lag] for lag in range(HISTORY)])
    wanted = wanted[HISTORY - 1 :]
    n = int(0.8 * len(lagged))
    lagged = (lagged - lagged[:n].mean(axis=0)) / (lagged[:n].std(axis=0) + 1e-9)
    train, test = lagged[:n], lagged[n:]
    mean = wanted[:n].mean(axis=0)
    weights = np.linalg.solve(
        train.T @ train + penalty * np.eye(train.shape[1]), train.T @ (wanted[:n] - mean)
    )
    residual = wanted[n:] - (test @ weights + mean)
    return float(np.mean(1.0 - residual.var(axis=0) / wanted[n:].var(axis=0)))


def test_it_has_the_shape_of_mc_maze(nwb: NWBFile, trials: Any) -> None:
    assert len(nwb.units) == 142
    assert int(np.sum(nwb.units["heldout"].data[:])) == 35
    assert len(trials) == 100
    assert set(trials.columns) == {
        "start_time", "stop_time", "target_on_time", "go_cue_time", "move_onset_time", "success",
        "num_targets", "target_pos", "active_target", "trial_type", "maze_id", "split",
    }  # fmt: skip
    for name, unit in (("cursor_pos", "mm"), ("hand_pos", "mm"), ("hand_vel", "mm/s")):
        assert series(nwb, name).shape == (294_000, 2)
        assert nwb.processing["behavior"][name].unit == unit
        np.testing.assert_allclose(np.diff(nwb.processing["behavior"][name].timestamps[:]), 0.001)


def test_it_says_that_it_is_synthetic(nwb: NWBFile) -> None:
    assert "synthetic" in nwb.session_description
    assert "synthetic" in nwb.keywords[:]


def test_trials_abut_over_the_whole_recording(nwb: NWBFile, trials: Any) -> None:
    assert trials.start_time.iloc[0] == 0.0
    assert trials.stop_time.iloc[-1] == 294.0
    np.testing.assert_array_equal(trials.start_time[1:], trials.stop_time[:-1])
    for unit in (0, 141):
        np.testing.assert_array_equal(nwb.units["obs_intervals"][unit], trials[["start_time", "stop_time"]])


def test_events_of_a_trial_are_in_order(trials: Any) -> None:
    names = ["start_time", "target_on_time", "go_cue_time", "move_onset_time", "stop_time"]
    assert (np.diff(trials[names], axis=1) > 0.1).all()
    reaction = trials.move_onset_time - trials.go_cue_time
    assert reaction.between(0.15, 0.5).all()
    assert reaction.std() > 0.02


def test_each_trial_lists_one_or_three_targets_and_the_active_one(trials: Any) -> None:
    assert set(trials.maze_id) == set(range(9))
    assert set(trials.num_targets) == {1, 3}
    assert set(trials.active_target) == {0, 1, 2}
    assert set(trials.split) == {"train", "val"}
    for row in trials.itertuples():
        assert np.shape(row.target_pos) == (row.num_targets, 2)
        distance = np.hypot(*np.asarray(row.target_pos).T)
        assert ((distance > 50) & (distance < 120)).all()


def test_the_cursor_reaches_the_target_and_returns(nwb: NWBFile, trials: Any) -> None:
    cursor = series(nwb, "cursor_pos")
    assert 0 < (~trials.success).sum() < 10
    for row in trials.itertuples():
        path = cursor[round(row.start_time * 1000) : round(row.stop_time * 1000)]
        distance = np.hypot(*(path - row.target_pos[row.active_target]).T)
        assert (distance.min() < 8.0) == row.success
        assert np.hypot(*path[0]) < 8.0
        assert np.hypot(*path[-1]) < 8.0


def test_hand_velocity_is_the_derivative_of_hand_position(nwb: NWBFile) -> None:
    moved = np.cumsum(series(nwb, "hand_vel"), axis=0) * 0.001
    hand = series(nwb, "hand_pos")
    assert np.abs(moved - moved[0] - (hand - hand[0])).max() < 1.0
    assert np.abs(np.diff(series(nwb, "cursor_pos"), axis=0)).max() < 1.0


def test_the_reader_finds_no_gap(path: Path, nwb: NWBFile) -> None:
    recording = read(path, BIN_RATE)
    assert recording.synthetic
    assert recording.n_bins == 11_760
    assert recording.counts.dtype == np.uint8
    assert recording.observed.all()
    assert (recording.bins["trial"] >= 0).all()
    assert np.isfinite(recording.kinematics).all()
    assert np.isfinite(recording.bins["intention"]).all()
    np.testing.assert_array_equal(recording.counts, binned_counts(nwb))


def test_firing_rates_are_those_of_cortex(nwb: NWBFile) -> None:
    trains = [nwb.units["spike_times"][unit] for unit in range(142)]
    rates = np.array([len(train) / 294 for train in trains])
    assert 0.5 < rates.min() < 3.0
    assert 20.0 < rates.max() < 60.0
    assert 4.0 < np.median(rates) < 15.0
    for train in trains:
        assert train.dtype == np.float64
        assert train[0] >= 0.0
        assert train[-1] < 294.0
        assert np.diff(train).min() > 0.0009


def test_a_ridge_regression_decodes_held_out_movement(nwb: NWBFile) -> None:
    counts = binned_counts(nwb)
    middle = slice(25 // 2, None, 25)  # the samples nearest to bin centres
    assert counts.max() < 256
    assert 0.6 < ridge_r2(counts, series(nwb, "hand_vel")[middle]) < 0.95
    assert 0.5 < ridge_r2(counts, series(nwb, "cursor_pos")[middle]) < 0.95


def test_delay_activity_tells_the_target(nwb: NWBFile, trials: Any) -> None:
    counts = binned_counts(nwb)
    before_go = np.array(
        [counts[int(t * BIN_RATE) - 8 : int(t * BIN_RATE)].sum(axis=0) for t in trials.go_cue_time]
    )
    target = np.array([row.target_pos[row.active_target] for row in trials.itertuples()])
    design = before_go - before_go.mean(axis=0)
    kernel = design @ design.T
    hat = kernel @ np.linalg.inv(kernel + 1000.0 * np.eye(len(kernel)))
    left_out = (hat @ target - np.diag(hat)[:, None] * target) / (1.0 - np.diag(hat)[:, None])
    agreement = np.sum(left_out * target, axis=1) > 0
    assert agreement.mean() > 0.8


def test_same_seed_same_spikes(nwb: NWBFile, capfd: pytest.CaptureFixture[str]) -> None:
    again, other = simulate(), simulate(SEED + 1)
    assert capfd.readouterr() == ("", "")  # a progress bar is for a terminal
    assert len(again.spike_times) == len(nwb.units)
    for unit, train in enumerate(again.spike_times):
        np.testing.assert_array_equal(train, nwb.units["spike_times"][unit])
    assert len(again.spike_times[0]) != len(other.spike_times[0])


def test_it_is_made_once(path: Path) -> None:
    made = path.stat()
    assert default_recording(path.parent) == path
    assert path.stat().st_mtime_ns == made.st_mtime_ns
    assert [entry.name for entry in path.parent.iterdir()] == ["synthetic.nwb"]


@pytest.mark.parametrize("damage", ["truncated", "older generator"])
def test_an_outdated_or_broken_file_is_made_anew(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    old = tmp_path / "synthetic.nwb"
    old.write_bytes(path.read_bytes()[: 1000 if damage == "truncated" else None])
    if damage == "older generator":
        monkeypatch.setattr(synthetic, "IDENTIFIER", "phantomdeck-synthetic-next")
    assert default_recording(tmp_path) == old
    with NWBHDF5IO(old, "r") as io:
        assert io.read().identifier == synthetic.IDENTIFIER


def test_a_folder_that_cannot_be_written_is_replaced_by_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "file").write_text("not a folder")
    cached = default_recording(tmp_path / "file")
    assert cached.is_relative_to(tmp_path / ".cache")
    assert cached.exists()
