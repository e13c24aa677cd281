"""A record that is played gives each bin the answers that decoders gave when it was made."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.readers import read
from engine.record.finish import finish
from engine.record.playback import Playback
from engine.replay import Replay
from tests.engine.listening import Keeper
from tests.engine.record.recording import recorded


def test_a_record_answers_as_its_decoders_did(tmp_path: Path) -> None:
    with recorded(tmp_path) as session:
        session.replay.resume()
        session.play(60)
        session.replay.pause()
        due = session.keeper.rows["due"]
        for number in range(5, 45):
            values = (float(number), 0.5, np.nan, np.nan)
            session.answers.receive("mine", number, values, due[number] + 0.004)
            session.answers.receive("other", number, (0.0, 0.0, 1.0, 2.0), due[number] + 0.030, verdict=1)
        session.answers.receive("mine", 7, (0.0,) * 4, due[7] + 1.0, verdict=3)
        session.end()
    recording = read(finish(tmp_path / "test.journal"), 40.0)
    assert recording.answers is not None
    assert recording.answers.names == ("mine", "other")
    given: list[tuple[str, int, tuple[float, ...], float]] = []
    replay = Replay(recording, speed="max", loop=False)
    keeper = Keeper(replay)
    playback = Playback(replay, recording.answers, lambda *answer: given.append(answer))
    replay.resume()
    keeper.wait_state("ended")
    playback.close()
    playback.close()
    replay.close()
    assert [(name, number) for name, number, *_ in given] == [
        (name, number) for number in range(5, 45) for name in ("mine", "other")
    ]
    for name, number, values, at in given:
        delay = at - keeper.rows["due"][number]
        assert abs(delay - (0.004 if name == "mine" else 0.030)) < 1e-6
        expected = (float(number), 0.5, np.nan, np.nan) if name == "mine" else (0.0, 0.0, 1.0, 2.0)
        np.testing.assert_array_equal(values, expected)


def test_a_recording_that_is_no_record_has_no_answers(tmp_path: Path) -> None:
    with recorded(tmp_path) as session:
        session.replay.resume()
        session.play(20)
        session.end()
    assert read(finish(tmp_path / "test.journal"), 40.0).answers is None
