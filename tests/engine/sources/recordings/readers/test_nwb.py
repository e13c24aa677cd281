"""Whatever a lab calls its columns and wherever it puts its series, the same recording comes out."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from pynwb import NWBFile
from pynwb.behavior import BehavioralTimeSeries, CompassDirection, EyeTracking, Position

from engine.bins.trials import Barrier
from engine.decoders.bins import Bins
from engine.errors import RecordingError
from engine.sources.recordings.readers import read
from engine.sources.recordings.readers.trials import MOST_BARRIERS
from engine.sources.recordings.recording import Recording
from tests.nwb_builders import add_behavior, add_trials, nwb_file, ramp, samples, save, small_nwb

SPANS = ((0.0, 1.0), (1.0, 2.0), (2.0, 2.5))
STILL = np.zeros((201, 2))


def recorded(nwb: NWBFile, folder: Path, **series: str) -> Recording:
    return read(save(nwb, folder / "a.nwb"), 40.0, series)


def chosen(recording: Recording) -> tuple[str | None, str | None]:
    position, velocity = recording.series["position"], recording.series["velocity"]
    return position and position["name"], velocity and velocity["name"]


def reason(recording: Recording, name: str) -> str:
    return next(str(entry["reason"]) for entry in recording.series["passed_over"] if entry["name"] == name)


def moves_as_the_ramp(recording: Recording, scale: float = 1.0) -> None:
    """Position is the ramp and velocity its slope, but for the ends."""
    inside = slice(1, 78)
    expected = recording.centres[:, None] * scale * np.array([10.0, -20.0])
    np.testing.assert_allclose(recording.kinematics[inside, :2], expected[inside], atol=1e-3)
    np.testing.assert_allclose(
        recording.kinematics[inside, 2:], [[10.0 * scale, -20.0 * scale]] * 77, rtol=1e-4
    )


def test_schema_of_mc_maze(tmp_path: Path) -> None:
    recording = read(small_nwb(tmp_path / "small.nwb"), 40.0)

    assert recording.name == "small"
    assert recording.channel_names == ("unit 0", "unit 1", "unit 2")
    assert recording.length_unit == "mm"
    assert len(recording.sha256) == 64
    assert chosen(recording) == ("cursor_pos", "hand_vel")
    assert reason(recording, "hand_pos") == "another one comes first"
    json.dumps(dict(recording.series))
    assert recording.counts[[0, 3, 60], 0].tolist() == [1, 1, 1]
    assert np.flatnonzero(~recording.observed).tolist() == list(range(32, 40))
    assert np.isnan(recording.kinematics[32:40]).all()
    first, second = recording.trials
    assert (first.target_id, first.target_x, first.target_y) == (1, 0.0, 50.0)
    assert first.target_pos == ((50.0, 0.0), (0.0, 50.0))
    assert second.target_pos == ((-50.0, 0.0),)
    assert first.barriers == (Barrier(25.0, 0.0, 2.0, 9.0), Barrier(0.0, 25.0, 9.0, 2.0))
    assert second.barriers == (Barrier(-25.0, 0.0, 2.0, 9.0),)
    assert (first.go_cue_time, first.success, second.success) == (0.3, True, False)
    assert math.isnan(second.move_onset_time)
    assert first.columns["split"] == "train"
    assert first.columns["num_targets"] == 2
    assert {type(value) for value in first.columns.values()} <= {int, float, str, bool}
    assert "target_pos" not in first.columns


@pytest.mark.parametrize(
    "place",
    [
        lambda nwb, series: add_behavior(nwb, series),
        lambda nwb, series: add_behavior(nwb, Position(name="where", spatial_series=series)),
        lambda nwb, series: nwb.create_processing_module("kin", "k").add(Position(spatial_series=series)),
        lambda nwb, series: nwb.add_acquisition(series),
        lambda nwb, series: nwb.add_acquisition(Position(spatial_series=series)),
        lambda nwb, series: nwb.add_analysis(series),
        lambda nwb, series: nwb.add_scratch(series),
    ],
)
def test_position_is_found_wherever_it_is(place: Callable[[NWBFile, Any], object], tmp_path: Path) -> None:
    nwb = nwb_file()
    place(nwb, samples("finger_pos", ramp()))
    recording = recorded(nwb, tmp_path)

    assert chosen(recording) == ("finger_pos", "finger_pos")
    assert recording.series["velocity"]["how"] == "gradient of the position"
    moves_as_the_ramp(recording)


def test_series_in_behavioral_time_series_and_other_containers(tmp_path: Path) -> None:
    slope = np.tile([10.0, -20.0], (201, 1))
    nwb = add_behavior(
        nwb_file(),
        BehavioralTimeSeries(
            time_series=[samples("cursor_vel", slope, "mm/s"), samples("emg", STILL, "V/s")]
        ),
        CompassDirection(spatial_series=samples("head", np.zeros(201), "radians")),
        EyeTracking(spatial_series=samples("gaze", STILL, "mm")),
        Position(spatial_series=samples("cursor", ramp())),
    )
    recording = recorded(nwb, tmp_path)

    assert chosen(recording) == ("cursor", "cursor_vel")
    assert recording.series["position"]["path"] == "processing/behavior/Position/cursor"
    assert "neither" in reason(recording, "head")
    assert "neither" in reason(recording, "emg")
    assert reason(recording, "gaze") == "another one comes first"
    moves_as_the_ramp(recording)


def test_rate_and_starting_time_stand_for_timestamps(tmp_path: Path) -> None:
    nwb = nwb_file()
    late = ramp()[50:]
    nwb.add_acquisition(samples("hand_pos", late, rate=100.0, starting_time=0.5))
    recording = recorded(nwb, tmp_path)

    centres = recording.centres
    assert np.isnan(recording.kinematics[centres < 0.494]).all()
    np.testing.assert_allclose(recording.kinematics[21:80, 0], 10 * centres[21:80], atol=1e-4)


@pytest.mark.parametrize(
    ("unit", "factor", "length_unit"),
    [
        ("mm", 1.0, "mm"),
        ("meters", 1000.0, "mm"),
        ("cm", 10.0, "mm"),
        ("px", 1.0, "px"),
        ("", 1.0, "unknown"),
    ],
)
def test_metric_lengths_become_mm_and_targets_with_them(
    unit: str, factor: float, length_unit: str, tmp_path: Path
) -> None:
    nwb = add_behavior(nwb_file(), samples("hand_pos", ramp(), unit))
    add_trials(nwb, SPANS, {"tgt_loc": [[1.0, 2.0], [3.0, 4.0], [1.0, 2.0]]})
    recording = recorded(nwb, tmp_path)

    assert recording.length_unit == length_unit
    moves_as_the_ramp(recording, factor)
    assert (recording.trials[1].target_x, recording.trials[1].target_y) == (3 * factor, 4 * factor)
    assert [trial.target_id for trial in recording.trials] == [0, 1, 0]
    distance = np.hypot(factor - recording.kinematics[4, 0], 2 * factor - recording.kinematics[4, 1])
    np.testing.assert_allclose(recording.bins["intention"][4, 3], distance, rtol=1e-5)


def test_conversion_and_offset_apply_to_integers_before_the_unit(tmp_path: Path) -> None:
    raw = np.rint(ramp() * 100).astype(np.int16)
    nwb = add_behavior(
        nwb_file(),
        samples("hand_pos", raw, "m", conversion=1e-5, offset=0.5),
        samples("hand_vel", np.tile([1, -2], (201, 1)), "cm/s"),
    )
    recording = recorded(nwb, tmp_path)

    np.testing.assert_allclose(recording.kinematics[10, 0], 500 + 10 * recording.centres[10], rtol=1e-5)
    np.testing.assert_allclose(recording.kinematics[10, 2:], [10.0, -20.0])


def test_velocity_without_position_and_nothing_at_all(tmp_path: Path) -> None:
    slope = np.tile([1.0, 2.0], (201, 1))
    recording = recorded(add_behavior(nwb_file(), samples("finger_vel", slope, "m/s")), tmp_path)
    assert chosen(recording) == (None, "finger_vel")
    assert recording.length_unit == "mm"
    assert np.isnan(recording.kinematics[:, :2]).all()
    np.testing.assert_allclose(recording.kinematics[5, 2:], [1000.0, 2000.0])

    recording = recorded(nwb_file(), tmp_path)
    assert chosen(recording) == (None, None)
    assert np.isnan(recording.kinematics).all()
    assert recording.counts.sum() == 4


def test_velocity_of_another_effector_is_passed_over_unless_it_is_hand_vel(tmp_path: Path) -> None:
    slope = np.tile([10.0, -20.0], (201, 1))
    nwb = add_behavior(nwb_file(), samples("cursor_pos", ramp()), samples("finger_vel", slope * 2, "mm/s"))
    recording = recorded(nwb, tmp_path)
    assert recording.series["velocity"]["how"] == "gradient of the position"
    assert reason(recording, "finger_vel") == "it is not the velocity of cursor_pos"

    add_behavior(nwb := nwb_file(), samples("cursor_pos", ramp()), samples("hand_vel", slope, "mm/s"))
    assert chosen(recorded(nwb, tmp_path)) == ("cursor_pos", "hand_vel")
    add_behavior(
        nwb := nwb_file(),
        *(samples("cursor_pos", ramp()), samples("hand_vel", slope, "mm/s")),
        samples("cursor_vel", slope, "mm/s"),
    )
    assert chosen(recorded(nwb, tmp_path)) == ("cursor_pos", "cursor_vel")


def test_velocity_in_a_unit_that_does_not_go_with_the_position_is_passed_over(tmp_path: Path) -> None:
    nwb = add_behavior(nwb_file(), samples("hand_pos", ramp(), "px"), samples("hand_vel", STILL, "m/s"))
    recording = recorded(nwb, tmp_path)

    assert "does not go with" in reason(recording, "hand_vel")
    moves_as_the_ramp(recording)


def test_first_two_of_three_dimensions_and_one_alone(tmp_path: Path) -> None:
    nwb = add_behavior(nwb_file(), samples("hand_pos", ramp(slope=(10.0, -20.0, 5.0))))
    moves_as_the_ramp(recorded(nwb, tmp_path))

    nwb = add_behavior(nwb_file(), samples("hand_pos", ramp(slope=(10.0,))[:, 0]))
    recording = recorded(nwb, tmp_path)
    np.testing.assert_allclose(
        recording.kinematics[4, [0, 2]], [10 * recording.centres[4], 10.0], rtol=1e-4
    )
    assert np.isnan(recording.kinematics[:, [1, 3]]).all()


def test_series_without_usable_samples_are_passed_over(tmp_path: Path) -> None:
    cube = samples("cursor_pos", np.zeros((201, 2, 2)))
    nothing = samples("hand_pos", np.full((201, 2), np.nan))
    nwb = add_behavior(nwb_file(), cube, nothing, samples("wrist", ramp()))
    recording = recorded(nwb, tmp_path)

    assert chosen(recording)[0] == "wrist"
    assert "shape" in reason(recording, "cursor_pos")
    assert "fewer than two" in reason(recording, "hand_pos")


def test_named_series_are_taken_by_name_or_path(tmp_path: Path) -> None:
    small = small_nwb(tmp_path / "small.nwb")
    recording = read(small, 40.0, {"position": "hand_pos"})
    assert chosen(recording) == ("hand_pos", "hand_vel")
    np.testing.assert_allclose(recording.kinematics[4, 0], 5 + 10 * recording.centres[4], rtol=1e-4)
    path = "processing/behavior/hand_pos"
    assert chosen(read(small, 40.0, {"position": path})) == ("hand_pos", "hand_vel")


@pytest.mark.parametrize(
    ("series", "words"),
    [
        (
            {"position": "elbow"},
            "small.nwb has no series 'elbow' for position. It has cursor_pos, hand_pos",
        ),
        ({"speed": "hand_vel"}, "There is no series for 'speed'"),
    ],
)
def test_names_that_do_not_exist_are_refused_with_those_that_do(
    series: dict[str, str], words: str, tmp_path: Path
) -> None:
    with pytest.raises(RecordingError, match=words):
        read(small_nwb(tmp_path / "small.nwb"), 40.0, series)


def test_named_series_that_is_bad_is_refused_and_a_bad_velocity_is_passed_over(tmp_path: Path) -> None:
    path = small_nwb(tmp_path / "a.nwb")
    with h5py.File(path, "a") as file:
        file["processing/behavior/hand_vel/timestamps"][5] = np.nan
    recording = read(path, 40.0)
    assert "NaN" in reason(recording, "hand_vel")
    assert recording.series["velocity"]["how"] == "gradient of the position"
    with pytest.raises(RecordingError, match=r"a\.nwb: hand_vel cannot be used"):
        read(path, 40.0, {"velocity": "hand_vel"})


def test_without_trials_the_file_is_one_trial_and_starts_with_its_first_observation(tmp_path: Path) -> None:
    recording = recorded(nwb_file([[10.13, 10.26]]), tmp_path)

    (trial,) = recording.trials
    assert recording.start_time == 10.125
    assert (trial.trial_id, trial.start_time, trial.stop_time) == (0, 10.125, 10.275)
    assert (recording.bins["trial"] == 0).all()
    assert recording.observed.all()
    assert recording.counts[:, 0].tolist() == [1, 0, 0, 0, 0, 1]


def test_columns_of_other_labs(tmp_path: Path) -> None:
    columns: dict[str, Any] = {
        "target_dir": (1.57, 0.0, float("nan")),
        "result": ("R", "F", "?"),
        "Go_Cue": (0.2, 1.2, 2.2),
    }
    recording = recorded(add_trials(nwb_file(), SPANS, columns), tmp_path)

    assert [trial.target_id for trial in recording.trials] == [1, 0, None]
    assert [trial.success for trial in recording.trials] == [True, False, None]
    assert recording.trials[1].go_cue_time == 1.2
    assert recording.trials[0].columns["result"] == "R"
    assert math.isnan(recording.trials[0].target_x)

    columns = {"target_id": (5.0, float("nan"), 3.0), "success": (1, 0, 1), "target_pos": [[1, 2, 3]] * 3}
    recording = recorded(add_trials(nwb_file(), SPANS, columns, ragged=0), tmp_path)
    assert [trial.target_id for trial in recording.trials] == [5, None, 3]
    assert [trial.success for trial in recording.trials] == [True, False, True]
    assert recording.trials[0].target_pos == ((1.0, 2.0),)

    columns = {"target": ("left", "right", "left"), "target_pos": ([1.0, 2.0], [3.0, 4.0], [])}
    recording = recorded(add_trials(nwb_file(), SPANS, columns), tmp_path)
    assert [trial.target_id for trial in recording.trials] == [0, 1, 0]
    assert [trial.target_pos for trial in recording.trials] == [((1.0, 2.0),), ((3.0, 4.0),), ()]


def test_trials_are_in_order_of_their_start_and_need_one(tmp_path: Path) -> None:
    spans = ((1.0, 1.5), (0.0, 0.5), (float("nan"), 2.0), (1.0, 0.5))
    recording = recorded(add_trials(nwb_file(), spans, {}), tmp_path)

    assert [trial.trial_id for trial in recording.trials] == [1, 0]


def test_columns_that_refer_to_series_or_lists_are_left_out(tmp_path: Path) -> None:
    nwb = nwb_file()
    add_behavior(nwb, position := samples("hand_pos", ramp()))
    nwb.add_trial_column("notes", "ragged", index=1)
    nwb.add_trial_column("corner", "two numbers")
    nwb.add_trial(start_time=0.0, stop_time=1.0, timeseries=[position], notes=["a", "b"], corner=[1, 2])
    recording = recorded(nwb, tmp_path)

    assert dict(recording.trials[0].columns) == {}


@pytest.mark.parametrize(
    ("fields", "synthetic"),
    [
        ({"session_description": "Synthetic reaches"}, True),
        ({"keywords": ["reach", "synthetic"]}, True),
        ({"notes": "This is synthetic."}, True),
        ({"notes": "photosynthetic"}, False),
        ({}, False),
    ],
)
def test_file_says_whether_it_is_synthetic(fields: dict[str, Any], synthetic: bool, tmp_path: Path) -> None:
    assert recorded(nwb_file(**fields), tmp_path).synthetic is synthetic


def test_nothing_is_written_to_stderr_and_the_file_is_closed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = small_nwb(tmp_path / "a.nwb")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        read(path, 40.0)

    assert not caught
    assert capfd.readouterr().err == ""
    with h5py.File(path, "a"):  # refused while someone has it open
        pass


def test_bins_that_were_recorded_in_part_say_how_much_and_keep_the_files_counts(tmp_path: Path) -> None:
    trains = ([0.005, 0.021, 0.04, 0.06, 0.99],)
    recording = recorded(nwb_file(trains, obs_intervals=[[0.0, 0.02], [0.035, 0.06]]), tmp_path)

    assert recording.coverage[:4].tolist() == [0.8, 0.6, 0.4, 0.0]
    assert recording.observed[:4].tolist() == [True, True, False, False]
    assert recording.counts[:4, 0].tolist() == [2, 1, 1, 0]
    bins = Bins.from_npz(Bins.of(recording).to_npz())
    np.testing.assert_array_equal(bins.coverage, recording.coverage)
    np.testing.assert_array_equal(bins.counts, recording.counts)


@pytest.mark.parametrize(
    ("cell", "walls"),
    [
        ([[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, float("nan"), 8.0], [5.0, 6.0, -1.0, 8.0]], 1),
        ([[1.0, 2.0, 3.0]], 0),
        ([[1.0, 2.0, 3.0, 4.0]] * MOST_BARRIERS, MOST_BARRIERS),
        ([[1.0, 2.0, 3.0, 4.0]] * (MOST_BARRIERS + 1), 0),
    ],
    ids=["unknown and impossible", "no rectangles", "many", "too many"],
)
def test_barriers_are_those_that_can_be(cell: list[list[float]], walls: int, tmp_path: Path) -> None:
    nwb = add_trials(nwb_file(), SPANS, {"barrier_pos": [cell] * 3}, ragged=0)
    assert [len(trial.barriers) for trial in recorded(nwb, tmp_path).trials] == [walls] * 3


def test_barriers_that_are_text_are_none(tmp_path: Path) -> None:
    nwb = add_trials(nwb_file(), SPANS, {"barrier_pos": ("left", "right", "none")}, ragged=0)
    assert [trial.barriers for trial in recorded(nwb, tmp_path).trials] == [()] * 3
