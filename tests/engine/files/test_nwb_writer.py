"""The writer: what goes in comes out."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from pynwb import NWBHDF5IO

from engine.files.nwb_writer import Series, Session, write_nwb

TIMES = np.array([0.0, 0.5, 1.0])
SESSION = Session(
    identifier="one",
    description="a small session",
    start=datetime(2024, 1, 1, tzinfo=UTC),
    spike_times=[np.array([0.1, 0.2]), np.array([]), np.array([0.9])],
    obs_intervals=np.array([[0.0, 0.4], [0.6, 1.0]]),
    series=(
        Series("cursor_pos", np.arange(6.0).reshape(3, 2), TIMES, "mm", "screen"),
        Series("hand_vel", np.ones((3, 2)), TIMES, "mm/s"),
    ),
    trials={
        "start_time": np.array([0.0, 0.6]),
        "stop_time": np.array([0.4, 1.0]),
        "split": ["train", "val"],
        "target_pos": [np.array([[1.0, 2.0]]), np.array([[3.0, 4.0], [5.0, 6.0]])],
    },
    units={"heldout": np.array([True, False, False])},
    descriptions={"split": "train or val"},
)


def test_a_session_comes_back_as_it_was_written(tmp_path: Path) -> None:
    write_nwb(tmp_path / "small.nwb", SESSION)
    with NWBHDF5IO(tmp_path / "small.nwb", "r") as io:
        nwb = io.read()
        for unit, spikes in enumerate(SESSION.spike_times):
            np.testing.assert_array_equal(nwb.units["spike_times"][unit], spikes)
            np.testing.assert_array_equal(nwb.units["obs_intervals"][unit], SESSION.obs_intervals)
        assert list(nwb.units["heldout"].data[:]) == [True, False, False]
        for series in SESSION.series:
            written = nwb.processing["behavior"][series.name]
            np.testing.assert_array_equal(written.data[:], series.data)
            np.testing.assert_array_equal(written.timestamps[:], TIMES)
            assert written.unit == series.unit
        assert list(nwb.trials["split"].data[:]) == ["train", "val"]
        assert nwb.trials["split"].description == "train or val"
        np.testing.assert_array_equal(nwb.trials["target_pos"][1], SESSION.trials["target_pos"][1])


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "small.nwb"
    write_nwb(path, SESSION)
    before = path.read_bytes()

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(NWBHDF5IO, "write", fail)
    with pytest.raises(KeyboardInterrupt):
        write_nwb(path, SESSION)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
