"""A replay sends every selected bin once and in order, each at its time, and fails visibly."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from engine.bins import clock
from engine.bins.schema import Rows
from engine.bins.selection import EVERYTHING, Selection
from engine.deck.replay import Replay
from engine.errors import BadSetting, EmptySelection, NotNow, OutsideSelection, UnknownTrial
from engine.sources.recordings.recording import Recording
from engine.stages.perturb import MODELS
from tests.builders import replay_of, small_recording
from tests.clocks import JumpingClock
from tests.engine.listening import Keeper, wait_until

FAST = 50.0
PERIOD = 0.025
NOT_EXACT = ("timestamp", "due", "lateness", "delay")
"""Fields that tell when a bin was sent; all others are the same in every run."""

Play = Callable[..., tuple[Replay, Keeper]]


@pytest.fixture
def recording() -> Recording:
    """200 bins at 40 Hz: trials 0 to 3 of 50 bins, aiming at targets 0, 1, 2 and 0."""
    return small_recording()


@pytest.fixture
def play(recording: Recording) -> Iterator[Play]:
    """Makes a replay with a listener that keeps all it sends."""
    made: list[Replay] = []

    def make(reads: bool = True, **options: Any) -> tuple[Replay, Keeper]:
        replay = replay_of(options.pop("recording", recording), **{"speed": FAST, **options})
        made.append(replay)
        return replay, Keeper(replay, reads)

    yield make
    for replay in made:
        replay.close()


def ids(rows: Rows) -> list[int]:
    return [int(i) for i in rows["packet_id"]]


def assert_unbroken(rows: Rows) -> None:
    assert (np.diff(rows["sequence_number"]) == 1).all()


def exact(rows: Rows) -> list[bytes]:
    """Each row but for when it was sent."""
    names = [name for name in rows.dtype.names or () if name not in NOT_EXACT]
    return [b"".join(row[name].tobytes() for name in names) for row in rows]


# What is sent


def test_first_listener_gets_the_recording_from_its_first_bin(play: Play, recording: Recording) -> None:
    replay, keeper = play()
    assert replay.state == "idle"
    replay.start()
    rows = keeper.wait_rows(200)

    assert replay.state == "playing"
    assert rows["sequence_number"].tolist() == list(range(200))
    for name in recording.bins.dtype.names or ():
        np.testing.assert_array_equal(rows[name], recording.bins[name])
    assert not rows["perturbation"].any()


@pytest.mark.parametrize(("speed", "n"), [(1.0, 5), (FAST, 500)])
def test_bins_are_due_on_a_grid_of_their_speed(play: Play, speed: float, n: int) -> None:
    replay, keeper = play(speed=speed)
    before = time.time()
    replay.start()
    rows = keeper.wait_rows(n)

    np.testing.assert_allclose(rows["due"], rows["due"][0] + np.arange(n) * PERIOD / speed, atol=1e-9)
    np.testing.assert_allclose(np.diff(rows["timestamp"]), PERIOD / speed, atol=1e-6)
    assert before <= rows["timestamp"][0] <= time.time()


def test_no_bin_comes_before_it_is_due_and_lateness_says_how_long_after(play: Play) -> None:
    replay, keeper = play()
    replay.start()
    rows = keeper.wait_rows(300)
    arrivals = np.array(keeper.arrivals[:300])

    assert (rows["lateness"] >= 0).all()
    assert (rows["due"] + rows["lateness"] <= arrivals + 1e-6).all()


def test_loop_follows_the_last_bin_with_the_first(play: Play) -> None:
    replay, keeper = play()
    replay.start()
    rows = keeper.wait_rows(450)

    assert ids(rows) == [i % 200 for i in range(450)]
    assert_unbroken(rows)


def test_without_loop_it_ends_and_resume_plays_again(play: Play) -> None:
    replay, keeper = play(loop=False)
    replay.start()
    keeper.wait_state("ended")
    assert ids(keeper.rows) == list(range(200))
    assert replay.position().packet_id == 199
    assert replay.position().current_index == 199

    replay.resume()
    rows = keeper.wait_rows(400)
    assert ids(rows[200:]) == list(range(200))
    assert_unbroken(rows)


def test_loop_can_be_switched_while_playing(play: Play) -> None:
    replay, keeper = play(loop=False)
    replay.set_loop(True)
    replay.start()
    keeper.wait_rows(210)
    replay.set_loop(False)
    keeper.wait_state("ended")

    assert len(keeper.rows) % 200 == 0
    assert not replay.loop


# Pause and resume


def test_pause_and_resume_make_no_burst_no_gap_and_no_repeat(play: Play, jumping: JumpingClock) -> None:
    replay, keeper = play(speed=1.0)
    replay.start()
    keeper.wait_rows(3)
    replay.pause()
    sent = len(keeper.rows)
    jumping.ahead += 3.0
    resumed = clock.now()
    replay.resume()
    rows = keeper.wait_rows(sent + 6)
    after = rows[sent:]

    assert ids(rows) == list(range(sent + 6))
    assert_unbroken(rows)
    assert after["due"][0] >= resumed
    np.testing.assert_allclose(np.diff(after["due"]), PERIOD, atol=1e-9)
    assert (np.array(keeper.arrivals[sent : sent + 6]) >= after["due"]).all()
    assert replay.lost_time == 0


def test_nothing_is_sent_once_pause_has_returned(play: Play) -> None:
    for _ in range(20):
        replay, keeper = play(speed=100.0)
        replay.start()
        keeper.wait_rows(1)
        replay.pause()
        head, index = replay.ring.head, replay.position().packet_id
        replay.set_loop(True)  # something to wake up for
        replay.step()
        keeper.wait_rows(head + 1)
        assert ids(keeper.rows)[head] == index
        replay.close()


def test_pause_before_the_first_listener_holds_it_back(play: Play) -> None:
    replay, keeper = play()
    replay.pause()
    replay.start()
    assert replay.state == "paused"

    replay.resume()
    assert ids(keeper.wait_rows(3)) == [0, 1, 2]


def test_pausing_and_resuming_twice_is_harmless(play: Play) -> None:
    replay, keeper = play()
    replay.resume()
    replay.resume()
    keeper.wait_rows(10)
    replay.pause()
    replay.pause()
    replay.resume()

    assert_unbroken(keeper.wait_more(100))


# Lateness


def test_up_to_a_second_is_caught_up_on_the_same_grid(play: Play, jumping: JumpingClock) -> None:
    replay, keeper = play(speed=1.0)
    replay.start()
    keeper.wait_rows(2)
    jumping.ahead += 0.8
    rows = keeper.wait_rows(40)

    assert_unbroken(rows)
    np.testing.assert_allclose(rows["due"], rows["due"][0] + np.arange(40) * PERIOD, atol=1e-9)
    assert replay.late_ticks >= 25
    assert replay.lost_time == 0


def test_beyond_a_second_the_schedule_restarts_without_a_burst(play: Play, jumping: JumpingClock) -> None:
    replay, keeper = play(speed=1.0)
    replay.start()
    keeper.wait_rows(2)
    jumping.ahead += 5.0
    jumped = clock.now()
    rows = keeper.wait_rows(10)
    late = int(np.argmax(rows["due"] >= jumped))

    assert ids(rows) == list(range(10))
    assert (rows["lateness"] >= 0).all()
    assert (np.array(keeper.arrivals[:10]) >= rows["due"]).all()
    np.testing.assert_allclose(np.diff(rows["due"][late:]), PERIOD, atol=1e-9)
    assert replay.lost_time == pytest.approx(5.0, abs=1.0)


# Stop, step, seek


def test_stop_stands_at_the_first_selected_bin_until_resume(play: Play) -> None:
    replay, keeper = play(selection=Selection(trial_ids=(1, 3)))
    replay.start()
    keeper.wait_rows(30)
    replay.stop()
    head = replay.ring.head
    replay.start()
    with pytest.raises(NotNow, match="Resume it before stepping"):
        replay.step()
    assert replay.state == "stopped"
    assert (replay.position().packet_id, replay.position().current_index) == (50, 0)
    assert replay.ring.head == head

    replay.resume()
    rows = keeper.wait_rows(head + 5)
    assert ids(rows[head:]) == [50, 51, 52, 53, 54]
    assert_unbroken(rows)


def test_step_starts_a_session_that_was_never_asked_anything(play: Play) -> None:
    replay, keeper = play()
    replay.step()

    assert ids(keeper.wait_rows(1)) == [0]
    assert replay.state == "paused"


def test_each_step_sends_one_bin_however_fast_they_follow(play: Play) -> None:
    replay, keeper = play()
    for _ in range(10):
        replay.step()
    keeper.wait_rows(10)
    replay.close()

    assert ids(keeper.rows) == list(range(10))


def test_step_pauses_a_session_that_plays(play: Play) -> None:
    replay, keeper = play()
    replay.start()
    keeper.wait_rows(5)
    replay.step()
    assert replay.state == "paused"
    replay.resume()

    assert ids(keeper.wait_rows(100)) == list(range(100))


def test_steps_beyond_the_last_bin_end_a_session_that_does_not_loop(play: Play) -> None:
    replay, keeper = play(loop=False)
    replay.pause()
    replay.seek(198)
    replay.step()
    replay.step()
    keeper.wait_state("ended")

    assert ids(keeper.rows) == [198, 199]


def test_step_goes_around_a_loop(play: Play) -> None:
    replay, keeper = play()
    replay.pause()
    replay.seek(199)
    replay.step()
    replay.step()

    assert ids(keeper.wait_rows(2)) == [199, 0]


def test_seek_while_paused_sets_the_next_bin_and_sends_nothing(play: Play) -> None:
    replay, keeper = play()
    replay.pause()
    replay.seek(120)
    assert replay.position().packet_id == 120
    assert replay.position().seconds == 3.0
    assert replay.ring.head == 0

    replay.resume()
    assert ids(keeper.wait_rows(3)) == [120, 121, 122]


def test_seek_while_playing_goes_on_from_there_at_once(play: Play) -> None:
    replay, keeper = play()
    replay.start()
    keeper.wait_rows(5)
    replay.seek(150)
    keeper.wait(lambda: 155 in keeper.rows["packet_id"])
    rows = keeper.rows
    jump = ids(rows).index(150)

    assert ids(rows[:jump]) == list(range(jump))
    assert_unbroken(rows)
    np.testing.assert_allclose(np.diff(rows["due"]), PERIOD / FAST, atol=1e-9)


def test_seek_outside_the_selection_is_refused(play: Play) -> None:
    replay, _ = play(selection=Selection(trial_ids=(1,)))
    with pytest.raises(OutsideSelection, match="Packet 20 lies outside the selection"):
        replay.seek(20)

    assert replay.position().packet_id == 50


def test_seek_from_the_end_pauses_there(play: Play) -> None:
    replay, keeper = play(loop=False)
    replay.start()
    keeper.wait_state("ended")
    replay.seek(198)
    assert replay.state == "paused"

    replay.resume()
    assert ids(keeper.wait_more(2)) == [198, 199]


# Speed


def test_speed_changes_the_grid_from_the_next_bin_on(play: Play) -> None:
    replay, keeper = play(speed=20.0)
    replay.start()
    keeper.wait_rows(5)
    replay.set_speed(FAST)
    rows = keeper.wait_rows(200)
    steps = np.diff(rows["due"])

    assert replay.speed == FAST
    assert_unbroken(rows)
    np.testing.assert_allclose(steps[:4], PERIOD / 20, atol=1e-9)
    np.testing.assert_allclose(steps[-50:], PERIOD / FAST, atol=1e-9)
    assert (steps > 0).all()


@pytest.mark.parametrize("before", [0.1, 0.5])
def test_next_bin_is_due_at_most_one_new_period_after_the_speed_was_set(play: Play, before: float) -> None:
    replay, keeper = play(speed=before)
    replay.start()
    keeper.wait_rows(1)
    replay.set_speed(FAST)
    at = clock.now()
    first, second = keeper.wait_rows(2)["due"][:2]

    assert first < second <= at + PERIOD / FAST


def test_slower_speed_leaves_the_next_bin_where_it_was_due(play: Play) -> None:
    replay, keeper = play(speed=2.0)
    replay.start()
    keeper.wait_rows(1)
    replay.set_speed(0.1)
    at = clock.now()
    first, second = keeper.wait_rows(2)["due"][:2]

    assert second <= max(first + PERIOD / 2 + 1e-6, at)


@pytest.mark.parametrize("speed", [0, -1.0, 0.09, 100.5, float("nan"), float("inf"), "fast", None])
def test_speed_out_of_range_is_refused_and_changes_nothing(play: Play, speed: Any) -> None:
    replay, _ = play()
    with pytest.raises(BadSetting, match=r"is out of range\. Send 0\.1 to 100"):
        replay.set_speed(speed)
    with pytest.raises(BadSetting):
        replay_of(replay.description, speed=speed)

    assert replay.speed == FAST


# Selection and perturbation


def test_selection_is_played_back_to_back(play: Play) -> None:
    replay, keeper = play(selection=Selection(target_ids=(0,)))
    replay.start()
    rows = keeper.wait_rows(210)

    assert ids(rows) == [*range(50), *range(150, 200), *range(50), *range(150, 200), *range(10)]
    np.testing.assert_allclose(np.diff(rows["due"]), PERIOD / FAST, atol=1e-9)


def test_new_selection_starts_at_its_first_bin(play: Play) -> None:
    replay, keeper = play()
    replay.start()
    keeper.wait_rows(20)
    replay.set_selection(Selection(trial_ids=(2,)))
    keeper.wait(lambda: 100 in keeper.rows["packet_id"])
    rows = keeper.wait_more(120)

    assert replay.selection == Selection(trial_ids=(2,))
    assert replay.position().n_selected == 50
    assert set(ids(rows)) == set(range(100, 150))
    assert_unbroken(keeper.rows)


@pytest.mark.parametrize(
    ("selection", "refusal"),
    [
        (Selection(trial_ids=(9,)), UnknownTrial),
        (Selection(trial_ids=(0,), target_ids=(1,)), EmptySelection),
    ],
)
def test_refused_selection_changes_nothing(
    play: Play, selection: Selection, refusal: type[Exception]
) -> None:
    replay, keeper = play()
    replay.start()
    keeper.wait_rows(10)
    with pytest.raises(refusal):
        replay.set_selection(selection)

    assert replay.selection == EVERYTHING
    assert_unbroken(keeper.wait_rows(200))
    assert ids(keeper.wait_rows(200)) == list(range(200))


def test_perturbation_marks_the_bins_that_it_changes(play: Play, recording: Recording) -> None:
    replay, keeper = play()
    replay.start()
    keeper.wait_rows(20)
    replay.set_perturbation({"preset": "extreme"})
    keeper.wait(lambda: 3 in keeper.rows["perturbation"])
    rows = keeper.wait_more(100)
    changed = (rows["counts"] != recording.counts[rows["packet_id"]]).any(axis=1)

    assert (rows["perturbation"] == 3).all()
    assert changed.mean() > 0.9
    first = int(np.argmax(keeper.rows["perturbation"] > 0))
    np.testing.assert_array_equal(keeper.rows["counts"][:first], recording.counts[:first])


def test_refused_perturbation_changes_nothing(play: Play) -> None:
    replay, _ = play(perturbation={"preset": "light"})
    before = replay.perturbation
    with pytest.raises(BadSetting):
        replay.set_perturbation({"noise": {"sd": -1}})

    assert replay.perturbation == before


def test_recording_is_never_changed_by_a_perturbation(play: Play) -> None:
    recording = small_recording()
    before = recording.bins.tobytes()
    replay, keeper = play(recording=recording, perturbation={"preset": "extreme"})
    replay.start()
    keeper.wait_rows(300)

    assert recording.bins.tobytes() == before


# Exactness


EVERY_MODEL = {model.key: {"enabled": True} for model in MODELS}


@pytest.mark.parametrize("selection", [EVERYTHING, Selection(target_ids=(0, 2))])
@pytest.mark.parametrize("perturbation", [{"preset": "moderate"}, EVERY_MODEL])
def test_same_seed_gives_the_same_packets_at_any_speed(
    play: Play, selection: Selection, perturbation: dict[str, Any]
) -> None:
    runs = []
    for speed in (FAST, 77.7, "max", "max"):
        replay, keeper = play(speed=speed, seed=7, selection=selection, perturbation=perturbation)
        replay.start()
        runs.append(exact(keeper.wait_rows(450)))

    assert runs[0] == runs[1] == runs[2] == runs[3]


def test_another_seed_gives_other_packets(play: Play) -> None:
    runs = []
    for seed in (1, 2):
        replay, keeper = play(speed="max", seed=seed, perturbation={"preset": "moderate"})
        replay.start()
        runs.append(exact(keeper.wait_rows(100)))

    assert runs[0] != runs[1]


def test_who_listens_changes_nothing(play: Play) -> None:
    alone, keeper = play(seed=3, perturbation=EVERY_MODEL)
    alone.start()
    expected = exact(keeper.wait_rows(300))
    crowded, _ = play(seed=3, perturbation=EVERY_MODEL)
    others = [Keeper(crowded) for _ in range(3)]
    crowded.resume()

    assert all(exact(other.wait_rows(300)) == expected for other in others)


# Lost and delayed packets


def test_at_max_nothing_is_held_back(play: Play) -> None:
    replay, keeper = play(speed="max", perturbation={"jitter": {"enabled": True}})
    replay.start()
    rows = keeper.wait_rows(500)

    assert not rows["delay"].any()
    assert rows["perturbation"].all()


# Speed max


def test_max_loses_nothing_with_a_slow_listener(play: Play) -> None:
    replay, quick = play(speed="max")
    slow = Keeper(replay, reads=False)
    replay.start()
    while len(slow.rows) < 10_000:
        have = len(slow.rows)
        slow.wait(lambda: replay.ring.head - have >= 2000)  # noqa: B023
        slow.read(500)

    assert slow.lost == quick.lost == 0
    assert slow.rows["sequence_number"].tolist() == list(range(len(slow.rows)))


def test_max_waits_for_the_slowest_listener_and_goes_on_when_that_leaves(play: Play) -> None:
    replay, quick = play(speed="max")
    stuck = Keeper(replay, reads=False)
    replay.start()
    quick.wait_rows(replay.ring.capacity - 32)
    assert replay.ring.head <= replay.ring.capacity

    replay.remove_listener(stuck)
    quick.wait_rows(3 * replay.ring.capacity)
    assert quick.lost == 0


def test_max_waits_without_listeners(recording: Recording) -> None:
    replay = replay_of(recording, speed="max")
    replay.resume()
    replay.set_loop(False)
    assert (replay.state, replay.ring.head) == ("playing", 0)

    keeper = Keeper(replay)
    keeper.wait_state("ended")
    replay.close()
    assert ids(keeper.rows) == list(range(200))


def test_at_a_pace_it_plays_on_without_listeners(recording: Recording) -> None:
    replay = replay_of(recording, speed=FAST, loop=False)
    replay.resume()
    wait_until(lambda: replay.ring.head == 200)
    replay.close()

    assert replay.ring.head == 200


def test_max_can_be_left_for_a_pace_and_entered_again(play: Play) -> None:
    replay, keeper = play(speed="max")
    replay.start()
    keeper.wait_rows(1000)
    replay.set_speed(FAST)
    paced = keeper.wait_more(200)[-20:]
    replay.set_speed("max")
    keeper.wait_more(3000)

    np.testing.assert_allclose(np.diff(paced["due"]), PERIOD / FAST, atol=1e-9)
    assert_unbroken(keeper.rows)
    assert replay.lost_time == 0


def test_pause_holds_at_max_too(play: Play) -> None:
    replay, keeper = play(speed="max")
    replay.start()
    keeper.wait_rows(100)
    replay.pause()
    head = replay.ring.head
    replay.step()

    assert len(keeper.wait_rows(head + 1)) == head + 1
    assert_unbroken(keeper.rows)


# The end, and failure


def test_close_ends_the_thread_and_may_be_repeated(play: Play) -> None:
    replay, keeper = play(name="replay to close")
    replay.start()
    keeper.wait_rows(5)
    replay.close()
    replay.close()

    assert replay.state == "closed"
    assert "replay to close" not in [thread.name for thread in threading.enumerate()]
    for call in (replay.resume, replay.pause, replay.stop, replay.step):
        with pytest.raises(NotNow, match=r"The session has closed\. Make a new one"):
            call()


def break_ring(replay: Replay, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the next bin fail."""

    def broken(_: object) -> None:
        raise OSError("The memory is gone.")

    monkeypatch.setattr(replay.ring, "publish_raw", broken)


