"""A finished record is valid NWB, gives back what was sent, and is itself a recording."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from nwbinspector import Importance, inspect_nwbfile

from engine.answers.prediction import PREDICTION
from engine.bins.schema import Rows
from engine.bins.selection import Selection
from engine.errors import RecordingError
from engine.sinks.record.finish import finish
from engine.sinks.record.nwb import to_nwb
from engine.sinks.record.reading import read_record
from engine.sinks.record.record import Record
from engine.sources.recordings.readers import read
from engine.sources.recordings.recording import Recording
from tests.builders import play, replay_of, small_recording
from tests.engine.listening import Keeper
from tests.engine.sinks.record.recording import assert_same_rows, header, recorded
from tests.nwb_builders import save


def record_of(recording: Recording, rows: Rows) -> Record:
    return Record(
        header=header(recording), rows=rows, predictions=np.empty(0, PREDICTION), decoders=(),
        notes=(), settings=[], scores={},
    )  # fmt: skip


def as_recording(record: Record, folder: Path, bin_rate: float = 40.0) -> Recording:
    return read(save(to_nwb(record), folder / "record.nwb"), bin_rate)


def assert_replays(replayed: Recording, rows: Rows) -> None:
    """The recording's bins are what was sent."""
    assert replayed.n_bins == len(rows)
    for name in ("kinematics", "observed", "coverage", "counts"):
        np.testing.assert_array_equal(replayed.bins[name], rows[name], err_msg=name)
    np.testing.assert_allclose(replayed.bins["trial_time_ms"], rows["trial_time_ms"], rtol=0, atol=1e-3)
    np.testing.assert_allclose(replayed.bins["intention"], rows["intention"], rtol=1e-6)


def test_how_spikes_were_found_is_a_table_with_a_row_a_channel(tmp_path: Path) -> None:
    recording = small_recording(n_units=2)
    found = {"noise_uv": [10.5, 12.0], "recall": [0.5, math.nan]}
    record = replace(record_of(recording, play(recording, range(5))), detection=found)
    path = save(to_nwb(record), tmp_path / "record.nwb")
    np.testing.assert_equal(dict(read_record(path).detection), found)
    np.testing.assert_equal(dict(read(path, 40.0).detection), found)


def sources(replayed: Recording) -> list[object]:
    return [trial.columns["source_trial"] for trial in replayed.trials]


def finished(folder: Path, passphrase: str | None = None) -> tuple[Path, Rows]:
    """A record with everything in it."""
    with recorded(folder, passphrase=passphrase) as session:
        replay = session.replay
        replay.set_perturbation({"preset": "intense"})
        replay.resume()
        session.play(230)
        replay.seek(20)
        replay.set_selection(Selection(success=True, begin="go_cue"))
        session.play(100)
        for number in range(50):
            session.answers.receive("mine", number, (1.0, 2.0, 3.0, 4.0))
        rows = session.end()
    return finish(folder / "test.journal", passphrase), rows


