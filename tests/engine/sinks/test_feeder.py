"""A sink gets every bin at its time, and what becomes of it becomes of nobody else."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from engine.bins import clock
from engine.bins.schema import Rows
from engine.deck.replay import Replay
from engine.errors import BrokerFault
from engine.sinks.base import Sink
from engine.sinks.feeder import BLOCKED_AFTER, Feeder
from tests.builders import replay_of, small_recording
from tests.engine.deck.test_replay import FAST, PERIOD, assert_unbroken, exact, ids
from tests.engine.listening import PATIENCE, Keeper, Notebook, wait_until

CALM = 0.025
"""Seconds of lateness that a busy machine explains; the sinks in trouble below take a second a bin."""

Feed = Callable[..., tuple[Replay, Keeper, Feeder]]


@pytest.fixture
def feed() -> Iterator[Feed]:
    """Makes a replay with a sink, and with a listener that keeps all it sends."""
    made: list[tuple[Replay, Feeder]] = []

    def make(
        sink: Sink | Callable[[], Sink], name: str = "sink", **options: Any
    ) -> tuple[Replay, Keeper, Feeder]:
        replay = replay_of(small_recording(), **{"speed": FAST, **options})
        feeder = Feeder(name, sink if callable(sink) else lambda: sink, replay)
        made.append((replay, feeder))
        return replay, Keeper(replay), feeder

    yield make
    for replay, feeder in made:
        feeder.close(within=0.2)
        replay.close()


def test_lost_packets_use_up_their_number_and_reach_no_sink(feed: Feed) -> None:
    notebook = Notebook()
    settings = {"lost_packets": {"enabled": True, "probability": 0.5, "burst": 4.0}}
    replay, keeper, _ = feed(notebook, perturbation=settings)
    replay.resume()
    rows = keeper.wait_rows(400)
    kept = rows[~rows["lost"]]
    pushed, _ = notebook.wait_rows(len(kept))

    assert 0 < len(kept) < 400
    assert_unbroken(rows)
    assert pushed.tobytes() == kept.tobytes()


def test_jitter_holds_back_sinks_in_order_and_neither_the_ring_nor_the_clock(feed: Feed) -> None:
    notebook = Notebook()
    jitter = {"jitter": {"enabled": True, "sd": 100.0, "longest": 150.0}}
    replay, keeper, _ = feed(notebook, speed=4.0, perturbation=jitter)
    replay.resume()
    rows = keeper.wait_rows(200)
    pushed, at = notebook.wait_rows(200)
    earliest = np.maximum.accumulate(rows["due"] + rows["delay"])

    assert pushed.tobytes() == rows.tobytes()
    assert (np.array(at) >= earliest).all()
    assert np.median(np.array(at) - rows["due"]) > 0.05
    assert 0.1 < rows["delay"].max() <= 0.15 + 1e-6
    replay.pause()
    rows = keeper.rows
    assert replay.late_ticks == np.count_nonzero(rows["lateness"] >= PERIOD / 4)
    assert np.median(rows["lateness"]) < np.median(rows["delay"])


def test_what_is_held_back_is_delivered_though_the_session_is_paused(feed: Feed) -> None:
    notebook = Notebook()
    jitter = {"jitter": {"enabled": True, "sd": 500.0, "longest": 200.0}}
    replay, keeper, _ = feed(notebook, perturbation=jitter)
    replay.resume()
    keeper.wait_rows(150)
    replay.pause()
    n = replay.ring.head
    pushed, at = notebook.wait_rows(n)

    assert pushed["sequence_number"].tolist() == list(range(n))
    assert at[-1] >= (pushed["due"] + pushed["delay"])[-1]


def test_sinks_get_nothing_of_what_was_sent_at_max(feed: Feed) -> None:
    notebook = Notebook()
    replay, keeper, _ = feed(notebook, speed="max")
    replay.start()
    keeper.wait_rows(500)
    replay.set_speed(FAST)
    pushed, _ = notebook.wait_rows(100)
    paced = keeper.rows["lateness"] > 0

    assert pushed["sequence_number"][0] == np.argmax(paced)


def test_sinks_get_every_bin_as_it_stands_in_the_ring(feed: Feed) -> None:
    notebook = Notebook()
    replay, keeper, _ = feed(notebook)
    replay.start()
    keeper.wait_rows(300)
    pushed, _ = notebook.wait_rows(300)

    assert exact(pushed) == exact(keeper.rows[:300])


def test_session_waits_for_a_consumer_of_its_sinks(feed: Feed) -> None:
    notebook = Notebook()
    replay, keeper, feeder = feed(notebook)
    assert feeder.made.wait(20)
    assert (replay.state, feeder.heard) == ("idle", False)
    notebook.heard = True
    keeper.wait_state("playing")

    assert feeder.heard
    assert ids(keeper.wait_rows(3)) == [0, 1, 2]


def test_sinks_are_told_events_of_trials_when_their_bin_is_due(feed: Feed) -> None:
    notebook = Notebook()
    replay, keeper, _ = feed(notebook)
    replay.start()
    notebook.wait_event("trial_end 1")
    first = keeper.rows[:200]  # of the recording's bins; it plays them again
    due = dict(zip(ids(first), first["due"].tolist(), strict=True))

    expected = {"trial_start 0": 0, "target_on 0": 5, "go_cue 1": 65, "trial_end 1": 99}
    for text, packet_id in expected.items():
        assert notebook.wait_event(text) == due[packet_id]


def test_sinks_are_told_what_people_do_and_when(feed: Feed) -> None:
    notebook = Notebook()
    replay, _, _ = feed(notebook)
    before = clock.now()
    replay.pause()
    replay.seek(77)
    replay.set_perturbation({"preset": "light"})
    replay.set_speed(2.0)
    replay.resume()
    replay.stop()
    notebook.wait_event("stop")

    told = [text for text, _ in notebook.events if not text.startswith(("trial", "target", "go", "move"))]
    assert told == ["pause", "seek 77", "perturbation noise drift", "speed 2.0", "resume", "stop"]
    assert all(before <= at <= clock.now() for _, at in notebook.events)


def test_sinks_get_no_bin_at_speed_max(feed: Feed) -> None:
    notebook = Notebook()
    replay, keeper, _ = feed(notebook, speed="max")
    replay.start()
    keeper.wait_rows(500)
    replay.pause()
    notebook.wait_event("pause")

    assert notebook.chunks == []
    assert [text for text, _ in notebook.events] == ["pause"]


# Failure


class Broken(Notebook):
    """Fails with every bin until it is mended."""

    mended = False

    def push(self, rows: Rows) -> None:
        if not self.mended:
            raise OSError("The cable is out.")
        super().push(rows)


class Slow(Notebook):
    def push(self, rows: Rows) -> None:
        time.sleep(1.0)
        super().push(rows)


class Stuck(Notebook):
    """Blocks until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.free = threading.Event()

    def push(self, rows: Rows) -> None:
        self.free.wait()
        super().push(rows)


