"""What becomes of a prediction when it is received."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest

from engine.answers.prediction import checked_name, checked_values
from engine.answers.predictions import MAX_DECODERS, PER_BIN, Predictions
from engine.bins import clock
from engine.bins.answered import Verdict
from engine.bins.schema import Rows
from engine.deck.replay import Replay
from engine.errors import BadPrediction
from tests.builders import replay_of, small_recording
from tests.engine.listening import Keeper

NAN = math.nan
VALUES = (1.0, 2.0, 3.0, 4.0)
SOON = 1e-3


@pytest.fixture
def replay() -> Iterator[Replay]:
    """Paused, with four bins sent."""
    made = replay_of(small_recording())
    keeper = Keeper(made)
    for n in range(4):
        made.step()
        keeper.wait_rows(n + 1)
    yield made
    made.close()


@pytest.fixture
def predictions(replay: Replay) -> Predictions:
    return Predictions(replay)


def due(replay: Replay, number: int) -> float:
    return float(replay.ring.since(number, 1)[0]["due"][0])


def log_of(predictions: Predictions) -> Rows:
    return predictions.ring.since(0)[0]


def step(replay: Replay, n: int) -> None:
    keeper = Keeper(replay)
    for done in range(n):
        replay.step()
        keeper.wait_rows(done + 1)
    replay.remove_listener(keeper)


def test_prediction_is_on_time_until_the_next_bin_is_due(replay: Replay, predictions: Predictions) -> None:
    limit = due(replay, 0) + replay.period
    assert predictions.receive("a", 0, VALUES, limit - SOON) == Verdict.ON_TIME
    assert predictions.receive("b", 0, VALUES, limit + SOON) == Verdict.LATE


def test_next_bin_is_due_sooner_at_a_higher_speed(replay: Replay, predictions: Predictions) -> None:
    replay.set_speed(10.0)
    assert replay.period == pytest.approx(0.0025)
    assert predictions.receive("a", 0, VALUES, due(replay, 0) + 0.01) == Verdict.LATE


def test_of_duplicates_the_first_counts(replay: Replay, predictions: Predictions) -> None:
    at = clock.now()
    predictions.receive("a", 1, VALUES, at)
    assert predictions.receive("a", 1, (9.0, 9.0, 9.0, 9.0), at) == Verdict.DUPLICATE
    assert predictions.receive("b", 1, VALUES, at) != Verdict.DUPLICATE
    rows = replay.ring.since(0)[0]
    np.testing.assert_array_equal(predictions.decoded(rows)["a"][1], [1.0, 2.0])


def test_bin_that_has_left_the_ring_is_stale() -> None:
    replay = replay_of(small_recording(bin_rate=2.0))  # the ring has 128 bins
    predictions = Predictions(replay)
    step(replay, 130)
    assert predictions.receive("a", 1, VALUES, clock.now()) == Verdict.STALE
    assert predictions.receive("a", 2, VALUES, 0.0) == Verdict.ON_TIME
    replay.close()


@pytest.mark.parametrize("number", [4, -1, 10**30])
def test_bin_that_was_not_sent_is_refused(predictions: Predictions, number: int) -> None:
    with pytest.raises(BadPrediction, match="has not been sent"):
        predictions.receive("a", number, VALUES, clock.now())
    assert predictions.names == []


def test_log_has_every_prediction_in_order(predictions: Predictions) -> None:
    predictions.receive("a", 2, VALUES, 1.0)
    predictions.receive("b", 0, (NAN, NAN, 5.0, 6.0), 2.0)
    predictions.drop("a", 3, 4, 3.0)
    predictions.leave("b", 4.0)
    predictions.leave("nobody", 5.0)
    log = log_of(predictions)
    assert predictions.names == ["a", "b"]
    assert log["sequence_number"].tolist() == [2, 0, 3, 4]
    assert log["received"].tolist() == [1.0, 2.0, 3.0, 4.0]
    assert log["decoder"].tolist() == [0, 1, 0, 1]
    assert log["verdict"].tolist() == [0, 0, Verdict.DROPPED, Verdict.LEFT]
    np.testing.assert_array_equal(log["values"][:2], [VALUES, (NAN, NAN, 5.0, 6.0)])
    assert np.isnan(log["values"][2:]).all()


def test_decoded_positions_stand_beside_their_bins(replay: Replay, predictions: Predictions) -> None:
    at = clock.now()
    for number, x in ((0, 10.0), (2, 13.0)):
        predictions.receive("a", number, (x, -x, NAN, NAN), at)
    predictions.receive("v", 1, (NAN, NAN, 40.0, 0.0), at)
    predictions.receive("v", 2, (NAN, NAN, 40.0, 0.0), at)
    rows = replay.ring.since(0)[0]
    found = predictions.decoded(rows)
    np.testing.assert_array_equal(found["a"], [[10, -10], [NAN, NAN], [13, -13], [NAN, NAN]])
    start = rows["kinematics"][1, :2]
    np.testing.assert_allclose(found["v"][1:3], [start, (start[0] + 1, start[1])])
    assert found["v"].dtype == np.float32
    assert predictions.decoded(rows[3:]) == {}


def test_more_than_four_predictions_a_bin_are_counted_and_not_kept(
    replay: Replay, predictions: Predictions
) -> None:
    budget = replay.ring.capacity
    for _ in range(budget + 10):
        predictions.receive("flood", 0, VALUES, 0.0)
    assert predictions.receive("flood", 1, VALUES, 0.0) is None
    assert predictions.refused == {"flood": 11}
    assert predictions.ring.head == budget

    step(replay, 1)
    taken = [predictions.receive("flood", 4, VALUES, 0.0) for _ in range(PER_BIN + 1)]
    assert taken[-1] is None
    assert None not in taken[:-1]
    assert predictions.receive("other", 0, VALUES, 0.0) is not None


def test_a_session_has_a_limited_number_of_decoders(predictions: Predictions) -> None:
    for i in range(MAX_DECODERS):
        predictions.receive(f"d{i}", 0, VALUES, 0.0)
    with pytest.raises(BadPrediction, match="32 decoders"):
        predictions.receive("another", 0, VALUES, 0.0)
    predictions.receive("d0", 1, VALUES, 0.0)


def test_made_up_names_are_free_ones(predictions: Predictions) -> None:
    predictions.receive("decoder-1", 0, VALUES, 0.0)
    taken = [predictions.holds.take(None) for _ in range(2)]
    assert [hold.name for hold in taken] == ["decoder-2", "decoder-3"]
    predictions.holds.free(taken[0])
    assert predictions.holds.take(None).name == "decoder-2"


def test_made_up_names_of_those_who_have_gone_leave_their_places(predictions: Predictions) -> None:
    made_up = [predictions.holds.take(None) for _ in range(MAX_DECODERS)]
    for hold in made_up:
        predictions.receive(hold.name, 0, VALUES, 0.0)
    with pytest.raises(BadPrediction, match="32 decoders"):
        predictions.receive("named", 0, VALUES, 0.0)
    predictions.holds.free(made_up[0])
    predictions.receive("named", 0, VALUES, 0.0)
    with pytest.raises(BadPrediction, match="32 decoders"):
        predictions.receive("another", 0, VALUES, 0.0)


@pytest.mark.parametrize("name", ["", "x" * 65, "two\nlines", "\x00", None, 3, ["a"]])
def test_names_that_cannot_be_shown_are_refused(name: object) -> None:
    with pytest.raises(BadPrediction, match="1 to 64 printable"):
        checked_name(name)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "no values"),
        ({"x": 1.0}, "One of x and y is missing"),
        ({"vy": 1.0, "x": 0, "y": 0}, "One of vx and vy is missing"),
        ({"x": NAN, "y": 0}, "x is nan"),
        ({"x": 0, "y": float("inf")}, "y is inf"),
        ({"x": 0, "y": -1e300}, "y is -1e"),
        ({"x": True, "y": 0}, "x is True"),
        ({"x": "1", "y": 0}, "x is '1'"),
        ({"vx": None, "vy": 0}, "One of vx and vy is missing"),
        ({"vx": [1], "vy": 0}, "vx is a list"),
        ({"vx": 10**400, "vy": 0}, "vx is 1000"),
    ],
)
def test_values_that_are_none_are_refused(given: dict[str, object], told: str) -> None:
    with pytest.raises(BadPrediction, match=told):
        checked_values(given)


def test_values_not_given_are_nan() -> None:
    np.testing.assert_array_equal(checked_values({"x": None, "vx": 1, "vy": 2.5}), (NAN, NAN, 1.0, 2.5))
