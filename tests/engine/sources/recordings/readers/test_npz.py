"""NumPy archives are recordings, and what is broken in one is told in one line."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.errors import RecordingError
from engine.sources.recordings.readers import read, read_inspected, scan

N_BINS, RATE = 80, 40.0
CENTRES = (np.arange(N_BINS) + 0.5) / RATE


def arrays(**other: Any) -> dict[str, Any]:
    """Counts of three units in 2 s, a straight movement, and two trials."""
    made: dict[str, Any] = {
        "counts": (np.arange(N_BINS)[:, None] + np.arange(3)) % 4,
        "bin_rate": RATE,
        "position": np.column_stack((10 * CENTRES, -20 * CENTRES)),
        "length_unit": "cm",
        "trial_start": np.array([0.0, 1.0]),
        "trial_stop": np.array([0.9, 2.0]),
        "target_x": np.array([1.0, -1.0]),
        "target_y": np.array([2.0, 3.0]),
        "target_id": np.array([4, 5]),
        "success": np.array([True, False]),
        "trial_maze": np.array(["a", "b"]),
    }
    return {name: value for name, value in (made | other).items() if value is not None}


def saved(path: Path, **other: Any) -> Path:
    np.savez(path, **arrays(**other))
    return path


def trains(**other: Any) -> dict[str, Any]:
    times = {"spike_times": np.array([0.01, 0.075, 1.5, 0.5]), "spike_times_index": np.array([3, 4, 4])}
    return {"counts": None, "bin_rate": None, "timestamps": CENTRES} | times | other


def test_counts_kinematics_and_trials(tmp_path: Path) -> None:
    recording = read_inspected(saved(tmp_path / "a.npz"), RATE)

    np.testing.assert_array_equal(recording.counts, arrays()["counts"])
    expected = np.column_stack((100 * CENTRES, -200 * CENTRES))  # mm
    np.testing.assert_allclose(recording.kinematics[:, :2], expected, rtol=1e-6)
    np.testing.assert_allclose(recording.kinematics[:, 2:], np.tile([100, -200], (N_BINS, 1)), rtol=1e-4)
    first, second = recording.trials
    assert (first.start_time, first.stop_time, first.success, first.target_id) == (0.0, 0.9, True, 4)
    assert (second.target_x, second.target_y, second.success) == (-10.0, 30.0, False)
    assert first.columns["trial_maze"] == "a"
    assert recording.length_unit == "mm"
    assert recording.observed.all()
    assert (recording.name, len(recording.sha256), recording.warnings) == ("a", 64, ())
    assert recording.trial_tables["taken"]["name"] == "trials"
    assert recording.series["position"]["name"] == "position"


@pytest.mark.parametrize("width", [{"bin_width": 0.025}, {"bin_size_ms": 25.0}])
def test_the_width_of_bins_is_as_good_as_their_rate(tmp_path: Path, width: dict[str, float]) -> None:
    assert read(saved(tmp_path / "a.npz", bin_rate=None, **width), RATE).n_bins == N_BINS


def test_spike_times_are_counted_as_those_of_nwb_files(tmp_path: Path) -> None:
    recording = read(saved(tmp_path / "a.npz", **trains(obs_intervals=[[0.0, 1.0]])), RATE)

    assert recording.counts.sum(axis=0).tolist() == [3, 1, 0]
    assert np.flatnonzero(recording.counts[:, 0]).tolist() == [0, 3, 60]
    assert recording.observed.sum() == 40
    assert recording.kinematics[10].tolist() == pytest.approx([26.25, -52.5, 100, -200], rel=1e-4)


def test_times_of_spikes_may_be_samples(tmp_path: Path) -> None:
    times = {"spike_times": np.array([300, 2250, 45000, 15000])}
    path = saved(tmp_path / "a.npz", **trains(**times))

    (warning,) = read(
        saved(tmp_path / "b.npz", **trains(spike_times=times["spike_times"] / 30)), RATE
    ).warnings
    assert "--spike-times-in ms" in warning
    recording = read(path, RATE, spike_times_in="samples:30000")
    assert np.flatnonzero(recording.counts[:, 0]).tolist() == [0, 3, 60]


def test_series_have_their_own_timestamps_and_are_chosen_by_name(tmp_path: Path) -> None:
    times = np.arange(201) / 100
    hand = {"hand_pos": np.column_stack((times, times)), "hand_pos_timestamps": times, "force": times}
    path = saved(tmp_path / "a.npz", **hand)

    recording = read(path, RATE, series={"position": "position"})
    assert recording.series["position"]["how"] == "named by --series"
    passed = {each["name"]: each["reason"] for each in recording.series["passed_over"]}
    assert set(passed) == {"hand_pos", "force"}
    np.testing.assert_allclose(read(path, RATE).kinematics[:, 2:], 10.0, rtol=1e-4)


def test_rows_that_are_missing_or_marked_are_not_observed(tmp_path: Path) -> None:
    places = np.concatenate((np.arange(40), np.arange(50, 90)))
    observed = np.ones(N_BINS, np.bool_)
    observed[3] = False
    coverage = np.ones(N_BINS)
    coverage[3] = 0.25
    rows = {"packet_id": places, "observed": observed, "coverage": coverage, "start_time": -0.5}
    recording = read(saved(tmp_path / "a.npz", **rows), RATE)

    assert (recording.n_bins, recording.start_time) == (90, -0.5)
    assert np.flatnonzero(~recording.observed).tolist() == [3, *range(40, 50)]
    assert recording.coverage[[3, 4, 45]].tolist() == [0.25, 1.0, 0.0]
    assert recording.counts[3].any()
    assert not recording.counts[40:50].any()


def test_without_a_table_trials_are_those_of_the_bins(tmp_path: Path) -> None:
    ids = np.repeat([7, -1, 9, 7], 20)
    target = np.repeat([[1.0, 0.0], [np.nan, np.nan], [0.0, 1.0], [1.0, 0.0]], 20, axis=0)
    told = {name: None for name in arrays() if name.startswith(("trial_", "target_", "success"))}
    recording = read(saved(tmp_path / "a.npz", **{**told, "trial_id": ids, "target": target}), RATE)

    assert [(t.start_time, t.stop_time) for t in recording.trials] == [(0.0, 0.5), (1.0, 1.5), (1.5, 2.0)]
    assert [(t.target_x, t.target_y) for t in recording.trials] == [(10, 0), (0, 10), (10, 0)]


def test_a_position_without_matching_times_is_told_and_not_taken(tmp_path: Path) -> None:
    recording = read(saved(tmp_path / "a.npz", position=np.zeros((33, 2))), RATE)

    assert recording.series["position"] is None
    (warning,) = recording.warnings
    assert "position is not taken as position: it has 33 samples, but 80 timestamps" in warning


def test_folder_offers_archives_beside_nwb_files(tmp_path: Path) -> None:
    for name in ("b.npz", "a.nwb", "c.NPZ", "d.npy"):
        (tmp_path / name).touch()
    assert [file.name for file in scan(tmp_path)] == ["a.nwb", "b.npz", "c.NPZ"]


def npy(header: str, content: bytes = b"") -> bytes:
    """An array file with a header of one's own."""
    text = (header + "\n").encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + content


