"""The recorder writes down all that a session sends and is told, and never stands in its way."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.bins.selection import Selection
from engine.errors import RecordingError
from engine.files.entries import read_entries
from engine.sinks.record.reading import read_record
from engine.sinks.record.recorder import Recorder
from tests.builders import replay_of, small_recording
from tests.engine.listening import Keeper
from tests.engine.sinks.record.recording import assert_same_rows, header, recorded

ROOT = Path(__file__).parents[4]


def test_bins_are_recorded_as_sent_whatever_is_done_meanwhile(tmp_path: Path) -> None:
    with recorded(tmp_path) as session:
        replay = session.replay
        replay.resume()
        session.play(30)
        replay.pause()
        replay.step()
        session.play(1)
        replay.seek(150)
        replay.set_perturbation({"preset": "extreme"})
        replay.resume()
        session.play(80)
        replay.set_selection(Selection(target_ids=(1,)))
        session.play(70)
        replay.set_speed("max")
        session.play(10_000)
        rows = session.end()
    record = read_record(tmp_path / "test.journal")
    assert_same_rows(record, rows)
    assert session.recorder.n_bins == len(rows)
    assert (session.recorder.lost, session.recorder.error) == (0, None)
    np.testing.assert_array_equal(record.rows["sequence_number"], np.arange(len(rows)))
    assert record.notes == replay.notes
    assert [note.text for note in record.notes][:4] == [
        "resume",
        "pause",
        "seek 150",
        "perturbation noise drift",
    ]


def test_every_setting_is_recorded_with_its_time(tmp_path: Path) -> None:
    with recorded(tmp_path) as session:
        for speed in (1.0, 2.0, 3.0):
            session.replay.set_speed(speed)
        session.replay.set_loop(False)
        session.end()
    record = read_record(tmp_path / "test.journal")
    assert [(each["speed"], each["loop"]) for each in record.settings] == [
        (100.0, True), (1.0, True), (2.0, True), (3.0, True), (3.0, False),
    ]  # fmt: skip
    for note, setting in zip(record.notes, record.settings[1:], strict=True):
        assert 0 <= setting["due"] - note.due < 0.1
        assert setting["timestamp"] == pytest.approx(note.timestamp, abs=0.1)


def test_a_record_begins_when_it_is_asked_for(tmp_path: Path) -> None:
    replay = replay_of(small_recording(), speed=100.0)
    keeper = Keeper(replay)
    replay.resume()
    keeper.wait_rows(50)
    replay.pause()
    sent = len(keeper.rows)
    recorder = Recorder(tmp_path / "a.journal", header(replay.description), replay, settings=dict)
    replay.resume()
    keeper.wait_more(20)
    replay.close()
    recorder.stop()
    record = read_record(tmp_path / "a.journal")
    assert_same_rows(record, keeper.rows[sent:])
    assert [note.text for note in record.notes] == ["resume"]


def test_predictions_and_scores_are_recorded(tmp_path: Path) -> None:
    with recorded(tmp_path) as session:
        for number in range(100):
            session.answers.receive(
                "mine" if number % 2 else "other", number, (number, 1.0, np.nan, np.nan)
            )
        session.end()
    record = read_record(tmp_path / "test.journal")
    assert record.predictions.tobytes() == session.answers.ring.since(0)[0].tobytes()
    assert record.decoders == ("other", "mine")
    assert record.scores == {"decoders": {"mine": {"r2_velocity": 0.5}}}


def test_facts_name_session_recording_hash_and_versions(tmp_path: Path) -> None:
    recording = small_recording()
    with recorded(tmp_path, recording):
        pass
    found = read_record(tmp_path / "test.journal").header
    assert (found.session, found.recording, found.sha256) == ("deck", "small", "0" * 64)
    assert found.trials[0] == recording.trials[0]
    assert np.isnan(found.trials[2].move_onset_time)
    assert found.versions == {"phantomdeck": "test"}


def test_at_speed_max_the_replay_waits_for_the_recorder(tmp_path: Path) -> None:
    replay = replay_of(small_recording(), speed="max")
    recorder = Recorder(tmp_path / "a.journal", header(replay.description), replay, settings=dict)
    keeper = Keeper(replay)
    replay.resume()
    keeper.wait(lambda: replay.ring.head >= 20_000)
    replay.close()
    recorder.stop()
    assert recorder.lost == 0
    numbers = read_record(tmp_path / "a.journal").rows["sequence_number"]
    np.testing.assert_array_equal(numbers, np.arange(replay.ring.head))


def test_stopping_twice_is_harmless_and_the_replay_goes_on(tmp_path: Path) -> None:
    with recorded(tmp_path) as session:
        session.replay.resume()
        session.play(10)
        session.recorder.stop()
        session.recorder.stop()
        recorded_bins = session.recorder.n_bins
        session.play(10)
        assert session.recorder.n_bins == recorded_bins
        assert not session.recorder.running


def test_an_encrypted_journal_has_no_plain_text_and_is_read_with_its_key(tmp_path: Path) -> None:
    with recorded(tmp_path, passphrase="correct horse") as session:
        session.replay.resume()
        session.play(30)
        rows = session.end()
    content = (tmp_path / "test.journal").read_bytes()
    assert not any(word in content for word in (b"deck", b"small", b"NUMPY", b"speed"))
    assert_same_rows(read_record(tmp_path / "test.journal", "correct horse"), rows)
    with pytest.raises(RecordingError, match="encrypted"):
        read_record(tmp_path / "test.journal")


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from engine.sinks.record.recorder import Recorder
from tests.builders import replay_of, small_recording
from tests.engine.listening import Keeper
from tests.engine.sinks.record.recording import header

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
replay = replay_of(small_recording(), speed="max")
recorder = Recorder(Path(sys.argv[1]), header(replay.description), replay, settings=dict)
keeper = Keeper(replay)
replay.resume()
keeper.wait_rows(5000)
replay.close()
recorder.stop()
print(recorder.error, recorder.n_bins, recorder.running)
"""


def test_a_full_disk_ends_the_record_and_not_the_stream(tmp_path: Path) -> None:
    """Here the disk is full at 40,000 bytes, by the limit of a process on the size of its files."""
    path = tmp_path / "a.journal"
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path)],
        cwd=ROOT, capture_output=True, text=True, timeout=30, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    error, n_bins, running = done.stdout.strip().rsplit(" ", 2)
    assert (error, running) == ("File too large", "False"), done.stderr
    with path.open("rb") as file:
        assert "end" not in dict(read_entries(file, "a.journal"))
    assert len(read_record(path).rows) == int(n_bins)


def test_a_recorder_that_fails_says_why(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    replay = replay_of(small_recording())
    recorder = Recorder(
        tmp_path / "a.journal", header(replay.description), replay,
        settings=dict, scores=lambda _: {"not": {"ready for JSON"}},
    )  # fmt: skip
    recorder.stop()
    replay.close()
    assert recorder.error is not None
    assert recorder.error.startswith("TypeError")
    assert "has failed" in caplog.text
