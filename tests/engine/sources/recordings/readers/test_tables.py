"""Trials and units are found wherever they are, and whatever the table and its columns are called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hdmf.common import DynamicTable, VectorData
from pynwb.epoch import TimeIntervals
from pynwb.misc import Units

from engine.errors import RecordingError
from engine.sources.recordings.readers import read
from engine.sources.recordings.recording import Recording
from tests.given import given
from tests.nwb_builders import add_trials, nwb_file, save

SPIKES = (np.linspace(0.01, 9.9, 50),)


def intervals(name: str, n_rows: int = 3, **columns: Any) -> TimeIntervals:
    made = TimeIntervals(name=name, description="test")
    for column in columns:
        made.add_column(column, "test")
    for row in range(n_rows):
        cells = {column: values[row] for column, values in columns.items()}
        made.add_interval(start_time=float(row), stop_time=row + 0.5, **cells)
    return made


def recorded(folder: Path, *tables: TimeIntervals, place: str = "intervals", **wanted: Any) -> Recording:
    nwb = nwb_file(SPIKES)
    for table in tables:
        if place == "intervals":
            nwb.add_time_intervals(table)
        else:
            nwb.create_processing_module("behavior", "test").add(table)
    return read(save(nwb, folder / "a.nwb"), 40.0, **wanted)


def tables(recording: Recording) -> tuple[str | None, dict[str, str]]:
    taken = recording.trial_tables["taken"]
    return taken and taken["name"], {e["name"]: e["reason"] for e in recording.trial_tables["passed_over"]}


def test_a_published_table_of_another_name_is_taken() -> None:
    recording = read(given("cases/trials_named_otherwise.nwb"), 40.0)

    assert recording.trial_tables["taken"] == {
        "name": "reach_table",
        "path": "intervals/reach_table",
        "n_trials": 20,
        "how": "the likeliest of 1",
    }
    assert len(recording.trials) == 20
    assert recording.target_ids != ()


@pytest.mark.parametrize("place", ["intervals", "processing"])
def test_a_table_is_taken_for_what_it_says_of_trials(place: str, tmp_path: Path) -> None:
    recording = recorded(tmp_path, intervals("blocks", tgtDir=[0.0, 1.0, 0.0]), place=place)

    assert tables(recording) == ("blocks", {})
    assert [trial.target_id for trial in recording.trials] == [0, 1, 0]


def test_the_likeliest_is_taken_and_the_others_are_listed(tmp_path: Path) -> None:
    rest, reaches = intervals("rest_periods", 9), intervals("reaches", 2, target_id=[3, 4])
    recording = recorded(tmp_path, rest, reaches, intervals("center_out_trials", 3))

    assert tables(recording) == (
        "center_out_trials",
        {
            "reaches": "another one comes first",
            "rest_periods": "another one comes first",
        },
    )
    assert len(recording.trials) == 3


def test_a_table_that_does_not_speak_of_trials_is_left_to_a_person(tmp_path: Path) -> None:
    recording = recorded(tmp_path, intervals("sleep_states", 4))

    taken, passed = tables(recording)
    assert taken is None
    assert passed == {"sleep_states": "nothing in it speaks of trials; --trials sleep_states takes it"}
    assert len(recording.trials) == 1

    named = read(tmp_path / "a.nwb", 40.0, trials="sleep_states")
    assert tables(named) == ("sleep_states", {})
    assert named.trial_tables["taken"]["how"] == "named by --trials"
    assert len(named.trials) == 4


def test_the_trial_table_comes_first_unless_a_person_names_another(tmp_path: Path) -> None:
    nwb = add_trials(nwb_file(SPIKES), ((0.0, 1.0), (1.0, 2.0)), {})
    nwb.add_time_intervals(intervals("reaches", 5, target_id=[0, 1, 2, 3, 4]))
    path = save(nwb, tmp_path / "a.nwb")

    assert tables(read(path, 40.0))[0] == "trials"
    for name in ("reaches", "intervals/reaches"):
        assert len(read(path, 40.0, trials=name).trials) == 5
    with pytest.raises(RecordingError, match=r"has no trial table 'moves'\. It has trials, reaches\.$"):
        read(path, 40.0, trials="moves")


def test_a_trial_table_without_trials_gives_way_to_the_next(tmp_path: Path) -> None:
    nwb = add_trials(nwb_file(SPIKES), ((1.0, 1.0), (2.0, 2.0)), {})
    nwb.add_time_intervals(intervals("reaches", 5))
    recording = read(save(nwb, tmp_path / "a.nwb"), 40.0)

    assert tables(recording)[0] == "reaches"
    assert "trials" in tables(recording)[1]
    (said,) = recording.warnings
    assert said.startswith(
        "The trial table trials has no trial that can be played: 2 trials have no length"
    )


def test_invalid_times_are_no_trials(tmp_path: Path) -> None:
    nwb = nwb_file(SPIKES)
    nwb.add_invalid_time_interval(start_time=0.0, stop_time=1.0)
    assert tables(read(save(nwb, tmp_path / "a.nwb"), 40.0)) == (None, {})


@pytest.mark.parametrize(
    ("fact", "spellings"),
    [
        ("target_id", ("tgtDir", "tgt_dir", "TargetDirection", "TARGET_DIR", "targetId", "Tgt_ID")),
        ("go_cue_time", ("goCueTime", "Go_Cue", "GOCUE", "go_cue_time")),
        ("success", ("Success", "isSuccessful", "is_successful", "RESULT")),
        ("target_x", ("targetPos", "tgtLoc", "target_location", "TgtPos")),
    ],
)
def test_columns_are_known_whatever_their_case_and_underscores(
    fact: str, spellings: tuple[str, ...], tmp_path: Path
) -> None:
    cells = {
        "target_id": ([0.0, 1.0], [0, 1]),
        "go_cue_time": ([0.25, 1.25], [0.25, 1.25]),
        "success": ([True, False], [True, False]),
        "target_x": ([[5.0, 6.0], [7.0, 8.0]], [5.0, 7.0]),
    }
    values, expected = cells[fact]
    for spelling in spellings:
        columns = {spelling: values}
        nwb = add_trials(nwb_file(SPIKES), ((0.0, 1.0), (1.0, 2.0)), columns, ragged=0)
        recording = read(save(nwb, tmp_path / f"{spelling}.nwb"), 40.0)
        assert [getattr(trial, fact) for trial in recording.trials] == expected, spelling


def test_a_plain_table_with_starts_and_ends_may_be_the_trials(tmp_path: Path) -> None:
    nwb = nwb_file(SPIKES)
    cells = {"startTime": [0.0, 2.0], "EndTime": [1.0, 3.0], "tgtDir": [90, 0]}
    columns = [VectorData(name=name, description="test", data=data) for name, data in cells.items()]
    table = DynamicTable(name="trial_info", description="test", columns=columns)
    nwb.create_processing_module("behavior", "test").add(table)
    recording = read(save(nwb, tmp_path / "a.nwb"), 40.0)

    assert tables(recording)[0] == "trial_info"
    assert [(t.start_time, t.stop_time, t.target_id) for t in recording.trials] == [(0, 1, 1), (2, 3, 0)]


def test_units_in_a_processing_module_are_found() -> None:
    recording = read(given("cases/units_in_processing.nwb"), 40.0)

    assert recording.n_units == 12
    assert recording.counts.sum() == 7200


def test_units_with_spike_times_come_before_units_without_which_are_passed_over(tmp_path: Path) -> None:
    nwb = nwb_file(())
    nwb.add_unit_column("quality", "test")
    nwb.add_unit(quality=1.0)
    sorted_units = Units(name="sorted_units", description="test")
    sorted_units.add_unit(spike_times=[0.5, 1.0, 1.5])
    nwb.create_processing_module("ecephys", "test").add(sorted_units)
    recording = read(save(nwb, tmp_path / "a.nwb"), 40.0)

    assert recording.counts.sum() == 3
    assert {"name": "units", "path": "units", "reason": "units of another table come first"} in (
        recording.series["passed_over"]
    )
