"""Files with binned spike counts in place of spike times are recordings too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from pynwb import TimeSeries

from engine.errors import RecordingError
from engine.sources.recordings.readers import read
from engine.sources.recordings.recording import Recording
from tests.nwb_builders import add_behavior, nwb_file, ramp, samples, save

COUNTS = (np.arange(240).reshape(80, 3) * 7 % 5).astype(np.int32)


def file_with(
    path: Path, counts: npt.ArrayLike = COUNTS, name: str = "spike_counts", **fields: Any
) -> Path:
    nwb = nwb_file(spike_times=())
    if "timestamps" not in fields:
        fields = {"rate": 40.0, "starting_time": 0.0} | fields
    nwb.add_acquisition(TimeSeries(name=name, data=np.asarray(counts), unit="spikes", **fields))
    return save(add_behavior(nwb, samples("cursor_pos", ramp())), path)


def replayed(path: Path, bin_rate: float = 40.0, **fields: Any) -> Recording:
    return read(file_with(path / "counts.nwb", **fields), bin_rate)


@pytest.mark.parametrize("name", ["spike_counts", "binned_spikes", "BinnedSpikes", "Counts"])
def test_a_series_of_counts_takes_the_place_of_spike_times(tmp_path: Path, name: str) -> None:
    recording = replayed(tmp_path, name=name)
    np.testing.assert_array_equal(recording.counts, COUNTS)
    assert recording.observed.all()
    assert recording.channel_names == ("unit 0", "unit 1", "unit 2")
    assert recording.kinematics[40, 0] == pytest.approx(10 * 40.5 / 40, abs=1e-5)
    assert recording.series["passed_over"] == []


def test_a_bin_counts_where_its_centre_lies(tmp_path: Path) -> None:
    recording = replayed(tmp_path, starting_time=3.005)
    np.testing.assert_array_equal(recording.counts, COUNTS)
    assert recording.start_time == 3.0


def test_bins_add_up_at_lower_rates(tmp_path: Path) -> None:
    recording = replayed(tmp_path, bin_rate=10.0)
    np.testing.assert_array_equal(recording.counts, COUNTS.reshape(20, 4, 3).sum(axis=1))


@pytest.mark.parametrize("bin_rate", [50.0, 80.0, 30.0])
def test_bins_are_never_cut(tmp_path: Path, bin_rate: float) -> None:
    with pytest.raises(
        RecordingError, match=rf"25 ms, which cannot be replayed at {bin_rate:g} Hz.*--rate 40"
    ):
        replayed(tmp_path, bin_rate=bin_rate)


def test_bins_that_the_series_lacks_are_not_observed(tmp_path: Path) -> None:
    starts = np.arange(90) / 40
    kept = np.delete(np.arange(90), slice(30, 40))
    recording = replayed(tmp_path, timestamps=starts[kept])
    np.testing.assert_array_equal(recording.counts[kept], COUNTS)
    assert np.flatnonzero(~recording.observed).tolist() == list(range(30, 40))
    assert not recording.counts[30:40].any()


def test_invalid_times_are_not_observed(tmp_path: Path) -> None:
    nwb = nwb_file(spike_times=())
    nwb.add_acquisition(TimeSeries(name="counts", data=COUNTS, unit="spikes", rate=40.0))
    nwb.add_invalid_time_interval(start_time=0.5, stop_time=0.75)
    recording = read(save(nwb, tmp_path / "counts.nwb"), 40.0)
    assert np.flatnonzero(~recording.observed).tolist() == list(range(20, 30))


def test_spike_times_come_first(tmp_path: Path) -> None:
    nwb = nwb_file()
    nwb.add_acquisition(TimeSeries(name="counts", data=COUNTS, unit="spikes", rate=40.0))
    recording = read(save(nwb, tmp_path / "both.nwb"), 40.0)
    assert recording.counts.sum() == 4
    assert [each["name"] for each in recording.series["passed_over"]] == ["counts"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"counts": -COUNTS}, "counts go from -4 to 0"),
        ({"counts": COUNTS * 100_000}, "to 400000"),
        ({"timestamps": np.zeros(80)}, "its 80 timestamps do not ascend"),
        ({"timestamps": np.cumsum(np.resize([0.025, 0.025, 0.01], 80))}, "its bins overlap"),
        ({"counts": COUNTS / 2}, "has no units"),
        ({"name": "lfp"}, "has no units"),
    ],
)
def test_what_cannot_be_counts_is_refused(tmp_path: Path, fields: dict[str, Any], said: str) -> None:
    with pytest.raises(RecordingError, match=said) as refusal:
        replayed(tmp_path, **fields)
    assert "counts.nwb" in str(refusal.value)