def test_close_closes_the_sink_and_ends_its_thread_and_may_be_repeated(feed: Feed) -> None:
    notebook = Notebook()
    replay, keeper, feeder = feed(notebook, name="sink to close")
    replay.start()
    keeper.wait_rows(5)
    feeder.close()
    feeder.close()

    assert notebook.closed == 1
    assert feeder.status.state == "closed"
    assert "sink to close" not in [thread.name for thread in threading.enumerate()]


def test_sink_that_fails_is_closed_told_once_and_tried_again(
    feed: Feed, caplog: pytest.LogCaptureFixture
) -> None:
    broken = Broken()
    replay, keeper, feeder = feed(broken, name="bad of deck")
    replay.start()
    wait_until(lambda: broken.closed >= 3)
    assert not feeder.status.well
    assert feeder.status.error == "OSError: The cable is out."
    (told,) = caplog.records
    assert told.getMessage() == "The sink bad of deck has failed; it is tried again"
    broken.mended = True
    pushed, _ = broken.wait_rows(20)

    assert feeder.status.state == "running"
    assert 0 < feeder.status.lost == pushed["sequence_number"][0]
    assert (replay.state, replay.error) == ("playing", None)
    assert_unbroken(keeper.rows)


def test_every_bin_that_a_failed_sink_did_not_get_is_counted_while_it_is_down_too(feed: Feed) -> None:
    broken = Broken()
    replay, keeper, feeder = feed(broken)
    replay.start()
    keeper.wait_rows(100)
    wait_until(lambda: feeder.status.lost >= 100)
    broken.mended = True
    pushed, _ = broken.wait_rows(20)

    assert feeder.status.lost == pushed["sequence_number"][0]


