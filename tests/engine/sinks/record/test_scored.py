"""The scores in a record are those that its bins and predictions give."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.answers.predictions import Predictions
from engine.answers.scores.scorer import Scorer
from engine.errors import RecordingError
from engine.sinks.record.finish import finish
from engine.sinks.record.reading import read_record
from engine.sinks.record.record import Record
from engine.sinks.record.recorder import Recorder
from engine.sinks.record.scored import plain, recompute, scores_of, with_scores
from tests.builders import replay_of, small_recording
from tests.engine.listening import Keeper
from tests.engine.sinks.record.recording import header
from tests.engine.sources.user.closed_loop import a_loop, run

RADIUS = 25.0


def scored(folder: Path, restarts: bool = False) -> Record:
    """A session with a seek and a decoder that misses some bins, recorded from its first bin.

    Its scores may begin anew where it seeks.
    """
    replay = replay_of(small_recording(n_units=3), speed=20.0)
    keeper = Keeper(replay)
    scorers: list[Scorer] = []
    predictions = Predictions(replay, lambda: scorers[0].news())
    scorers.append(Scorer(replay, predictions, lambda: RADIUS))
    recorder = Recorder(
        folder / "test.journal", header(replay.description), replay, predictions=predictions,
        settings=lambda: {"view": {"hit_radius": RADIUS}},
        scores=lambda first: scores_of(scorers[0], RADIUS, first),
    )  # fmt: skip
    for start, n in ((0, 130), (40, 90)):
        sent = len(keeper.rows)
        replay.seek(start)
        if start and restarts:
            scorers[0].restart(replay.restart())
        replay.resume()
        keeper.wait_rows(sent + n)
        replay.pause()
        for row in keeper.rows[sent:]:
            number, (x, y, vx, vy) = int(row["sequence_number"]), row["kinematics"].tolist()
            if number % 7:
                values = (x + number % 5, y, vx, vy + 1.0)
                predictions.receive("mine", number, values, float(row["due"]) + 0.01)
    replay.close()
    recorder.stop()
    scorers[0].close()
    return read_record(recorder.path)


def assert_equal(one: dict, other: dict) -> None:
    (one, other), fields = (one["mine"], other["mine"]), ("trial_id", "sequence_number", "hit")
    trials = list(zip(one["trials"], other["trials"], strict=True))
    assert [[a[name] == b[name] for name in fields] for a, b in trials] == [[True] * 3] * len(trials)
    pairs = [(one["total"], other["total"]), (one["window"], other["window"])]
    for a, b in pairs + [(a["measures"], b["measures"]) for a, b in trials]:
        assert a == pytest.approx(b, rel=1e-9, abs=1e-9, nan_ok=True)


def test_a_records_scores_are_recomputed_from_it_before_and_after_it_is_finished(tmp_path: Path) -> None:
    record = scored(tmp_path)
    total = record.scores["decoders"]["mine"]["total"]
    assert (record.scores["hit_radius"], record.scores["predictions"]) == (RADIUS, len(record.predictions))
    assert total["n_bins"] == np.count_nonzero(np.arange(len(record.rows)) % 7)
    assert total["n_hits"] >= 2
    assert_equal(record.scores["decoders"], plain(recompute(record)))
    done = read_record(finish(tmp_path / "test.journal"))
    assert_equal(record.scores["decoders"], done.scores["decoders"])
    assert_equal(record.scores["decoders"], plain(recompute(done)))


def test_scores_since_a_restart_are_recomputed(tmp_path: Path) -> None:
    record = scored(tmp_path, restarts=True)
    total = record.scores["decoders"]["mine"]["total"]
    (first,) = (int(note.text.split()[1]) for note in record.notes if note.text.startswith("restart"))
    assert 130 <= first < len(record.rows) - 80
    assert total["n_bins"] == np.count_nonzero(np.arange(first, len(record.rows)) % 7)
    assert_equal(record.scores["decoders"], plain(recompute(record)))
    done = read_record(finish(tmp_path / "test.journal"))
    assert_equal(record.scores["decoders"], plain(recompute(done)))


def test_scores_that_begin_anew_take_what_was_scored_since_that_bin() -> None:
    replay = a_loop()
    scorers: list[Scorer] = []
    predictions = Predictions(replay, lambda: scorers[0].news())
    scorers.append(Scorer(replay, predictions, lambda: RADIUS))
    run(replay, 400, predictions=predictions)
    scorer = scorers[0]
    assert scorer.settle(30.0).decoders["driver"].total.n_bins == 399
    scorer.restart(300)
    assert scorer.settle(30.0).decoders["driver"].total.n_bins == 99
    replay.close()
    scorer.close()


def test_what_came_after_the_scores_does_not_change_them(tmp_path: Path) -> None:
    record = scored(tmp_path)
    later = record.predictions[:20].copy()
    later["sequence_number"] += 7
    more = replace(record, predictions=np.concatenate((record.predictions, later)))
    assert_equal(record.scores["decoders"], plain(recompute(more)))


def test_a_record_that_was_cut_off_gets_its_scores_when_it_is_finished(tmp_path: Path) -> None:
    whole, journal = scored(tmp_path), tmp_path / "test.journal"
    content = journal.read_bytes()
    journal.write_bytes(content[: content.rindex(b"scores\n{") - 8])
    assert read_record(journal).scores == {}
    cut = read_record(finish(journal))
    assert_equal(cut.scores["decoders"], whole.scores["decoders"])


def test_nobodys_predictions_have_no_scores(tmp_path: Path) -> None:
    replay = replay_of(small_recording())
    scorer = Scorer(replay, Predictions(replay), lambda: RADIUS)
    assert scores_of(scorer, RADIUS, 0) == {}
    scorer.close()
    replay.close()


@pytest.mark.parametrize("changed", [False, True])
@pytest.mark.parametrize("cut_off", [False, True])
def test_scores_of_a_closed_loop_are_recomputed_from_its_record(
    tmp_path: Path, cut_off: bool, changed: bool
) -> None:
    replay = a_loop()
    scorers: list[Scorer] = []
    predictions = Predictions(replay, lambda: scorers[0].news())
    scorers.append(Scorer(replay, predictions, lambda: RADIUS))
    recorder = Recorder(
        tmp_path / "test.journal", header(replay.description), replay, predictions=predictions,
        settings=lambda: {"closed_loop": {"driver": replay.source.driver}},
        scores=lambda first: scores_of(scorers[0], RADIUS, first),
    )  # fmt: skip
    run(replay, 800, predictions=predictions)
    if changed:
        first = replay.steer({"gain": 0.4})
        scorers[0].restart(first)
        run(replay, first + 800, predictions=predictions)
    for number in range(300, 500):
        predictions.receive("beside", number, (0.0, 0.0, 1.0, 0.0), 0.0)
    replay.close()
    recorder.stop()
    scorers[0].close()
    record = read_record(finish(recorder.path))
    scores = record.scores["decoders"]
    assert scores["driver"]["total"]["success"] == 1.0
    assert scores["driver"]["total"]["n_trials"] > 4
    assert record.scores["driver"] == "driver"
    if changed:  # the trial in which it changed counts for nobody
        n_begun = sum(trial.start_time * 40 >= first for trial in record.header.trials)
        assert scores["driver"]["total"]["n_trials"] == n_begun - 1
        assert scores["driver"]["total"]["n_bins"] <= len(record.rows) - first
    if cut_off:
        record = replace(record, scores={}, settings=({"closed_loop": {"driver": "driver"}},))
        record = with_scores(record)
    for name, again in plain(recompute(record)).items():
        for measures in ("total", "window"):
            assert scores[name][measures] == pytest.approx(
                again[measures], rel=1e-9, abs=1e-9, nan_ok=True
            ), name


def test_a_record_of_a_closed_loop_that_does_not_tell_who_drove_is_not_scored_again(tmp_path: Path) -> None:
    record = scored(tmp_path)
    record.rows["intended"] = 1.0
    with pytest.raises(RecordingError, match="is of a closed loop, and does not tell who drove"):
        recompute(record)
    cut_off = replace(record, scores={})
    assert with_scores(cut_off) is cut_off
