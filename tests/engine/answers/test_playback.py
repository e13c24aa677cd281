"""A record that is played gives each bin the answers that decoders gave when it was made."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.answers.playback import Playback
from engine.answers.predictions import Predictions
from engine.bins.answered import Verdict
from engine.bins.schema import Rows
from engine.sinks.record.finish import finish
from engine.sinks.record.reading import read_record
from engine.sources.recordings.readers import read
from engine.sources.recordings.recording import Recording
from tests.builders import replay_of
from tests.engine.listening import Keeper
from tests.engine.sinks.record.recording import recorded

NOTHING = (np.nan,) * 4


def answered(folder: Path) -> tuple[Recording, Rows]:
    """A record with every kind of answer, and these as they were recorded."""
    with recorded(folder) as session:
        session.replay.resume()
        session.play(60)
        session.replay.pause()
        due, give = session.keeper.rows["due"], session.answers.receive
        for number in range(5, 45):
            give("mine", number, (float(number), 0.5, np.nan, np.nan), due[number] + 0.0001)
            if number >= 8:  # three bins behind, as a slow decoder is
                give("slow", number - 3, (0.0, 0.0, 1.0, 2.0), due[number] + 0.0002, Verdict.LATE)
        give("mine", 7, (0.0,) * 4, due[45], Verdict.DUPLICATE)
        give("slow", 43, NOTHING, due[46], Verdict.DROPPED)
        give("mine", 48, NOTHING, due[47] + 0.0003, Verdict.LEFT)
        session.end()
    path = finish(folder / "test.journal")
    return read(path, 40.0), read_record(path).predictions


def played(recording: Recording, seek: int = 0) -> tuple[Rows, Rows, list[str]]:
    """What is sent and predicted when a record is played to its end."""
    assert recording.answers is not None
    replay = replay_of(recording, speed=100.0, loop=False)
    predictions, keeper = Predictions(replay), Keeper(replay)
    playback = Playback(replay, recording.answers, predictions)
    replay.seek(seek)
    replay.resume()
    keeper.wait_state("ended")
    replay.close()
    assert predictions.holds.take("mine").name == "mine-2"  # a decoder of today is another
    playback.close()
    playback.close()
    return keeper.rows, predictions.ring.since(0)[0], predictions.names


def test_a_record_answers_as_its_decoders_did(tmp_path: Path) -> None:
    recording, then = answered(tmp_path)
    rows, now, names = played(recording)
    assert names == ["mine", "slow"]
    for name in ("sequence_number", "values", "decoder"):
        np.testing.assert_array_equal(now[name], then[name], err_msg=name)
    expected = np.where(then["verdict"] == Verdict.LATE, Verdict.ON_TIME, then["verdict"])
    np.testing.assert_array_equal(np.where(now["verdict"] == Verdict.LATE, 0, now["verdict"]), expected)
    assert recording.answers is not None
    answers = recording.answers.rows
    bins = np.minimum(then["sequence_number"], answers["packet_id"])  # who left did so in the bin before
    np.testing.assert_allclose(now["received"] - rows["due"][bins], answers["delay"], atol=1e-6)


def test_answers_to_bins_that_were_passed_over_are_left_out(tmp_path: Path) -> None:
    recording, then = answered(tmp_path)
    rows, now, _ = played(recording, seek=20)
    answers = now[now["verdict"] <= Verdict.LATE]
    assert rows["packet_id"][0] == 20
    before = then[(then["verdict"] <= Verdict.LATE) & (then["sequence_number"] >= 20)]
    np.testing.assert_array_equal(rows["packet_id"][answers["sequence_number"]], before["sequence_number"])


def test_a_recording_that_is_no_record_has_no_answers(tmp_path: Path) -> None:
    with recorded(tmp_path) as session:
        session.replay.resume()
        session.play(20)
        session.end()
    assert read(finish(tmp_path / "test.journal"), 40.0).answers is None