def test_failed_thread_is_visible(
    play: Play, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    replay, keeper = play(name="replay broken")
    break_ring(replay, monkeypatch)
    replay.start()
    keeper.wait_state("failed")
    replay.close()

    assert replay.error == "OSError: The memory is gone."
    logged = [r for r in caplog.records if r.levelno >= logging.ERROR]
    assert [r.getMessage() for r in logged] == ["The replay of replay broken has failed"]
    assert logged[0].exc_info


def test_failed_session_stays_failed(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    replay, keeper = play()
    break_ring(replay, monkeypatch)
    replay.start()
    keeper.wait_state("failed")
    for call in (
        replay.resume,
        replay.pause,
        replay.stop,
        replay.step,
        lambda: replay.seek(3),
        lambda: replay.set_speed(2.0),
        lambda: replay.set_loop(False),
        lambda: replay.set_selection(Selection(trial_ids=(1,))),
        lambda: replay.set_perturbation({"preset": "light"}),
    ):
        with pytest.raises(NotNow, match=r"The session has failed\. Make a new one"):
            call()
    replay.start()

    assert replay.state == "failed"


# Threads


def test_many_hands_at_once_neither_skip_nor_repeat_a_bin(play: Play) -> None:
    replay, keeper = play(speed=100.0)
    replay.start()

    def meddle(seed: int) -> None:
        chances = np.random.default_rng(seed)
        faster, pause, resume = lambda: replay.set_speed(FAST), replay.pause, replay.resume
        calls = (pause, resume, resume, faster, replay.position)
        for i in chances.integers(len(calls), size=300):
            calls[i]()

    hands = [threading.Thread(target=meddle, args=(seed,)) for seed in range(4)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    replay.resume()
    rows = keeper.wait_more(100)

    assert ids(rows) == [int(n) % 200 for n in rows["sequence_number"]]
    assert_unbroken(keeper.rows)
    assert (np.diff(keeper.rows["due"]) > 0).all()
