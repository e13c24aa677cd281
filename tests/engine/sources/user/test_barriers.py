import math
from itertools import pairwise

import numpy as np
import pytest

from engine.bins.trials import Barrier
from engine.sources.user.barriers import Route, stopped
from engine.sources.user.tasks import Task, aims
from engine.sources.user.workspace import Place, Workspace
from tests.builders import small_recording
from tests.engine.sources.user.closed_loop import a_loop, perfect, recording, run

WALL = Barrier(0.0, 0.0, 2.0, 10.0)
SPACE = Workspace((0.0, 0.0), 90.0, 740.0, ())


def test_a_wall_stops_a_cursor_which_slides_along_it() -> None:
    assert stopped((-5.0, 0.0), (5.0, 0.0), [WALL]) == (-2.0, 0.0)
    assert stopped((-5.0, 0.0), (5.0, 4.0), [WALL]) == (-2.0, 4.0)
    assert stopped((-2.0, 4.0), (1.0, 8.0), [WALL]) == (-2.0, 8.0)
    assert stopped((-2.0, 4.0), (-6.0, 4.0), [WALL]) == (-6.0, 4.0)
    assert stopped((-5.0, 20.0), (5.0, 20.0), [WALL]) == (5.0, 20.0)


def test_a_corner_of_two_walls_holds_a_cursor() -> None:
    floor = Barrier(-10.0, -10.0, 20.0, 1.0)
    assert stopped((-5.0, -5.0), (5.0, -50.0), [WALL, floor]) == (-2.0, -9.0)


def test_who_stands_in_a_wall_may_leave_it_and_not_come_back() -> None:
    assert stopped((1.0, 0.0), (5.0, 0.0), [WALL]) == (5.0, 0.0)
    assert stopped((5.0, 0.0), (1.0, 0.0), [WALL]) == (2.0, 0.0)


def test_no_way_goes_through_a_wall() -> None:
    rng = np.random.default_rng(0)
    walls = [Barrier(*place, *half) for place, half in zip(
        rng.uniform(-50, 50, (6, 2)).tolist(), rng.uniform(1, 12, (6, 2)).tolist(), strict=True
    )]  # fmt: skip

    def inside(place: Place) -> bool:
        return any(
            abs(place[0] - w.x) < w.half_width - 1e-9 and abs(place[1] - w.y) < w.half_height - 1e-9
            for w in walls
        )

    place: Place = (-80.0, -80.0)
    for step in rng.normal(0, 30, (2000, 2)).tolist():
        before, place = place, stopped(place, (place[0] + step[0], place[1] + step[1]), walls)
        ways = (
            np.linspace(before, place, 50).tolist()
            if place[0] == before[0] or place[1] == before[1]
            else [place]
        )
        assert not any(inside((x, y)) for x, y in ways)


def test_the_route_is_the_shortest_one_round_the_corners() -> None:
    route = Route((20.0, 0.0), [WALL])
    place, distance = route.ahead((-20.0, 1.0))
    assert place == (-2.0, 10.0)
    expected = math.dist((-20.0, 1.0), (-2.0, 10.0)) + 4.0 + math.dist((2.0, 10.0), (20.0, 0.0))
    assert distance == pytest.approx(expected)
    assert route.ahead((5.0, 50.0)) == ((20.0, 0.0), math.dist((5.0, 50.0), (20.0, 0.0)))
    assert Route((3.0, 4.0)).ahead((0.0, 0.0)) == ((3.0, 4.0), 5.0)


def test_who_follows_a_route_meets_no_wall_and_arrives() -> None:
    rng = np.random.default_rng(2)
    halves = rng.uniform(1, 6, (9, 2)).tolist()
    walls = [
        Barrier(*place, *half) for place, half in zip(rng.uniform(-40, 40, (9, 2)), halves, strict=True)
    ]
    route = Route((60.0, 0.0), walls, 1.0)
    for start in rng.uniform(-90, -60, (50, 2)).tolist():
        place, left = (start[0], start[1]), math.inf
        while place != route.target:
            following, distance = route.ahead(place)
            assert stopped(place, following, walls) == pytest.approx(following)
            assert distance <= left + 1e-9
            left, place = distance - math.dist(place, following), following
        assert left == pytest.approx(0.0, abs=1e-9)


def test_a_route_keeps_clear_of_corners() -> None:
    assert Route((20.0, 0.0), [WALL], 3.0).ahead((-20.0, 1.0))[0] == (-5.0, 13.0)


def test_a_target_that_is_walled_in_has_no_way_to_it() -> None:
    box = [Barrier(0, 10, 11, 1), Barrier(0, -10, 11, 1), Barrier(10, 0, 1, 11), Barrier(-10, 0, 1, 11)]
    assert Route((0.0, 0.0), box).ahead((50.0, 0.0)) == ((0.0, 0.0), math.inf)


@pytest.mark.parametrize("kind", ["center_out", "center_out_and_back", "random", "recording"])
def test_walls_stand_on_the_way_to_every_target_only_where_they_are_wanted(kind: str) -> None:
    space = Workspace.of(small_recording()) if kind == "recording" else SPACE
    walled = aims(Task.usual(space, kind=kind, barriers=True), space, np.random.default_rng(1))
    plain = aims(Task.usual(space, kind=kind), space, np.random.default_rng(1))
    start = space.centre
    for _ in range(20):
        aim, without = next(walled), next(plain)
        assert without == aim._replace(barriers=())
        straight = np.linspace(start if aim.start is None else aim.start, aim.place, 101)[1:-1]
        (wall,) = aim.barriers
        assert any(abs(x - wall.x) < wall.half_width and abs(y - wall.y) < wall.half_height
                   for x, y in straight.tolist())  # fmt: skip
        start = aim.place


def test_the_recordings_own_barriers_stand_in_its_own_trials() -> None:
    own = (Barrier(10.0, 0.0, 1.0, 2.0),)
    space = Workspace(SPACE.centre, 90.0, 740.0, ((50.0, 0.0), (0.0, 50.0)), (own, ()))
    out = aims(Task(kind="recording", barriers=True), space, np.random.default_rng(0))
    assert [next(out).barriers for _ in range(4)] == [own, (), own, ()]


def test_a_user_with_a_perfect_decoder_goes_round_walls_and_gets_there() -> None:
    loop = a_loop(task={"barriers": True}, steering={"smoothing": 0.0, "gain": 1.0}, user={"noise": 0.0})
    rows = run(loop, 1500, perfect)
    trials = loop.source.description.trials[:-1]
    assert len(trials) >= 5
    assert all(trial.success for trial in trials)
    assert all(trial.barriers for trial in trials)
    places = rows["kinematics"][:, :2].astype(float)
    for number, trial in enumerate(trials):
        (wall,) = trial.barriers
        assert wall.half_width > 0
        of_trial = places[rows["trial"] == number].tolist()
        for x, y in of_trial:
            assert abs(x - wall.x) >= wall.half_width - 1e-3 or abs(y - wall.y) >= wall.half_height - 1e-3
        length = sum(math.dist(a, b) for a, b in pairwise(of_trial))
        assert length > 1.1 * math.dist(recording_centre(), (trial.target_x, trial.target_y)) - 15.0


def recording_centre() -> Place:
    return Workspace.of(recording()).centre
