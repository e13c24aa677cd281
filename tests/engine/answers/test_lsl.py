"""Predictions from a real LSL outlet."""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Callable, Iterator

import numpy as np
import pylsl
import pytest

from engine.answers.lsl import LslInlet
from engine.answers.prediction import CHANNELS
from engine.answers.predictions import Predictions
from engine.bins import clock
from engine.bins.answered import Verdict
from engine.deck.replay import Replay
from engine.lsl import found
from tests.builders import replay_of, small_recording
from tests.engine.listening import PATIENCE, Keeper

NAN = float("nan")


class News:
    """Waits for what comes in; call it at each line."""

    def __init__(self) -> None:
        self._changed = threading.Condition()

    def __call__(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def wait(self, met: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(met, PATIENCE)


@pytest.fixture
def replay() -> Iterator[Replay]:
    """Paused, with three bins sent."""
    made = replay_of(small_recording())
    keeper = Keeper(made)
    for n in range(3):
        made.step()
        keeper.wait_rows(n + 1)
    yield made
    made.close()


@pytest.fixture
def name() -> str:
    return f"test-{uuid.uuid4().hex[:12]}"


def outlet(name: str, n_channels: int = len(CHANNELS)) -> pylsl.StreamOutlet:
    info = pylsl.StreamInfo(name, "Decoded", n_channels, pylsl.IRREGULAR_RATE, pylsl.cf_double64, name)
    return pylsl.StreamOutlet(info)


def left_alone(source: pylsl.StreamOutlet) -> bool:
    """Whether the last consumer has gone, within some seconds."""
    return soon(lambda: not source.have_consumers())


def soon(met: Callable[[], bool]) -> bool:
    """Whether something comes true of which liblsl tells nobody."""
    for _ in range(100):
        if met():
            return True
        threading.Event().wait(0.1)
    return False


def test_samples_are_predictions_until_the_inlet_is_closed(replay: Replay, name: str) -> None:
    news = News()
    predictions = Predictions(replay, news)
    inlet = LslInlet(name, "kalman", predictions)
    source = outlet(name)  # it may come later
    assert source.wait_for_consumers(PATIENCE)
    source.push_sample([1.0, 2.0, 3.0, 4.0, 1.0])
    source.push_sample([NAN, NAN, 5.0, 6.0, 0.0])
    news.wait(lambda: predictions.ring.head == 2)
    lines = predictions.ring.since(0)[0]
    assert inlet.connected
    assert predictions.names == ["kalman"]
    assert lines["sequence_number"].tolist() == [1, 0]
    np.testing.assert_array_equal(lines["values"], [[1, 2, 3, 4], [NAN, NAN, 5, 6]])

    inlet.close()
    inlet.close()
    assert not inlet.connected
    assert left_alone(source)
    assert predictions.ring.since(2)[0]["verdict"].tolist() == [Verdict.LEFT]


def test_samples_without_a_number_answer_the_bins_whose_time_stamps_they_have(
    replay: Replay, name: str
) -> None:
    news = News()
    predictions = Predictions(replay, news)
    inlet = LslInlet(name, "kalman", predictions)
    source = outlet(name, 4)
    assert source.wait_for_consumers(PATIENCE)
    due = replay.ring.since(0)[0]["due"]
    source.push_sample([1.0, 2.0, NAN, NAN], due[2])
    source.push_sample([1.0, 2.0, NAN, NAN], due[0] - 1.0)  # of no bin
    source.push_sample([3.0, 4.0, NAN, NAN], due[0])
    news.wait(lambda: predictions.ring.head == 2)
    lines = predictions.ring.since(0)[0]
    assert lines["sequence_number"].tolist() == [2, 0]
    np.testing.assert_array_equal(lines["values"][:, :2], [[1, 2], [3, 4]])
    assert inlet.error is not None
    told = re.match(r"No bin was due at (\d+\.\d{3}) s\. Give an answer the time stamp", inlet.error)
    assert told is not None
    assert float(told[1]) == pytest.approx(due[0] - 1.0, abs=2e-3)  # LSL corrects time stamps a little
    inlet.close()


def test_faulty_samples_are_told_and_left_out(replay: Replay, name: str) -> None:
    news = News()
    predictions = Predictions(replay, news)
    inlet = LslInlet(name, "kalman", predictions)
    source = outlet(name)
    assert source.wait_for_consumers(PATIENCE)
    for number, x in ((99.0, 0.0), (0.5, 0.0), (NAN, 0.0), (0.0, NAN), (0.0, 1e300)):
        source.push_sample([x, 2.0, 3.0, 4.0, number])
    source.push_sample([1.0, 2.0, 3.0, 4.0, 2.0])
    news.wait(lambda: predictions.ring.head == 1)
    assert predictions.ring.since(0)[0]["sequence_number"].tolist() == [2]
    assert inlet.error is not None
    assert inlet.error.startswith("x is 1e+300")
    inlet.close()


def test_stream_with_other_channels_is_told(replay: Replay, name: str) -> None:
    source = outlet(name, n_channels=3)
    predictions = Predictions(replay)
    inlet = LslInlet(name, "kalman", predictions)
    assert soon(lambda: inlet.error is not None)
    assert inlet.error == (
        f"LSL stream '{name}' has 3 channels. Send 5: x, y, vx, vy, sequence_number; or the first 4, with "
        "the time stamps of the bins."
    )
    inlet.close()
    assert left_alone(source)


def test_stream_that_goes_and_comes_is_heard_again(replay: Replay, name: str) -> None:
    news = News()
    predictions = Predictions(replay, news)
    inlet = LslInlet(name, "kalman", predictions)
    for number in range(2):
        source = outlet(name)
        assert source.wait_for_consumers(PATIENCE)
        source.push_sample([1.0, 2.0, 3.0, 4.0, float(number)])
        answers = number + 1
        news.wait(lambda n=answers: int((predictions.ring.since(0)[0]["verdict"] <= 1).sum()) == n)
        del source
        news.wait(lambda n=answers: int((predictions.ring.since(0)[0]["verdict"] == 5).sum()) == n)
    inlet.close()


@pytest.mark.parametrize("quoted", ["the lab's {}", 'the "lab" {}', """the lab's "own" {}"""])
def test_stream_of_a_name_with_quotes_is_found_and_no_other(name: str, quoted: str) -> None:
    wanted = quoted.format(name)
    sources = [outlet(wanted), outlet(f"{name} other")]
    deadline = clock.now() + PATIENCE
    while not (there := found(wanted)):
        assert clock.now() < deadline
    assert [info.name() for info in there] == [wanted]
    del sources


@pytest.mark.parametrize("query", ["x' or '1'='1", """x' or "1"="1"""])
def test_query_in_a_name_finds_nothing(name: str, query: str) -> None:
    source = outlet(name)
    deadline = clock.now() + PATIENCE
    while not found(name):
        assert clock.now() < deadline
    assert found(query) == []
    del source
