"""MATLAB files of both kinds are recordings, in the layouts of public reaching data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from engine.errors import RecordingError
from engine.sources.recordings.readers import read, read_inspected, scan
from sessions.options import Options
from sessions.store import Store
from tests.engine.listening import Keeper
from tests.mat_builders import Write, cells, save_5, save_73, structs
from tests.sessions.serving import serving

RATE = 40.0
T = np.arange(501) / 250  # 2 s
ROOT = Path(__file__).parents[5]

both = pytest.mark.parametrize("write", [save_5, save_73], ids=["5", "7.3"])


def reaching(**other: Any) -> dict[str, Any]:
    """As O'Doherty, Cardoso, Makin and Sabes publish theirs: https://doi.org/10.5281/zenodo.788569."""
    cursor = np.column_stack((10 * T, -20 * T))
    finger = np.column_stack((0 * T, -cursor[:, 0] / 10, -cursor[:, 1] / 10))  # z, -x, -y in cm
    target = np.where((T < 1.0)[:, None], [30.0, 0.0], [0.0, 30.0])
    spikes = cells([0.01, 0.075, 1.5], [0.5], [0.6, 0.7], [], shape=(2, 2))  # channels by units
    names = cells("M1 001", "M1 002")
    made = {"t": T[:, None], "cursor_pos": cursor, "finger_pos": finger, "target_pos": target}
    return {**made, "spikes": spikes, "chan_names": names, **other}


@both
def test_spikes_in_cells_with_cursor_finger_and_target(write: Write, tmp_path: Path) -> None:
    recording = read_inspected(write(tmp_path / "indy.mat", reaching()), RATE)

    assert recording.channel_names == ("M1 001.0", "M1 002.0", "M1 001.1")
    assert recording.counts.sum(axis=0).tolist() == [3, 2, 1]
    assert np.flatnonzero(recording.counts[:, 0]).tolist() == [0, 3, 60]
    assert recording.length_unit == "mm"
    assert recording.series["position"]["name"] == "cursor_pos"
    np.testing.assert_allclose(recording.kinematics[10], [2.625, -5.25, 10, -20], rtol=1e-4)
    first, second = recording.trials
    assert (first.start_time, first.stop_time, first.target_x, first.target_y) == (0.0, 1.0, 30.0, 0.0)
    assert (second.start_time, second.target_x, second.target_y) == (1.0, 0.0, 30.0)
    assert (recording.warnings, len(recording.sha256)) == ((), 64)


@both
def test_a_finger_in_cm_moves_as_the_cursor_in_mm(write: Write, tmp_path: Path) -> None:
    path = write(tmp_path / "indy.mat", reaching())
    recording = read(path, RATE, series={"position": "finger_pos"})

    assert recording.series["position"]["how"] == "named by --series"
    np.testing.assert_allclose(recording.kinematics, read(path, RATE).kinematics, rtol=1e-4, atol=1e-4)


@both
def test_a_length_unit_is_taken_at_its_word(write: Write, tmp_path: Path) -> None:
    made = {name: value for name, value in reaching(length_unit="cm").items() if name != "finger_pos"}
    recording = read(write(tmp_path / "a.mat", made), RATE)

    np.testing.assert_allclose(recording.kinematics[10], [26.25, -52.5, 100, -200], rtol=1e-4)
    assert recording.trials[0].target_x == 300.0


@both
def test_arrays_in_a_struct_have_the_names_of_archives(write: Write, tmp_path: Path) -> None:
    centres = (np.arange(80) + 0.5) / RATE
    inside = {
        "counts": (np.arange(80)[:, None] + np.arange(3)) % 4,
        "bin_width": 0.025,
        "position": np.array([centres, 2 * centres]),  # (2, n)
        "trial_start": np.array([0.0, 1.0]),
        "trial_stop": np.array([1.0, 2.0]),
        "target_id": np.array([4, 5]),
    }
    recording = read(write(tmp_path / "a.mat", {"data": structs(inside)}), RATE)

    np.testing.assert_array_equal(recording.counts, inside["counts"])
    assert [trial.target_id for trial in recording.trials] == [4, 5]
    np.testing.assert_allclose(recording.kinematics[:, 2:], np.tile([1, 2], (80, 1)), rtol=1e-4)


def trial(n_bins: int, **other: Any) -> dict[str, Any]:
    made = (np.arange(n_bins)[:, None] + np.arange(3)) % 4
    position = np.column_stack((np.arange(n_bins), np.zeros(n_bins))) / RATE
    return {"counts": made, "cursor_pos": position, "target": np.array([[n_bins, 1.0]]), **other}


