"""What users intend, what cursors make of answers, and what tasks ask, without neurons or decoder."""

from __future__ import annotations

import math
from itertools import islice

import numpy as np
import pytest

from engine.sources.user.barriers import Route
from engine.sources.user.cursor import AT_REST, ScreenCursor, Steering, Values
from engine.sources.user.tasks import TASKS, Task, aims
from engine.sources.user.user import PRESETS, Mind, User
from engine.sources.user.workspace import Place, Workspace
from tests.builders import TARGETS, small_recording

WIDTH = 0.025
SPACE = Workspace((5.0, -5.0), 90.0, 740.0, ((95.0, -5.0), (5.0, 85.0)))
TARGET = (90.0, 0.0)


def velocity(x: float, y: float) -> Values:
    return (math.nan, math.nan, x, y)


def cursor(smoothing: float = 0.9, gain: float = 0.3) -> ScreenCursor:
    return ScreenCursor(Steering(smoothing=smoothing, gain=gain), WIDTH, (0.0, 0.0), 200.0)


def reach(user: User, steering: Steering, seconds: float = 4.0) -> np.ndarray:
    """Distance from the target in each bin, by a decoder that answers what is intended."""
    mind, on_screen = Mind(user, WIDTH, np.random.default_rng(0)), cursor(steering.smoothing, steering.gain)
    dynamics = steering.dynamics(WIDTH)
    mind.aim(moved=True)
    away, answers = [], []
    for _ in range(round(seconds / WIDTH)):
        wanted = on_screen.wanted(answers, AT_REST, 0.0)
        on_screen.go(wanted, wanted)
        answers = [velocity(*mind.intend(Route(TARGET), on_screen.place, on_screen.velocity, dynamics))]
        away.append(math.dist(on_screen.place, TARGET))
    return np.array(away)


def test_a_user_waits_then_pushes_straight_and_fully_and_less_when_near() -> None:
    mind = Mind(User(noise=0.0), WIDTH, np.random.default_rng(0))
    pushes = [
        mind.intend(Route((300.0, 400.0)), AT_REST, AT_REST, Steering().dynamics(WIDTH)) for _ in range(9)
    ]
    assert pushes[:8] == [AT_REST] * 8
    assert pushes[8] == pytest.approx((444.0, 592.0))
    near = Mind(User(noise=0.0, reaction=0.0, full_at=75.0), WIDTH, np.random.default_rng(0))
    assert near.intend(Route((7.5, 0.0)), AT_REST, AT_REST) == pytest.approx((74.0, 0.0))


def test_a_user_sees_late_and_damps_what_is_seen() -> None:
    user = User(noise=0.0, reaction=0.0, forward_model=False, damping=0.5)
    mind = Mind(user, WIDTH, np.random.default_rng(0))
    damped = [mind.intend(Route((0.0, 0.0)), AT_REST, (40.0, 0.0)) for _ in range(3)]
    assert damped == [(-20.0, 0.0)] * 3
    pushes = [mind.intend(Route((1000.0, 0.0)), (1000.0, 0.0), AT_REST) for _ in range(9)]
    assert pushes[7][0] > 0  # what is seen is from before it was there
    assert pushes[8] == AT_REST


def test_smoothing_makes_a_user_overshoot_and_one_who_does_not_foresee_it_further() -> None:
    def overshoot(smoothing: float, forward_model: bool) -> float:
        user = User(noise=0.0, damping=0.0, forward_model=forward_model)
        away = reach(user, Steering(smoothing=smoothing, gain=0.6))
        return float(away[int(np.argmax(away < 15.0)) :].max())

    assert overshoot(0.8, True) < 15.0 < overshoot(0.95, True)
    assert overshoot(0.95, False) > 2 * overshoot(0.95, True)


def test_foresight_is_exact_while_the_decoder_does_what_is_intended() -> None:
    steering = Steering()
    user = User(noise=0.0, damping=0.1)
    now = reach(User(noise=0.0, damping=0.1, delay=0.0), steering)
    assert reach(user, steering) == pytest.approx(now, abs=1e-9)


def test_noise_is_a_share_of_the_push_and_follows_from_its_seed() -> None:
    def pushes(seed: int) -> np.ndarray:
        mind = Mind(User(noise=0.2, reaction=0.0), WIDTH, np.random.default_rng(seed))
        return np.array([mind.intend(Route((1e4, 0.0)), AT_REST, AT_REST) for _ in range(2000)])

    assert (pushes(1) == pushes(1)).all()
    assert (pushes(1) != pushes(2)).any()
    assert pushes(1).std(axis=0) == pytest.approx([148.0, 148.0], rel=0.1)