def zipped(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return path


def of_shape(shape: str, descr: str = "<f8") -> Callable[[Path], object]:
    header = npy(f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}}}", bytes(64))
    return lambda path: zipped(path, counts=header)


def cut(path: Path, keep: float) -> None:
    content = saved(path).read_bytes()
    path.write_bytes(content[: int(keep * len(content))])


def flipped(path: Path) -> None:
    content = bytearray(saved(path).read_bytes())
    content[400] ^= 255
    path.write_bytes(content)


def bomb(path: Path) -> None:
    """An archive whose directory says that one array has more bytes than are read."""
    content = zipped(path, counts=bytes(77_777)).read_bytes()
    path.write_bytes(content.replace((77_777).to_bytes(4, "little"), (1_342_177_280).to_bytes(4, "little")))


def with_arrays(**other: Any) -> Callable[[Path], object]:
    return lambda path: saved(path, **other)


FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (lambda path: path.write_bytes(b""), "is empty"),
    "page": (lambda path: path.write_bytes(b"<!doctype html>"), "is a web page"),
    "noise": (lambda path: path.write_bytes(bytes(range(256))), "is not a ZIP archive, so not .npz"),
    "cut": (lambda path: cut(path, 0.7), "is truncated or damaged"),
    "cut short": (lambda path: cut(path, 0.01), "is truncated or damaged"),
    "flipped": (flipped, "is truncated or damaged"),
    "no arrays": (lambda path: zipfile.ZipFile(path, "w").writestr("notes.txt", "a"), "without arrays"),
    "many arrays": (lambda path: zipped(path, **{f"a{i}": b"" for i in range(1001)}), "has 1001 arrays"),
    "objects": (with_arrays(counts=np.array([{}, []], object)), "counts is an array of objects"),
    "objects elsewhere": (with_arrays(notes=np.array([{}], object)), "never loaded"),
    "huge": (of_shape("(1000000000000, 100)"), "claims the shape (1000000000000, 100)"),
    "huge and empty": (of_shape("(1000000000, 3)", "<U0"), "claims the shape"),
    "negative": (of_shape("(-1, -8)"), "is truncated or damaged"),
    "no dictionary": (lambda path: zipped(path, counts=npy("[" * 500)), "is truncated or damaged"),
    "no header": (lambda path: zipped(path, counts=b"abc"), "is truncated or damaged"),
    "bomb": (bomb, "claims 1.34 GB of arrays"),
    "no spikes": (with_arrays(counts=None), "has neither counts nor spike_times. It has bin_rate"),
    "no rate": (with_arrays(bin_rate=None), "not how wide its bins are"),
    "rate of nothing": (with_arrays(bin_rate=0.0), "bin_rate is 0"),
    "many rates": (with_arrays(bin_rate=[1.0, 2.0]), "bin_rate is not one number"),
    "tiny width": (with_arrays(bin_rate=None, bin_width=1e-300), "bins a second"),
    "negative counts": (with_arrays(counts=np.full((4, 2), -1)), "counts go from -1 to -1"),
    "rates": (with_arrays(counts=np.full((4, 2), 0.5)), "no whole numbers"),
    "NaN": (with_arrays(counts=np.full((4, 2), np.nan)), "counts go from nan"),
    "text": (with_arrays(counts=np.array([["a"]])), "not numbers (n_bins, n_units)"),
    "flat counts": (with_arrays(counts=np.zeros(9, int)), "not numbers (n_bins, n_units)"),
    "no units": (with_arrays(counts=np.zeros((9, 0), int)), "not numbers (n_bins, n_units)"),
    "observed": (with_arrays(observed=np.ones(3, bool)), "observed has the shape (3,), but there are 80"),
    "packet_id": (with_arrays(packet_id=np.zeros(N_BINS, int)), "packet_id is not the ascending numbers"),
    "far": (with_arrays(start_time=1e15), "start_time is 1e+15 s, beyond"),
    "trials": (with_arrays(trial_stop=np.ones(3)), "trial_start has 2 trials, but trial_stop has 3"),
    "text trials": (with_arrays(trial_start=np.array(["a", "b"])), "not times in s"),
    "no index": (with_arrays(**trains(spike_times_index=None)), "no spike_times_index"),
    "bad index": (with_arrays(**trains(spike_times_index=[9, 4])), "does not ascend to 4"),
    "no spike": (with_arrays(**trains(spike_times=[], spike_times_index=[0])), "units have no spikes"),
    "square": (with_arrays(**trains(spike_times=np.ones((2, 2)))), "not numbers in a row"),
    "intervals": (with_arrays(**trains(obs_intervals=np.ones(3))), "not (n, 2)"),
    "rate of another": (with_arrays(bin_rate=30.0), "cannot be replayed at 40 Hz"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_told_in_one_line(name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write, words = FAULTS[name]
    path = tmp_path / "a.npz"
    write(path)

    with pytest.raises(RecordingError) as refusal:
        read(path, RATE)
    message = str(refusal.value)
    assert words in message
    assert message.startswith("a.npz")
    assert "\n" not in message
    assert str(tmp_path) not in message
    assert len(message) < 320
    assert capfd.readouterr().err == ""


def test_a_look_at_the_file_refuses_what_its_headers_say(tmp_path: Path) -> None:
    FAULTS["huge"][0](tmp_path / "a.npz")
    with pytest.raises(RecordingError, match=r"^a\.npz: counts claims the shape"):
        read_inspected(tmp_path / "a.npz", RATE)