@both
def test_counts_in_a_struct_array_of_trials(write: Write, tmp_path: Path) -> None:
    made = [
        trial(20, start_time=0.5, go_cue=0.7, result="R"),
        trial(30, start_time=2.0, go_cue=2.1, result="F"),
    ]
    variables = {"trials": structs(*made), "bin_rate": RATE, "length_unit": "mm"}
    recording = read(write(tmp_path / "a.mat", variables), RATE)

    assert (recording.start_time, recording.n_bins) == (0.5, 90)
    np.testing.assert_array_equal(recording.counts[:20], made[0]["counts"])
    np.testing.assert_array_equal(recording.counts[60:], made[1]["counts"])
    assert np.flatnonzero(~recording.observed).tolist() == [*range(20, 60)]
    first, second = recording.trials
    assert (first.start_time, first.stop_time, second.stop_time) == (0.5, 1.0, 2.75)
    assert (first.target_x, second.target_x, second.go_cue_time) == (20.0, 30.0, 2.1)
    assert (first.success, second.success) == (True, False)
    np.testing.assert_allclose(recording.kinematics[65], [5 / RATE, 0, 1, 0], atol=1e-4)
    assert recording.warnings == ()


@both
def test_trials_without_times_are_laid_one_after_the_other(write: Write, tmp_path: Path) -> None:
    first, second = ({**trial(n), "counts": trial(n)["counts"].T} for n in (20, 30))  # units by bins
    variables = {"R": structs(first, second), "bin_size_ms": 25.0}
    recording = read(write(tmp_path / "a.mat", variables), RATE)

    assert [(t.start_time, t.stop_time) for t in recording.trials] == [(0.0, 0.5), (1.5, 2.25)]
    np.testing.assert_array_equal(recording.counts[60:], second["counts"].T)
    assert not recording.observed[20:60].any()
    assert recording.trial_tables["taken"]["name"] == "R"
    (warning,) = recording.warnings
    assert "have no start: they are laid one after the other, 1 s apart" in warning


@both
@pytest.mark.parametrize("shift", [0.0, 1.0], ids=["from the trial's start", "from the file's"])
def test_spike_times_in_a_struct_array_of_trials(write: Write, shift: float, tmp_path: Path) -> None:
    t = np.arange(100) / 100
    made = []
    for start in (1.0, 3.0):
        at = start * shift
        spikes = cells((np.array([0.01, 0.5]) + at)[:, None], np.array([[0.75 + at]]))
        hand = np.column_stack((t, -t))
        made.append(
            {"start_time": start, "stop_time": start + 1, "spikes": spikes, "t": t + at, "hand_pos": hand}
        )
    recording = read(write(tmp_path / "a.mat", {"trial_data": structs(*made)}), RATE)

    assert recording.start_time == 1.0
    assert np.flatnonzero(recording.counts[:, 0]).tolist() == [0, 20, 80, 100]
    assert np.flatnonzero(recording.counts[:, 1]).tolist() == [30, 110]
    assert np.flatnonzero(~recording.observed).tolist() == [*range(40, 80)]
    np.testing.assert_allclose(recording.kinematics[90], [0.2625, -0.2625, 1, -1], atol=1e-4)
    assert len(recording.trials) == 2


@both
def test_another_struct_array_is_named(write: Write, tmp_path: Path) -> None:
    many, few = structs(*[trial(20)] * 3), structs(trial(40), trial(40))
    path = write(tmp_path / "a.mat", {"trials": many, "catch_trials": few, "bin_rate": RATE})

    assert len(read(path, RATE).trials) == 3
    recording = read(path, RATE, trials="catch_trials")
    assert len(recording.trials) == 2
    assert recording.trial_tables["taken"]["name"] == "catch_trials"
    assert recording.trial_tables["taken"]["how"] == "named by --trials"
    assert [other["name"] for other in recording.trial_tables["passed_over"]] == ["trials"]
    with pytest.raises(RecordingError, match=r"^a\.mat has no trial table 'x'\. It has .*catch_trials"):
        read(path, RATE, trials="x")


@both
def test_a_session_plays_it(write: Write, tmp_path: Path) -> None:
    (file,) = scan(write(tmp_path / "indy.mat", reaching()).parent)
    with serving(Store({"indy": read_inspected(file, RATE)})) as call:
        session = call.store.create(options=Options(speed="max", loop=False))
        keeper = Keeper(session.replay)
        session.replay.start()
        rows = keeper.wait_rows(80)
        np.testing.assert_array_equal(rows["counts"], session.recording.counts[:80])
        assert call("GET", "/api/trials").json["count"] == 2


def saved(write: Write = save_5, **other: Any) -> Callable[[Path], object]:
    made = {name: value for name, value in reaching(**other).items() if value is not None}
    return lambda path: write(path, made)


