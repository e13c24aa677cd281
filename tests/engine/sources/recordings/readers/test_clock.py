"""Times that cannot be of one clock are told, with what was done and the option that mends them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.errors import BadSetting, RecordingError
from engine.sources.recordings.readers import read
from engine.sources.recordings.readers.wanted import seconds_in
from tests.given import given
from tests.nwb_builders import add_behavior, add_trials, nwb_file, ramp, samples, save

SPIKES = np.linspace(0.01, 59.9, 400)
MINUTE = np.arange(6001) / 100


def written(path: Path, trains: Any, trials: Any = ((0.0, 30.0), (30.0, 60.0)), **fields: Any) -> Path:
    """One minute of behaviour beside some spike times."""
    nwb = nwb_file(trains, **fields)
    add_behavior(nwb, samples("cursor_pos", ramp(6001), timestamps=MINUTE))
    return save(add_trials(nwb, trials, {}), path)


def test_a_file_of_one_clock_has_no_warning(tmp_path: Path) -> None:
    assert read(written(tmp_path / "a.nwb", [SPIKES]), 40.0).warnings == ()


@pytest.mark.parametrize(
    ("factor", "whole", "option"),
    [
        (1e3, False, "ms"),
        (1e3, True, "ms"),
        (1e6, False, "us"),
        (1e6, True, "us"),
        (30_000, True, "samples:30000"),
        (24_414.0625, True, "samples:"),
    ],
)
def test_spike_times_in_another_unit_are_told_with_the_option_that_mends_them(
    factor: float, whole: bool, option: str, tmp_path: Path
) -> None:
    times = SPIKES * factor
    path = written(tmp_path / "a.nwb", [np.rint(times) if whole else times])

    try:
        (said,) = read(path, 1.0).warnings
        assert said.endswith("They are replayed as the seconds that the file says they are.")
    except RecordingError as refusal:  # more bins than can be
        said = str(refusal)

    assert "times later than all else (60 s)" in said
    assert f"--spike-times-in {option}" in said
    assert "--rate" not in said


@pytest.mark.parametrize(("unit", "factor"), [("ms", 1e3), ("us", 1e6), ("samples:30000", 3e4), ("s", 1.0)])
def test_the_option_makes_the_recording_what_it_is_in_seconds(
    unit: str, factor: float, tmp_path: Path
) -> None:
    intervals = np.array([[0.0, 20.0], [25.0, 61.0]])
    right = read(written(tmp_path / "right.nwb", [SPIKES], obs_intervals=intervals), 40.0)
    path = written(tmp_path / "wrong.nwb", [SPIKES * factor], obs_intervals=intervals * factor)

    mended = read(path, 40.0, spike_times_in=unit)

    assert mended.warnings == ()
    assert mended.bins.tobytes() == right.bins.tobytes()


@pytest.mark.parametrize(("name", "unit"), [("spikes_in_ms", "ms"), ("spikes_in_samples", "samples:30000")])
def test_published_files_are_mended(name: str, unit: str) -> None:
    recording = read(given(f"cases/{name}.nwb"), 40.0, spike_times_in=unit)

    assert recording.warnings == ()
    assert recording.duration == 60.0
    assert len(recording.trials) == 20


def test_a_file_that_is_too_long_for_its_unit_is_not_told_to_choose_a_lower_rate() -> None:
    with pytest.raises(RecordingError, match=r"--spike-times-in samples:30000 reads them so\.$") as refusal:
        read(given("cases/spikes_in_samples.nwb"), 40.0)
    assert "rate" not in str(refusal.value).replace("--spike-times-in samples:RATE", "")


def test_sentinels_are_left_out_and_counted(tmp_path: Path) -> None:
    trains = [np.append(SPIKES, [-1.0, -1.0]), [-999.0], SPIKES]
    recording = read(written(tmp_path / "a.nwb", trains), 40.0)

    (said,) = recording.warnings
    assert said.startswith("3 spike times are -999 or -1, which marks a spike that is not there")
    assert recording.start_time == 0.0
    assert recording.counts.sum(axis=0).tolist() == [400, 0, 400]


def test_spike_times_that_are_no_numbers_are_left_out_and_counted(tmp_path: Path) -> None:
    trains = [np.append(SPIKES, [np.nan, np.inf]), [np.nan], SPIKES]
    recording = read(written(tmp_path / "a.nwb", trains), 40.0)

    (said,) = recording.warnings
    assert said.startswith("3 spike times are NaN or infinite: they are left out.")
    assert recording.counts.sum(axis=0).tolist() == [400, 0, 400]


def test_spikes_before_time_zero_are_no_sentinels(tmp_path: Path) -> None:
    recording = read(written(tmp_path / "a.nwb", [np.append(-SPIKES[:3], SPIKES)]), 40.0)

    assert recording.warnings == ()
    assert recording.counts.sum() == 403


def test_a_train_that_begins_anew_is_told_by_unit_and_spike(tmp_path: Path) -> None:
    trains = [SPIKES, np.concatenate((SPIKES[:200], SPIKES[:200]))]
    recording = read(written(tmp_path / "a.nwb", trains), 40.0)

    (said,) = recording.warnings
    assert said.startswith("The spike times of 1 units begin anew part way: unit 1 goes from 29.8")
    assert "at its spike 200" in said
    assert recording.counts.sum() == 800


def test_spikes_a_little_out_of_order_are_no_new_beginning(tmp_path: Path) -> None:
    swapped = SPIKES.copy()
    swapped[[100, 101]] = swapped[[101, 100]]
    assert read(written(tmp_path / "a.nwb", [swapped]), 40.0).warnings == ()


def test_a_stray_spike_is_no_unit(tmp_path: Path) -> None:
    (said,) = read(written(tmp_path / "a.nwb", [np.append(SPIKES, 5000.0)]), 40.0).warnings
    assert "They are 1 of 401: repair those." in said


def test_trials_and_series_that_go_on_far_beyond_the_rest_are_told(tmp_path: Path) -> None:
    trials = ((0.0, 30_000.0), (30_000.0, 60_000.0))
    (said,) = read(written(tmp_path / "trials.nwb", [SPIKES], trials), 1.0).warnings
    assert said.startswith("The trials end at 60000 s, 1000 times later than all else (60 s).")
    assert "--trials" in said

    nwb = add_behavior(nwb_file([SPIKES]), samples("cursor_pos", ramp(6001), timestamps=MINUTE * 1e3))
    (said,) = read(save(nwb, tmp_path / "series.nwb"), 1.0).warnings
    assert said.startswith("The times of cursor_pos end at 60000 s")
    assert "--series" in said


def test_trials_without_a_stop_end_at_the_next_start() -> None:
    recording = read(given("cases/all_stops_nan.nwb"), 40.0)

    assert len(recording.trials) == 20
    starts = [trial.start_time for trial in recording.trials]
    assert [trial.stop_time for trial in recording.trials] == [*starts[1:], pytest.approx(60.0, abs=0.025)]
    (said,) = recording.warnings
    assert "20 trials have no stop: each ends at the next one's start" in said


def test_one_trial_without_a_stop_ends_at_the_next_start_and_the_others_where_they_say(
    tmp_path: Path,
) -> None:
    spans = ((10.0, 12.0), (20.0, np.nan), (30.0, 31.0), (40.0, np.nan))
    recording = read(written(tmp_path / "a.nwb", [SPIKES], spans), 40.0)

    assert [trial.stop_time for trial in recording.trials] == [12.0, 30.0, 31.0, 60.0]


def test_trials_of_no_length_are_no_trials() -> None:
    recording = read(given("cases/trials_all_zero.nwb"), 40.0)

    (trial,) = recording.trials
    assert (trial.start_time, trial.stop_time) == (0.0, 60.0)
    assert recording.trial_tables["taken"] is None
    (said,) = recording.warnings
    assert "20 trials have no length, as they stop when they start" in said
    assert said.endswith("The whole recording is played as one trial.")


def test_rows_that_are_no_trials_are_counted_by_what_they_lack(tmp_path: Path) -> None:
    spans = ((10.0, 12.0), (np.nan, 14.0), (15.0, 15.0), (20.0, 18.0))
    recording = read(written(tmp_path / "a.nwb", [SPIKES], spans), 40.0)

    assert [trial.trial_id for trial in recording.trials] == [0]
    (said,) = recording.warnings
    for words in ("1 trials have no start", "1 trials have no length", "1 trials stop before they start"):
        assert words in said


@pytest.mark.parametrize("spelled", ["", "min", "samples", "samples:", "samples:-1", "samples:nan", "MS"])
def test_what_is_no_unit_is_refused_with_those_that_are(spelled: str) -> None:
    with pytest.raises(BadSetting, match="Choose s, ms, us, or samples:RATE"):
        seconds_in(spelled)