def test_fault_that_a_sink_puts_into_words_is_one_line_without_traceback(
    feed: Feed, caplog: pytest.LogCaptureFixture
) -> None:
    def make() -> Notebook:
        raise BrokerFault("The broker is away. Start it.", lost=7)

    _, _, feeder = feed(make, name="broker of deck")
    assert feeder.made.wait(PATIENCE)
    (told,) = caplog.records

    assert told.getMessage().endswith("tried again: The broker is away. Start it.")
    assert told.exc_info is None
    assert feeder.status.error == "The broker is away. Start it."
    assert feeder.status.lost >= 7


@pytest.mark.parametrize("fault", [OSError("No network."), RuntimeError("could not create stream outlet.")])
def test_sink_that_cannot_be_made_is_made_later(feed: Feed, fault: Exception) -> None:
    notebook, tries = Notebook(), []

    def make() -> Notebook:
        tries.append(clock.now())
        if len(tries) < 3:
            raise fault
        return notebook

    replay, keeper, feeder = feed(make)
    assert feeder.made.wait(PATIENCE)
    assert (feeder.status.state, feeder.heard) == ("failed", False)
    replay.start()
    keeper.wait_rows(10)
    notebook.wait_rows(10)

    assert len(tries) == 3
    assert feeder.status.state == "running"


@pytest.mark.parametrize("kind", [Slow, Broken, Stuck])
def test_sink_in_trouble_moves_nobody_else(feed: Feed, kind: type[Notebook]) -> None:
    bad, good = kind(), Notebook()
    replay, keeper, feeder = feed(bad, speed=2.0)
    other = Feeder("good", lambda: good, replay)
    replay.start()
    began = clock.now()
    rows = keeper.wait_rows(120)
    lateness = np.array(keeper.arrivals[:120]) - rows["due"]
    _, at = good.wait_rows(120)
    asked = clock.now()
    replay.pause()
    took = clock.now() - asked
    other.close()

    assert clock.now() - began < 5.0
    assert_unbroken(rows)
    assert np.median(lateness) < CALM
    assert np.median(np.array(at) - rows["due"]) < CALM
    assert took < 2 * CALM
    if kind is not Broken:
        assert feeder.status.state in ("running", "blocked")


def test_sink_that_blocks_is_told_of_and_lapped_and_goes_on_where_it_is_let_go(feed: Feed) -> None:
    stuck = Stuck()
    replay, keeper, feeder = feed(stuck, speed=100.0)
    replay.start()
    keeper.wait_rows(1)
    wait_until(lambda: feeder.status.state == "blocked")
    keeper.wait_rows(replay.ring.capacity + 200)
    stuck.free.set()
    pushed, _ = stuck.wait_rows(200)

    assert feeder.status.state == "running"
    assert feeder.status.lost > 0
    assert (np.diff(pushed["sequence_number"]) > 0).all()
    assert BLOCKED_AFTER <= 2.0


def test_session_does_not_wait_for_a_sink_that_never_returns(feed: Feed) -> None:
    stuck = Stuck()
    replay, keeper, feeder = feed(stuck)
    replay.start()
    keeper.wait_rows(5)
    began = clock.now()
    replay.close()
    feeder.close(within=0.3)
    assert clock.now() - began < 2.0
    stuck.free.set()
    wait_until(lambda: stuck.closed == 1)
