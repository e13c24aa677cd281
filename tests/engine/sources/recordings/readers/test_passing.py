"""What is not replayed cannot refuse a file: it is passed over by name, and the rest is as without it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hdmf.common import VectorData
from pynwb.file import Subject

from engine.errors import RecordingError
from engine.sources.recordings.readers import read
from engine.sources.recordings.recording import Recording
from tests.nwb_builders import add_behavior, nwb_file, ramp, samples, save, small_nwb

CURSOR = "processing/behavior/cursor_pos"


def rich_nwb(path: Path) -> Path:
    """`small_nwb`'s schema with a subject, electrodes that units refer to, and a further table."""
    nwb = nwb_file(obs_intervals=[[0.0, 2.0]])
    nwb.subject = Subject(subject_id="m1", species="Macaca mulatta", sex="F", age="P5Y")
    device = nwb.create_device("array")
    group = nwb.create_electrode_group("m1", description="x", location="x", device=device)
    nwb.add_electrode(group=group, location="x")
    nwb.add_unit_column("quality", "x", data=[1.0, 2.0, 3.0])
    add_behavior(
        nwb, samples("cursor_pos", ramp()), samples("pupil", ramp()), samples("force", ramp(), "N")
    )
    nwb.add_trial_column("go_cue", "x")
    for start in (0.0, 1.0):
        nwb.add_trial(start_time=start, stop_time=start + 1, go_cue=start + 0.3)
    nwb.add_epoch(0.0, 1.0, ["x"])
    return save(nwb, path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rich_nwb(tmp_path_factory.mktemp("whole") / "a.nwb")


@pytest.fixture(scope="module")
def before(whole: Path) -> Recording:
    """What is read of it."""
    return read(whole, 40.0)


@pytest.fixture
def path(whole: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    return shutil.copy(whole, tmp_path / "a.nwb")


def replace(file: h5py.File, place: str, link: Any) -> None:
    del file[place]
    if link is not None:
        file[place] = link


def no_age(file: h5py.File) -> None:
    replace(file, "general/subject/age", np.array([b"P5Y", b"P6Y"]))


def no_subject_type(file: h5py.File) -> None:
    file["general/subject"].attrs["neurodata_type"] = "Nonsense"


def no_series_type(file: h5py.File) -> None:
    file["processing/behavior/pupil"].attrs["neurodata_type"] = np.array([b"a", b"b"])


def odd_timestamps(file: h5py.File, place: str = "processing/behavior/force") -> None:
    del file[f"{place}/timestamps"]
    made = file[place].create_dataset("timestamps", data=np.zeros((7, 2)))
    made.attrs.update({"interval": 1, "unit": "seconds"})


def link_to_nothing(file: h5py.File) -> None:
    replace(file, "processing/behavior/force", h5py.SoftLink("/nowhere"))


def link_elsewhere(file: h5py.File) -> None:
    replace(file, "processing/behavior/pupil", h5py.ExternalLink("raw_data.nwb", "/x"))


def no_electrodes(file: h5py.File) -> None:
    replace(file, "general/extracellular_ephys/electrodes/location", None)


def no_epoch_starts(file: h5py.File) -> None:
    replace(file, "intervals/epochs/start_time", None)


def no_schema(file: h5py.File) -> None:
    for versions in file["specifications"].values():
        for version in versions.values():
            del version["namespace"]
            version["namespace"] = "{"


def two_at_once(file: h5py.File) -> None:
    no_subject_type(file)
    odd_timestamps(file)


@pytest.mark.parametrize(
    ("damage", "names"),
    [
        (no_age, ["subject"]),
        (no_subject_type, ["subject"]),
        (no_series_type, ["pupil"]),
        (odd_timestamps, ["force"]),
        (link_to_nothing, ["force"]),
        (link_elsewhere, ["pupil"]),
        (no_electrodes, ["extracellular_ephys"]),
        (no_epoch_starts, ["epochs"]),
        (no_schema, ["specifications"]),
        (two_at_once, ["force", "subject"]),
    ],
)
def test_what_nobody_needs_is_passed_over_by_name(
    damage: Callable[[h5py.File], None], names: list[str], path: Path, before: Recording
) -> None:
    with h5py.File(path, "a") as file:
        damage(file)

    recording = read(path, 40.0)

    told = {each["name"]: each["reason"] for each in recording.series["passed_over"]}
    usual = {each["name"]: each["reason"] for each in before.series["passed_over"]}
    assert set(names) <= told.keys()
    for name in names:
        assert told[name] != usual.get(name)
        assert "Could not" not in told[name]
        assert "object" not in told[name]
    assert recording.bins.tobytes() == before.bins.tobytes()
    assert [trial.go_cue_time for trial in recording.trials] == [0.3, 1.3]


def test_timestamps_of_another_shape_pass_a_series_over(path: Path) -> None:
    with h5py.File(path, "a") as file:
        odd_timestamps(file, CURSOR)

    recording = read(path, 40.0)

    assert recording.series["position"]["name"] == "pupil"
    (reason,) = [e["reason"] for e in recording.series["passed_over"] if e["name"] == "cursor_pos"]
    assert reason == "it is not valid NWB"


def test_a_broken_series_that_a_person_names_is_refused(tmp_path: Path) -> None:
    path = small_nwb(tmp_path / "a.nwb")
    with h5py.File(path, "a") as file:
        replace(file, CURSOR, h5py.ExternalLink("raw_data.nwb", "/x"))

    assert read(path, 40.0).series["position"]["name"] == "hand_pos"
    with pytest.raises(RecordingError, match=r"cursor_pos cannot be used: it is a link to raw_data"):
        read(path, 40.0, {"position": "cursor_pos"})


def test_a_tables_list_of_columns_may_be_wrong(tmp_path: Path) -> None:
    path = small_nwb(tmp_path / "a.nwb")
    whole = read(path, 40.0)
    with h5py.File(path, "a") as file:
        file["units"].attrs["colnames"] = ["nope"]

    assert read(path, 40.0).bins.tobytes() == whole.bins.tobytes()


def test_an_index_may_refer_to_a_column_that_was_replaced(tmp_path: Path) -> None:
    path = small_nwb(tmp_path / "a.nwb")
    whole = read(path, 40.0)
    with h5py.File(path, "a") as file:
        times, reference = file["units/spike_times"][:], dict(file["units/spike_times"].attrs)
        del file["units/spike_times"]
        file["units"].create_dataset("spike_times", data=times).attrs.update(reference)

    assert read(path, 40.0).bins.tobytes() == whole.bins.tobytes()


def test_a_column_of_trials_that_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    nwb = nwb_file()
    nwb.add_trial(start_time=0.0, stop_time=1.0)
    nwb.trials.add_column("note", "x", data=VectorData(name="note", description="x", data=["a"]).data)
    path = save(nwb, tmp_path / "a.nwb")
    with h5py.File(path, "a") as file:
        reference = dict(file["intervals/trials/note"].attrs)
        del file["intervals/trials/note"]
        how = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        how.set_chunk((1,))
        how.set_filter(32_999, h5py.h5z.FLAG_OPTIONAL, ())
        space = h5py.h5s.create_simple((1,))
        made = h5py.h5d.create(file["intervals/trials"].id, b"note", h5py.h5t.IEEE_F64LE, space, how)
        made.write_direct_chunk((0,), bytes(8))
        file["intervals/trials/note"].attrs.update(reference)

    recording = read(path, 40.0)

    assert len(recording.trials) == 1
    assert "note" not in recording.trials[0].columns
    (warning,) = recording.warnings
    assert "its column note is compressed by the HDF5 filter 32999" in warning


@pytest.mark.parametrize("damage", [link_to_nothing, odd_timestamps, no_series_type])
@pytest.mark.parametrize("name", ["cursor_pos", "cursor_vel"])
def test_a_broken_position_or_velocity_that_gave_way_is_told(
    damage: Callable[[h5py.File], None], name: str, tmp_path: Path
) -> None:
    nwb = nwb_file()
    kind, unit = {"cursor_pos": ("position", "mm"), "cursor_vel": ("velocity", "mm/s")}[name]
    add_behavior(nwb, samples("hand_pos", ramp()), samples(name, ramp(), unit))
    path = save(nwb, tmp_path / "a.nwb")
    with h5py.File(path, "a") as file:
        place = f"processing/behavior/{name}"
        if damage is link_to_nothing:
            replace(file, place, h5py.SoftLink("/nowhere"))
        elif damage is odd_timestamps:
            odd_timestamps(file, place)
        else:
            file[place].attrs["neurodata_type"] = np.array([b"a", b"b"])

    recording = read(path, 40.0)

    assert recording.series["position"]["name"] == "hand_pos"
    (said,) = recording.warnings
    assert said.startswith(f"{name} is not taken as {kind}: ")
    assert said.endswith(f"--series {kind}=NAME chooses among the others.")
