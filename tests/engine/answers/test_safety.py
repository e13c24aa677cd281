"""What the guard does to cursors that are shown."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest

from engine.answers.cursor import Place
from engine.answers.predictions import Predictions
from engine.answers.safety import SafeCursor, Safety, usual_limits
from engine.bins import clock
from engine.deck.replay import Replay
from engine.errors import BadSetting
from tests.builders import replay_of, small_recording
from tests.engine.listening import Keeper

NAN = math.nan
TRUE: Place = (0.0, 0.0)
STEP = 4.0
"""Millimetres a bin at the speed limit of 160 mm/s."""


@pytest.fixture
def replay() -> Iterator[Replay]:
    made = replay_of(small_recording())
    yield made
    made.close()


@pytest.fixture
def safety(replay: Replay) -> Safety:
    return Safety(replay)


@pytest.fixture
def cursor(safety: Safety) -> SafeCursor:
    """In the middle, with bin 10 of the recording as bin 0."""
    made = safety.add("a")
    assert at(made, 0, 0.0) == TRUE
    return made


def at(cursor: SafeCursor, number: int, x: float) -> Place:
    return cursor.move(number, 10 + number, 0, TRUE, (x, 0.0, NAN, NAN))


def moving(
    cursor: SafeCursor, number: int, vx: float, packet_id: int | None = None, stretch: int = 0
) -> Place:
    packet_id = 10 + number if packet_id is None else packet_id
    return cursor.move(number, packet_id, stretch, (70.0, 7.0), (NAN, NAN, vx, 0.0))


def send(replay: Replay, n: int) -> None:
    """Send `n` bins, one by one."""
    keeper = Keeper(replay)
    for done in range(n):
        replay.step()
        keeper.wait_rows(done + 1)
    replay.remove_listener(keeper)


def told(replay: Replay) -> list[str]:
    return [note.text for note in replay.notes if not note.asked]


def test_limits_come_from_the_recordings_own_movement() -> None:
    recording = small_recording()  # 80 mm/s, from -100 to 100 mm
    found = usual_limits(recording).settings
    assert found == {"max_speed": 160.0, "max_jump": pytest.approx(99.0), "watchdog": 1.0}


def test_recording_without_kinematics_has_no_limits() -> None:
    recording = small_recording()
    bins = recording.bins.copy()
    bins["kinematics"] = NAN
    blind = type(recording)(**{**vars(recording), "bins": bins})
    found = usual_limits(blind).settings
    assert found["max_speed"] == found["max_jump"] == 1e9


def test_slow_prediction_is_the_cursor(cursor: SafeCursor) -> None:
    assert at(cursor, 1, 3.0) == (3.0, 0.0)
    assert moving(cursor, 2, 40.0) == (4.0, 0.0)
    assert not any(cursor.faults.values())


def test_fast_cursor_follows_at_the_limit_until_it_is_there(cursor: SafeCursor) -> None:
    assert [at(cursor, number, 10.0)[0] for number in (1, 2, 3)] == pytest.approx([STEP, 2 * STEP, 10.0])
    assert cursor.faults["speed"] == 2


def test_fast_velocity_is_slowed_down(cursor: SafeCursor) -> None:
    assert moving(cursor, 1, 1000.0)[0] == pytest.approx(STEP)
    assert moving(cursor, 2, -40.0)[0] == pytest.approx(STEP - 1.0)


def test_answer_after_unanswered_bins_may_have_come_further(cursor: SafeCursor) -> None:
    assert at(cursor, 4, 15.0) == (15.0, 0.0)


def test_jump_of_one_bin_is_never_shown(cursor: SafeCursor) -> None:
    assert [at(cursor, n, x)[0] for n, x in ((1, 500.0), (2, 1.0), (3, 1.0))] == [0.0, 0.0, 1.0]
    assert cursor.faults["jump"] == 2
    assert moving(cursor, 4, 1e6)[0] == 1.0


def test_jump_that_lasts_is_followed_at_the_limit(cursor: SafeCursor) -> None:
    assert [at(cursor, n, 500.0)[0] for n in (1, 2, 3)] == pytest.approx([0.0, STEP, 2 * STEP])


def test_leap_across_skipped_bins_may_be_as_much_longer_as_they_are_many(
    safety: Safety, cursor: SafeCursor
) -> None:
    safety.change({"max_jump": 50.0})
    assert at(cursor, 4, 199.0)[0] == pytest.approx(4 * STEP)
    assert cursor.faults["jump"] == 0
    assert at(cursor, 6, 300.0)[0] == pytest.approx(4 * STEP)  # 101 mm in two bins
    assert cursor.faults["jump"] == 1


@pytest.mark.parametrize("bad", [NAN, math.inf, -math.inf])
def test_prediction_that_is_not_finite_holds_it(cursor: SafeCursor, bad: float) -> None:
    assert moving(cursor, 1, bad) == TRUE
    assert cursor.move(2, 12, 0, TRUE, (1.0, bad, NAN, NAN)) == TRUE
    assert cursor.faults["nan"] == 2


def test_jump_in_the_recording_begins_anew(cursor: SafeCursor) -> None:
    assert moving(cursor, 1, 40.0, packet_id=50) == (70.0, 7.0)
    assert cursor.move(2, 90, 2, TRUE, (-60.0, 0.0, NAN, NAN)) == (-60.0, 0.0)


def test_velocity_begins_anew_in_each_stretch_and_a_position_goes_on(cursor: SafeCursor) -> None:
    assert moving(cursor, 1, 40.0, stretch=1) == (70.0, 7.0)
    assert cursor.move(2, 12, 2, TRUE, (80.0, 7.0, NAN, NAN)) == (70.0 + STEP, 7.0)


def test_prediction_that_comes_after_a_later_bins_is_not_shown(cursor: SafeCursor) -> None:
    at(cursor, 2, 1.0)
    assert all(map(math.isnan, at(cursor, 1, 3.0)))
    assert cursor.place == (1.0, 0.0)


def test_stopped_cursor_stands_and_then_goes_on_at_the_limit(safety: Safety, cursor: SafeCursor) -> None:
    safety.stop()
    assert [at(cursor, n, 6.0 * n) for n in range(1, 6)] == [TRUE] * 5
    safety.release()
    assert at(cursor, 6, 30.0)[0] == pytest.approx(STEP)


def test_stopped_cursor_stands_at_a_jump_in_the_recording_too(safety: Safety, cursor: SafeCursor) -> None:
    safety.stop()
    assert moving(cursor, 1, 40.0, packet_id=50) == TRUE
    safety.release()
    assert moving(cursor, 2, 40.0, packet_id=51) == (70.0, 7.0)


def test_decoder_that_comes_while_stopped_has_no_cursor(safety: Safety) -> None:
    safety.stop()
    cursor = safety.add("late")
    assert all(map(math.isnan, at(cursor, 0, 3.0)))
    safety.release()
    assert at(cursor, 1, 3.0) == (3.0, 0.0)


def test_emergency_stop_freezes_all_from_the_next_bin_on(replay: Replay, safety: Safety) -> None:
    predictions = Predictions(replay, safety=safety)
    send(replay, 3)
    for name in ("a", "b"):
        for number in range(3):
            predictions.receive(name, number, (number, 1.0, NAN, NAN), clock.now())
    assert safety.stop()
    assert not safety.stop()
    send(replay, 2)
    predictions.receive("a", 3, (5.0, 5.0, NAN, NAN), clock.now())
    found = predictions.decoded(replay.ring.since(0)[0])
    for name in ("a", "b"):  # answered or not
        np.testing.assert_array_equal(found[name], [[0, 1], [1, 1], [2, 1], [2, 1], [2, 1]])
    assert predictions.ring.since(0)[0]["values"][-1, 0] == 5.0
    assert safety.release()
    assert not safety.release()
    assert told(replay) == ["emergency-stop", "emergency-stop released"]


def test_watchdog_tells_once_that_predictions_have_stopped(replay: Replay, safety: Safety) -> None:
    safety.change({"watchdog": 0.1})
    predictions = Predictions(replay, safety=safety)
    send(replay, 1)
    predictions.receive("a", 0, (1.0, 1.0, NAN, NAN), clock.now())
    safety.look()
    assert not safety.cursors["a"].silent  # nothing waits for an answer
    send(replay, 1)
    due = float(replay.ring.since(1)[0]["due"][0])
    while clock.now() < due + 0.1:
        safety.look()
    safety.look()
    safety.look()
    assert told(replay).count("safety a watchdog") == 1
    np.testing.assert_array_equal(predictions.decoded(replay.ring.since(0)[0])["a"], [[1, 1], [1, 1]])
    predictions.receive("a", 1, (1.0, 1.0, NAN, NAN), clock.now())
    assert not safety.cursors["a"].silent


def test_faults_are_told_when_they_begin(replay: Replay, safety: Safety, cursor: SafeCursor) -> None:
    for number in range(1, 20):
        at(cursor, number, 500.0 * (number % 2))
        safety.look()
    assert told(replay) == ["safety a jump"]


@pytest.mark.parametrize("bad", [{"max_speed": 0}, {"watchdog": 0.01}, {"max_jump": "far"}, {"speed": 1}])
def test_bad_limits_are_refused(safety: Safety, bad: dict[str, object]) -> None:
    before = safety.limits.settings
    with pytest.raises(BadSetting):
        safety.change(bad)
    assert safety.limits.settings == before


def test_changed_limits_apply_at_once_and_are_told(
    replay: Replay, safety: Safety, cursor: SafeCursor
) -> None:
    safety.change({"max_speed": 40.0})
    safety.change({"max_speed": 40.0})
    assert at(cursor, 1, 10.0)[0] == pytest.approx(1.0)
    assert told(replay) == ["limits max_jump 99 max_speed 40 watchdog 1"]