def test_the_cursor_follows_its_equation() -> None:
    moved = cursor(smoothing=0.8, gain=0.5)
    v = x = 0.0
    for u in (100.0, -40.0, 250.0):
        wanted = moved.wanted([velocity(u, 0.0)], AT_REST, 0.0)
        moved.go(wanted, wanted)
        v = 0.8 * v + 0.2 * 0.5 * u
        x += v * WIDTH
        assert (moved.place[0], moved.velocity[0]) == pytest.approx((x, v))


def test_smoothing_is_the_same_in_time_at_any_bin_rate() -> None:
    assert Steering(smoothing=0.9).dynamics(0.05).kept == pytest.approx(0.81)


def test_a_cursor_without_answers_coasts_and_then_stands() -> None:
    left = cursor()
    wanted = left.wanted([velocity(1000.0, 0.0)], AT_REST, 0.0)
    left.go(wanted, wanted)
    steps = []
    for _ in range(12):
        before = left.place[0]
        wanted = left.wanted([], AT_REST, 0.0)
        left.go(wanted, wanted)
        steps.append(left.place[0] - before)
    assert steps[:8] == pytest.approx([30.0 * WIDTH] * 8)
    assert steps[8:] == [0.0] * 4


def test_a_position_is_where_the_cursor_goes_and_the_screen_ends_somewhere() -> None:
    put = cursor()
    wanted = put.wanted([(10.0, -20.0, math.nan, math.nan)], AT_REST, 0.0)
    put.go(wanted, wanted)
    assert (put.place, put.velocity) == ((10.0, -20.0), (400.0, -800.0))
    wanted = put.wanted([(1e6, 0.0, math.nan, math.nan)], AT_REST, 0.0)
    put.go(wanted, wanted)
    assert put.place == (200.0, 0.0)


def test_the_autopilot_takes_its_share_of_what_moves_the_cursor() -> None:
    for share, moves in ((0.0, 100.0), (0.5, 75.0), (1.0, 50.0)):
        helped = cursor(smoothing=0.0, gain=1.0)
        wanted = helped.wanted([velocity(100.0, 0.0)], (50.0, 0.0), share)
        helped.go(wanted, wanted)
        assert helped.velocity[0] == pytest.approx(moves)
    alone = cursor(smoothing=0.0, gain=1.0)
    for _ in range(20):
        wanted = alone.wanted([], (50.0, 0.0), 1.0)
        alone.go(wanted, wanted)
    assert alone.place[0] == pytest.approx(20 * 50 * WIDTH)


@pytest.mark.parametrize("kind", TASKS)
def test_a_task_is_the_same_for_the_same_seed_and_within_reach(kind: str) -> None:
    task = Task.usual(SPACE, kind=kind)

    def first(seed: int) -> list[tuple[int, Place, Place | None]]:
        return [tuple(aim) for aim in islice(aims(task, SPACE, np.random.default_rng(seed)), 50)]

    assert first(3) == first(3)
    assert all(math.dist(place, SPACE.centre) <= 90.0 + 1e-9 for _, place, *_ in first(3))
    assert first(3)[0][2] == SPACE.centre


def test_center_out_goes_through_all_targets_and_back_only_if_asked() -> None:
    out = list(islice(aims(Task(), SPACE, np.random.default_rng(0)), 16))
    assert [sorted(aim.target_id for aim in part) for part in (out[:8], out[8:])] == [list(range(8))] * 2
    assert {aim.start for aim in out} == {SPACE.centre}
    back = list(islice(aims(Task(kind="center_out_and_back"), SPACE, np.random.default_rng(0)), 16))
    assert {aim.place for aim in back[1::2]} == {SPACE.centre}
    assert {aim.start for aim in back[1:]} == {None}


def test_a_recordings_own_targets_come_in_their_order() -> None:
    space = Workspace.of(small_recording())
    out = islice(aims(Task(kind="recording"), space, np.random.default_rng(0)), 4)
    assert [aim.place for aim in out] == [TARGETS[i % 3] for i in range(4)]


def test_usual_settings_have_the_size_of_the_recording() -> None:
    large = Workspace(SPACE.centre, 0.09, 0.74, ())
    assert Task.usual(large).radius == pytest.approx(0.015)
    user = User.usual(large, "naive")
    assert (user.full_push, user.full_at, user.forward_model) == (0.74, 0.075, False)
    assert User.usual(large, "noisy", noise=0.7).noise == 0.7
    assert set(PRESETS) == {"skilled", "naive", "noisy", "person"}