def cut(write: Write, keep: float) -> Callable[[Path], object]:
    def make(path: Path) -> None:
        content = write(path, reaching()).read_bytes()
        path.write_bytes(content[: int(keep * len(content))])

    return make


def flipped(path: Path) -> None:
    content = bytearray(save_5(path, reaching()).read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)


def claiming(before: int, after: int, **variables: Any) -> Callable[[Path], object]:
    """A file one of whose dimensions is another one."""

    def make(path: Path) -> None:
        content = save_5(path, variables, compressed=False).read_bytes()
        changed = content.replace(before.to_bytes(4, "little"), after.to_bytes(4, "little"))
        assert changed != content
        path.write_bytes(changed)

    return make


def endless(path: Path) -> None:
    save_73(path, reaching())
    with h5py.File(path, "a") as file:
        file["#refs#/spikes_0"].attrs["MATLAB_class"] = np.bytes_("cell")
        del file["#refs#/spikes_0"]
        loop = file.create_dataset("#refs#/spikes_0", (1, 1), h5py.ref_dtype)
        loop.attrs["MATLAB_class"] = np.bytes_("cell")
        loop[0, 0] = loop.ref
        file["spikes"][0, 0] = loop.ref


def huge_73(path: Path) -> None:
    save_73(path, reaching())
    with h5py.File(path, "a") as file:
        del file["cursor_pos"]
        file.create_dataset("cursor_pos", (2, 10**10), "f8", chunks=(2, 1024))


def of_trials(*trials: dict[str, Any], **other: Any) -> Callable[[Path], object]:
    return lambda path: save_5(path, {"trials": structs(*trials), **other})


FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (lambda path: path.write_bytes(b""), "is empty"),
    "noise": (lambda path: path.write_bytes(bytes(range(256)) * 2), "is not a MATLAB file of version 5"),
    "short": (lambda path: path.write_bytes(b"MATLAB 5.0 MAT-file"), "is not a MATLAB file of version 5"),
    "cut": (cut(save_5, 0.7), "is truncated"),
    "cut 7.3": (cut(save_73, 0.7), "is truncated"),
    "flipped": (flipped, "is damaged"),
    "huge matrix": (claiming(77, 2**30, x=np.zeros((77, 1))), "claims 1073741824 values in 616 bytes"),
    "huge text": (claiming(77, 2**30, x="\u00e9" * 77), "claims 1073741824 values in 154 bytes"),
    "huge cells": (claiming(77, 2**30, x=cells(*[[1.0]] * 77)), "claims 1073741824 cells"),
    "huge in a struct": (
        claiming(77, 2**30, x=structs({"y": np.zeros((77, 1))})),
        "claims 1073741824 values",
    ),
    "huge 7.3": (huge_73, "more than fits into this file"),
    "endless": (endless, "cells without end"),
    "no spikes": (saved(spikes=None), "has neither counts nor spike_times. It has t, cursor_pos"),
    "empty cells": (saved(spikes=cells([], [])), "units have no spikes"),
    "text in cells": (saved(spikes=cells("a", "b")), "has neither counts nor spike_times"),
    "no width": (of_trials(trial(20), trial(30)), "trials.counts, but not how wide its bins are"),
    "other units": (
        of_trials(trial(20), trial(30, counts=np.zeros((7, 9))), bin_rate=RATE),
        "trials.counts has other units in each trial: (3, 20), (9, 7)",
    ),
    "overlap": (of_trials(trial(20, start=0.0), trial(30, start=0.1), bin_rate=RATE), "over one another"),
    "no start": (of_trials(trial(20, start=0.0), trial(30, start=np.nan), bin_rate=RATE), "do not start"),
    "spikes of some": (
        of_trials({"spikes": cells([0.1], [0.2])}, {"spikes": cells([0.1])}),
        "trials.spikes is not a cell array",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_told_in_one_line(name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    make, words = FAULTS[name]
    path = tmp_path / "a.mat"
    make(path)

    with pytest.raises(RecordingError) as refusal:
        read(path, RATE)
    message = str(refusal.value)
    assert words in message
    assert message.startswith("a.mat")
    assert "\n" not in message
    assert str(tmp_path) not in message
    assert len(message) < 320
    assert capfd.readouterr().err == ""


def test_a_look_at_the_file_refuses_what_its_shapes_claim(tmp_path: Path) -> None:
    FAULTS["huge text"][0](tmp_path / "a.mat")
    with pytest.raises(RecordingError, match=r"^a\.mat claims 1073741824 values"):
        read_inspected(tmp_path / "a.mat", RATE)
