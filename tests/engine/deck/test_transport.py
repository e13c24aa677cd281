"""What is due when, and what may be asked when: without a thread, a lock or a clock."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import pytest

from engine.bins.selection import EVERYTHING, Selection
from engine.bins.source import Block
from engine.deck.transport import BLOCK, MAX_SPEED, MIN_SPEED, Transport
from engine.errors import BadSetting, NotNow, OutsideSelection
from engine.sources.recordings.source import RecordingSource
from tests.builders import small_recording

RECORDING = small_recording()
PERIOD = 0.025


def transport(**options: Any) -> Transport:
    """Of 200 bins at 40 Hz, due at whole periods."""
    source = RecordingSource(RECORDING, options.pop("selection", EVERYTHING), options.pop("loop", True))
    return Transport(source, seed=0, speed=options.pop("speed", 1.0), perturbation={}, **options)


class Tick(NamedTuple):
    packet_id: int
    due: float
    lateness: float


def take(made: Transport, n: int, at: float) -> list[Tick]:
    """What is sent, with the bins that are written."""
    block = Block(RECORDING, BLOCK)
    n, _, _ = made.make(block, n, at)
    return [Tick(*(row[name].item() for name in Tick._fields)) for row in block.rows[:n]]


def bins(ticks: list[Tick]) -> list[int]:
    return [tick.packet_id for tick in ticks]


def test_nothing_is_due_before_somebody_starts_it() -> None:
    made = transport()
    assert (made.state, made.n_due(100.0), made.next_due) == ("idle", 0, math.inf)
    assert made.start(100.0)
    assert not made.start(100.0)
    assert made.state == "playing"


@pytest.mark.parametrize("phase", [0.0, 0.25, 0.9])
def test_bins_are_due_at_its_phase_of_a_period_and_keep_to_it(phase: float) -> None:
    made = transport(phase=phase)
    made.start(100.0)
    first = made.next_due
    assert 100.0 <= first < 100.0 + PERIOD
    assert first / PERIOD % 1.0 == pytest.approx(phase, abs=1e-6)
    ticks = take(made, made.n_due(first + 3.5 * PERIOD), first + 3.5 * PERIOD)
    assert bins(ticks) == [0, 1, 2, 3]
    assert [tick.due for tick in ticks] == pytest.approx([first + k * PERIOD for k in range(4)])
    assert [tick.lateness for tick in ticks] == pytest.approx([(3.5 - k) * PERIOD for k in range(4)])


def test_more_than_a_second_of_lateness_is_given_up() -> None:
    made = transport()
    made.start(100.0)
    assert made.n_due(102.0) == 1
    ((packet_id, due, lateness),) = take(made, 1, 102.0)
    assert (packet_id, due, lateness) == (0, 102.0, 0.0)
    assert made.schedule.lost_time == pytest.approx(2.0)
    assert made.next_due == pytest.approx(102.0 + PERIOD)


def test_pause_keeps_the_place_and_resume_begins_a_new_schedule() -> None:
    made = transport()
    made.start(100.0)
    take(made, 2, 100.03)
    assert made.pause() == "pause"
    assert made.pause() is None
    assert (made.n_due(200.0), made.next_due) == (0, math.inf)
    assert made.resume(200.0) == "resume"
    assert made.resume(200.0) is None
    ((packet_id, due, _),) = take(made, 1, 200.0)
    assert packet_id == 2
    assert due == pytest.approx(200.0)


def test_steps_are_due_at_once_one_at_a_time() -> None:
    made = transport()
    assert made.step() == "pause"
    assert made.step() is None
    sent = []
    while made.next_due == -math.inf:
        sent += bins(take(made, made.n_due(50.0), 50.0))
    assert sent == [0, 1]
    assert (made.state, made.n_due(51.0)) == ("paused", 0)


def test_the_last_bin_ends_it_unless_it_loops() -> None:
    once, loops = transport(loop=False), transport()
    for made in (once, loops):
        made.start(0.0)
        made.seek(199)
        assert bins(take(made, 1, 0.0)) == [199]
    assert (once.state, once.n_due(1.0)) == ("ended", 0)
    assert bins(take(loops, 1, 0.0)) == [0]
    with pytest.raises(NotNow, match="has ended"):
        once.step()
    assert once.seek(10) == "seek 10"
    assert once.state == "paused"


def test_stop_waits_at_the_first_selected_bin_for_resume_alone() -> None:
    made = transport(selection=Selection(trial_ids=(1,)))
    made.start(0.0)
    take(made, 5, 1.0)
    assert made.stop() == "stop"
    position = made.source.position
    assert (position.packet_id, position.current_index, position.n_selected) == (50, 0, 50)
    assert not made.start(1.0)
    with pytest.raises(NotNow):
        made.step()
    with pytest.raises(OutsideSelection):
        made.seek(0)


def test_at_speed_max_nothing_is_due_and_what_is_taken_is_on_time() -> None:
    made = transport(speed="max")
    made.start(10.0)
    assert (made.paced, made.n_due(99.0), made.next_due) == (False, 0, math.inf)
    assert take(made, 3, 12.0) == [Tick(i, 12.0, 0.0) for i in range(3)]


@pytest.mark.parametrize("speed", [MIN_SPEED, 0.5, 4.0, MAX_SPEED])
def test_a_new_speed_makes_the_next_bin_due_within_its_period(speed: float) -> None:
    made = transport(speed=MIN_SPEED)
    made.start(0.0)
    take(made, 1, 0.0)
    made.set_speed(speed, 0.01)
    assert made.period == pytest.approx(PERIOD / speed)
    assert 0.01 <= made.next_due <= 0.01 + made.period + 1e-9


@pytest.mark.parametrize("speed", [0.0, MAX_SPEED * 1.01, math.nan, "fast"])
def test_a_speed_that_is_none_changes_nothing(speed: Any) -> None:
    made = transport()
    with pytest.raises(BadSetting, match="out of range"):
        made.set_speed(speed, 0.0)
    assert made.speed == 1.0


@pytest.mark.parametrize("over", ["failed", "closed"])
def test_what_is_over_stays_over(over: Any) -> None:
    made = transport()
    made.enter(over)
    for ask in (
        lambda: made.resume(0.0), made.pause, made.stop, made.step, lambda: made.seek(1),
        lambda: made.set_loop(False), lambda: made.set_speed(2.0, 0.0),
        lambda: made.set_selection(EVERYTHING, np.arange(200)),
        lambda: made.set_perturbation({"preset": "light"}),
    ):  # fmt: skip
        with pytest.raises(NotNow, match=f"has {over}"):
            ask()
    assert (made.state, made.n_due(1.0)) == (over, 0)
