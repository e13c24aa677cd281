"""Deadlines stand on a grid, and what lateness costs is counted."""

from __future__ import annotations

import pytest

from engine.bins import clock
from engine.bins.clock import Schedule

PERIOD = 0.025


@pytest.fixture
def schedule(monkeypatch: pytest.MonkeyPatch) -> Schedule:
    """Its next tick is due at 100 s of a clock that stands at 90; Unix time is 1000 s ahead."""
    monkeypatch.setattr(clock, "now", lambda: 90.0)
    made = Schedule(PERIOD, wall=lambda: 1090.0)
    made.restart(100.0)
    return made


def test_deadlines_do_not_drift_however_late_each_tick_comes(schedule: Schedule) -> None:
    dues = [schedule.tick(schedule.due + 0.001 * (k % 7))[0] for k in range(100_000)]

    assert dues[0] == 100.0
    assert dues[-1] == 100.0 + 99_999 * PERIOD
    assert schedule.late_ticks == 0


def test_lateness_is_what_passed_since_the_tick_was_due(schedule: Schedule) -> None:
    due, lateness = schedule.tick(100.003)

    assert due == 100.0
    assert lateness == pytest.approx(0.003)


def test_tick_a_period_late_counts_as_late(schedule: Schedule) -> None:
    schedule.tick(100.0 + 0.99 * PERIOD)
    assert schedule.late_ticks == 0
    schedule.tick(schedule.due + PERIOD)
    assert schedule.late_ticks == 1


def test_a_second_is_caught_up_on_the_old_grid(schedule: Schedule) -> None:
    dues = [schedule.tick(101.0)[0] for _ in range(41)]

    assert dues == [100.0 + k * PERIOD for k in range(41)]
    assert schedule.due > 101.0
    assert schedule.lost_time == 0.0
    assert schedule.late_ticks == 40  # the last was on time


def test_beyond_a_second_the_schedule_starts_anew_and_the_loss_is_counted(schedule: Schedule) -> None:
    assert schedule.tick(103.5) == (103.5, 0.0)
    assert schedule.due == 103.5 + PERIOD
    assert schedule.lost_time == 3.5
    assert schedule.late_ticks == 1


def test_restart_moves_the_grid_and_may_change_its_period(schedule: Schedule) -> None:
    schedule.tick(100.0)
    schedule.restart(200.0, 0.1)
    dues = [schedule.tick(200.3)[0] for _ in range(3)]

    assert dues == [200.0, 200.1, 200.2]


def test_due_times_become_unix_times_by_an_offset_measured_at_each_restart() -> None:
    wall = iter([1000.0, 5000.0])
    made = Schedule(PERIOD, wall=lambda: next(wall))
    made.restart(clock.now())
    before = made.unix_offset
    made.restart(clock.now())

    assert made.unix_offset - before == pytest.approx(4000.0, abs=10.0)


def test_schedule_counts_its_due_ticks(schedule: Schedule) -> None:
    assert schedule.ticks_due(99.0) == 0
    assert schedule.ticks_due(100.0) == 1
    assert schedule.ticks_due(100.0 + 2.5 * PERIOD) == 3


def test_hopelessly_late_schedule_has_one_tick_due(schedule: Schedule) -> None:
    assert schedule.ticks_due(103.5) == 1