def test_a_finished_record_passes_nwbinspector_and_replaces_its_journal(tmp_path: Path) -> None:
    path, _ = finished(tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == ["test.nwb"]
    found = list(inspect_nwbfile(nwbfile_path=str(path)))
    serious = [m for m in found if m.importance.value >= Importance.CRITICAL.value]
    assert serious == []
    violations = {
        m.check_function_name for m in found if m.importance is Importance.BEST_PRACTICE_VIOLATION
    }
    assert violations == {"check_units_resolution_is_valid"}  # a bin's width: spike times have no other


def test_a_finished_record_gives_back_what_its_journal_had(tmp_path: Path) -> None:
    path, rows = finished(tmp_path)
    record = read_record(path)
    assert_same_rows(record, rows)
    assert len(record.predictions) == 50
    assert record.predictions.dtype == PREDICTION
    assert record.decoders == ("mine",)
    assert record.notes[0].text == "perturbation noise drift"
    assert record.settings[0]["speed"] == 100.0
    assert record.scores["decoders"]["mine"] == {"r2_velocity": 0.5}
    assert record.header.trials[1] == small_recording().trials[1]


def test_a_record_replays_bin_for_bin(tmp_path: Path) -> None:
    path, rows = finished(tmp_path)
    replayed = read(path, 40.0)
    assert_replays_but_partial_trials(replayed, rows)
    assert replayed.synthetic
    assert replayed.length_unit == "mm"
    assert replayed.channel_names == tuple(f"unit {i}" for i in range(5))
    replay = replay_of(replayed, speed="max", loop=False)
    keeper = Keeper(replay)
    replay.resume()
    keeper.wait_state("ended")
    replay.close()
    np.testing.assert_array_equal(keeper.rows["counts"], rows["counts"])


def test_what_was_intended_is_kept_where_it_is_known_and_nothing_where_it_is_not(tmp_path: Path) -> None:
    recording = small_recording()
    rows = play(recording, range(10))
    for name, known in (("closed.nwb", True), ("open.nwb", False)):
        rows["intended"] = np.arange(20).reshape(10, 2) if known else np.nan
        path = save(to_nwb(record_of(recording, rows)), tmp_path / name)
        with h5py.File(path) as file:
            assert ("intended" in file["processing/record/bins"].attrs["colnames"]) == known
        np.testing.assert_array_equal(read_record(path).rows["intended"], rows["intended"])


def assert_replays_but_partial_trials(replayed: Recording, rows: Rows) -> None:
    for name in ("kinematics", "observed", "coverage", "counts"):
        np.testing.assert_array_equal(replayed.bins[name], rows[name], err_msg=name)
    np.testing.assert_array_equal(np.array(sources(replayed))[replayed.bins["trial"]], rows["trial"])


@pytest.mark.parametrize(
    ("bin_rate", "start_time"), [(40.0, 0.0), (40.0, -3.7), (100.0, 1000.0), (30.0, 12.0), (200.0, 0.3)]
)
def test_any_rate_and_start_replay_exactly(tmp_path: Path, bin_rate: float, start_time: float) -> None:
    recording = small_recording(n_bins=400, gaps=True, bin_rate=bin_rate, start_time=start_time)
    rows = play(recording, range(400))
    replayed = as_recording(record_of(recording, rows), tmp_path, bin_rate)
    assert_replays(replayed, rows)
    assert [trial.trial_id for trial in replayed.trials] == [0, 1, 2, 3]
    assert replayed.start_time == 0.0


def test_the_clock_is_the_sequence_number(tmp_path: Path) -> None:
    recording = small_recording(start_time=50.0)
    rows = play(recording, range(100))
    rows["sequence_number"] += 1000
    replayed = as_recording(record_of(recording, rows), tmp_path)
    assert replayed.start_time == 25.0
    assert_replays(replayed, rows)
    assert replayed.trials[0].target_on_time == pytest.approx(25.125)


def test_a_trial_that_was_played_again_appears_again_with_a_new_id(tmp_path: Path) -> None:
    recording = small_recording()
    rows = play(recording, [*range(50, 200), *range(200), *range(30)])
    replayed = as_recording(record_of(recording, rows), tmp_path)
    assert sources(replayed) == [1, 2, 3, 0, 1, 2, 3, 0]
    assert [trial.trial_id for trial in replayed.trials] == [1, 2, 3, 0, 4, 5, 6, 7]
    np.testing.assert_array_equal(replayed.bins["trial_time_ms"], rows["trial_time_ms"])


def test_a_trial_that_was_played_in_part_has_that_part_and_its_events(tmp_path: Path) -> None:
    recording = small_recording()
    rows = play(recording, range(60, 75))  # trial 1, from 20 % to 50 %
    (trial,) = as_recording(record_of(recording, rows), tmp_path).trials
    assert (trial.start_time, trial.stop_time) == (0.0, 0.375)
    assert np.isnan(trial.target_on_time)
    assert trial.go_cue_time == pytest.approx(0.125)
    assert trial.move_onset_time == pytest.approx(0.25)
    assert (trial.target_id, trial.target_x, trial.success) == (1, 0.0, True)


def test_lost_packets_use_up_their_number_and_are_not_observed(tmp_path: Path) -> None:
    recording = small_recording()
    rows = play(recording, range(100))
    rows["lost"][[10, 11, 99]] = True
    replayed = as_recording(record_of(recording, rows), tmp_path)
    assert np.flatnonzero(~replayed.observed).tolist() == [10, 11, 99]
    assert not replayed.counts[[10, 11, 99]].any()
    assert np.isnan(replayed.kinematics[[10, 11, 99]]).all()
    there = ~rows["lost"]
    kept = read_record(tmp_path / "record.nwb").rows
    np.testing.assert_array_equal(kept["lost"], rows["lost"])
    np.testing.assert_array_equal(kept["kinematics"], rows["kinematics"])  # the truth, for scores
    np.testing.assert_array_equal(replayed.counts[there], rows["counts"][there])
    np.testing.assert_array_equal(replayed.kinematics[there], rows["kinematics"][there])


def test_bins_that_could_not_be_recorded_leave_a_gap(tmp_path: Path) -> None:
    recording = small_recording()
    rows = np.delete(play(recording, range(100)), slice(20, 60))
    record = record_of(recording, rows)
    replayed = as_recording(record, tmp_path)
    assert np.flatnonzero(~replayed.observed).tolist() == list(range(20, 60))
    np.testing.assert_array_equal(replayed.counts[60:], rows["counts"][20:])
    assert_same_rows(read_record(tmp_path / "record.nwb"), rows)


def test_wide_counts_missing_positions_and_nothing_at_all(tmp_path: Path) -> None:
    recording = small_recording()
    rows = play(recording, range(100))
    wide = np.zeros(100, np.dtype([(n, "u2" if n == "counts" else rows.dtype[n].base, rows.dtype[n].shape)
                                   for n in rows.dtype.names or ()]))  # fmt: skip
    for name in rows.dtype.names or ():
        wide[name] = rows[name]
    wide["counts"][7, 2] = 300
    wide["kinematics"] = np.nan
    replayed = as_recording(record_of(recording, wide), tmp_path)
    assert replayed.counts.dtype == np.uint16
    assert replayed.counts[7, 2] == 300
    assert np.isnan(replayed.kinematics).all()
    empty = save(to_nwb(record_of(recording, rows[:0])), tmp_path / "empty.nwb")
    assert len(read_record(empty).rows) == 0
    with pytest.raises(RecordingError, match=r"empty\.nwb has no units"):
        read(empty, 40.0)


def test_an_encrypted_record_is_never_in_plain_text_and_replays_with_its_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, rows = finished(tmp_path, "correct horse")
    assert [each.name for each in tmp_path.iterdir()] == ["test.nwb.enc"]
    content = path.read_bytes()
    assert not any(word in content for word in (b"\x89HDF\r\n\x1a\n", b"cursor_pos"))
    with pytest.raises(RecordingError, match=r"test\.nwb\.enc is encrypted.*PHANTOM_RECORD_KEY"):
        read(path, 40.0)
    monkeypatch.setenv("PHANTOM_RECORD_KEY", "battery staple")
    with pytest.raises(RecordingError, match="does not open"):
        read(path, 40.0)
    monkeypatch.setenv("PHANTOM_RECORD_KEY", "correct horse")
    assert_replays_but_partial_trials(read(path, 40.0), rows)
    assert_same_rows(read_record(path), rows)
    path.write_bytes(content[:-30])
    with pytest.raises(RecordingError, match="truncated"):
        read(path, 40.0)


def test_a_journal_that_ends_in_the_middle_is_finished_up_to_there(tmp_path: Path) -> None:
    with recorded(tmp_path) as session:
        session.replay.resume()
        session.play(50)
        session.recorder.stop()
        recorded_bins = session.recorder.n_bins
    journal = tmp_path / "test.journal"
    journal.write_bytes(journal.read_bytes()[:-60])
    assert len(read_record(finish(journal)).rows) <= recorded_bins


def test_a_journal_that_is_being_written_is_left_alone(tmp_path: Path) -> None:
    with recorded(tmp_path) as session:
        with pytest.raises(RecordingError, match="still being written"):
            finish(tmp_path / "test.journal")
        session.recorder.stop()
        assert finish(tmp_path / "test.journal").exists()
