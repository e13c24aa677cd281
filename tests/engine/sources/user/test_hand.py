"""A person's hand: where it points is what is wanted; a late hand, or none, wants nothing."""

from __future__ import annotations

import math

import pytest

from engine.bins import clock
from engine.errors import BadSetting, NotNow
from engine.sources.user.closed_loop import ClosedLoop
from engine.sources.user.hand import LATE, Hand
from tests.engine.sources.user.closed_loop import a_user
from tests.engine.sources.user.test_steering import Loop


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The engine's clock, which stands."""
    time = [100.0]
    monkeypatch.setattr(clock, "now", lambda: time[0])
    return time


def intended(loop: Loop) -> tuple[float, float]:
    loop.bin()
    return tuple(loop.row["intended"].tolist())


def test_the_intention_goes_to_the_pointer_and_grows_with_its_distance_until_it_is_full(
    now: list[float],
) -> None:
    loop = Loop(preset="person")
    hand, user = loop.source.hand, loop.source.user
    assert intended(loop) == (0.0, 0.0)
    x, y = loop.row["kinematics"][:2].tolist()
    hand.take("me")
    found = []
    for share in (0.5, 1.0, 2.0):
        hand.point("me", (x + share * user.full_at, y))
        found.append(intended(loop)[0] / user.full_push)
    assert found == pytest.approx([0.5, 1.0, 1.0], rel=1e-5)


def test_a_hand_that_is_late_or_gone_or_points_nowhere_wants_nothing(now: list[float]) -> None:
    loop = Loop(preset="person")
    hand = loop.source.hand
    hand.take("me")
    hand.point("me", (1000.0, 0.0))
    now[0] += LATE
    assert intended(loop) != (0.0, 0.0)
    now[0] += 0.001
    assert intended(loop) == (0.0, 0.0)
    for leave in (lambda: hand.leave("me"), lambda: hand.point("me", None)):
        hand.take("me")
        hand.point("me", (1000.0, 0.0))
        assert intended(loop) != (0.0, 0.0)
        leave()
        assert intended(loop) == (0.0, 0.0)


def test_one_hand_has_the_seat_and_a_second_is_told_until_it_is_free() -> None:
    hand = Hand()
    hand.take("one")
    hand.take("one")
    with pytest.raises(NotNow, match="Another hand"):
        hand.take("two")
    hand.point("two", (1.0, 1.0))
    hand.leave("two")
    assert hand.taken
    assert hand.at(clock.now()).place is None
    hand.leave("one")
    hand.take("two")


@pytest.mark.parametrize("place", [(math.nan, 0.0), (0.0, math.inf), (1e7, 0.0)])
def test_what_is_no_place_is_refused_and_harms_nothing(place: tuple[float, float]) -> None:
    hand = Hand()
    hand.take("me")
    hand.point("me", (1.0, 2.0))
    with pytest.raises(BadSetting):
        hand.point("me", place)
    assert hand.at(clock.now()).place == (1.0, 2.0)


def test_the_way_is_timed_from_pointer_over_neurons_and_decoder_to_the_cursor(now: list[float]) -> None:
    loop = Loop(preset="person")
    loop.source.hand.take("me")
    now[0] = -0.010
    loop.source.hand.point("me", (1.0, 0.0), travelled=0.004)
    now[0] = 0.0
    loop.bin()
    loop.source.hand.point("me", None)
    now[0] = 0.003  # its answer: the bin was due at 0
    loop.source.answer("mine", 0, (math.nan, math.nan, 0.0, 0.0))
    now[0] = 0.025
    loop.bin()
    legs = {name: leg.p50 for name, leg in loop.source.way.legs().items()}
    assert legs == pytest.approx(
        {"pointer": 4.0, "neurons": 10.0, "whole": 14.0, "decoder": 3.0, "cursor": 22.0}
    )


def test_a_person_steers_at_a_pace_alone() -> None:
    with pytest.raises(BadSetting, match="at a pace"):
        a_user(ClosedLoop(preset="person", lockstep=True))
