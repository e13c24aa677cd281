"""A driver and a steering that change while a closed loop plays."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.bins.source import Block
from engine.errors import BadSetting
from engine.sources.user.closed_loop import ClosedLoop
from tests.engine.sources.user.closed_loop import a_loop, a_user, run

PULL = (math.nan, math.nan, 40.0, 0.0)
PUSH = (math.nan, math.nan, 0.0, 80.0)
DIRECT = {"smoothing": 0.0, "gain": 1.0}


class Loop:
    """A closed loop without a deck: a bin whenever it is asked for."""

    def __init__(self, **settings: object) -> None:
        loop = ClosedLoop(**{"steering": DIRECT, **settings})
        self.source = a_user(loop)
        self._block = Block(self.source.description, 1)
        self.number = -1

    @property
    def row(self) -> np.void:
        """The newest."""
        return self._block.rows[0]

    def bin(self) -> tuple[float, float]:
        """Make the next one; the cursor's velocity in it."""
        self.number += 1
        self._block.rows["sequence_number"] = self.number
        self.source.fill(self._block, [(self.number / 40, 0.0)])
        self.source.sent(self._block.rows)
        return tuple(self.row["kinematics"][2:].tolist())


def test_each_bin_moves_the_cursor_by_one_decoder_also_where_the_driver_changes() -> None:
    loop = Loop()
    for _ in range(3):
        loop.bin()
        loop.source.answer("old", loop.number, PULL)
        loop.source.answer("new", loop.number, PUSH)
    loop.source.drive("new")
    moved = [loop.bin()]
    loop.source.answer("old", loop.number, PULL)
    loop.source.answer("new", loop.number, PUSH)
    moved.append(loop.bin())
    assert moved == [PULL[2:], PUSH[2:]]


def test_what_the_new_driver_has_answered_before_counts_where_the_old_one_has_not() -> None:
    loop = Loop(driver="old")
    loop.bin()
    loop.source.answer("new", loop.number, PUSH)
    loop.source.drive("new")
    loop.source.answer("old", loop.number, PULL)
    assert loop.bin() == PUSH[2:]


def test_with_nobody_named_the_next_that_answers_drives() -> None:
    loop = Loop(driver="old")
    loop.bin()
    loop.source.drive(None)
    assert loop.source.driver is None
    loop.source.answer("new", loop.number, PUSH)
    assert (loop.bin(), loop.source.driver) == (PUSH[2:], "new")


def test_in_lockstep_the_new_driver_is_waited_for_at_the_bin_that_the_old_one_left() -> None:
    loop = Loop(driver="old", lockstep=True)
    loop.source.attend("old")
    loop.bin()
    assert loop.source.ready(1) == 0
    loop.source.drive("new")
    assert loop.source.ready(1) == 0
    assert "new" in loop.source.waits_for
    loop.source.answer("new", loop.number, PUSH)
    assert loop.source.ready(1) == 1


def test_a_delay_moves_the_cursor_by_answers_of_bins_before() -> None:
    loop = Loop(steering={**DIRECT, "delay": 0.05})
    moved = []
    for n in range(5):
        moved.append(loop.bin()[0])
        loop.source.answer("mine", loop.number, (math.nan, math.nan, 1.0 + n, 0.0))
    assert moved == [0.0, 0.0, 0.0, 1.0, 2.0]


def test_another_gain_holds_from_the_bin_on_that_the_change_names() -> None:
    replay = a_loop(steering=DIRECT)
    before = run(replay, 30)
    first = replay.steer({"gain": 0.5})
    assert first == replay.ring.head
    assert replay.notes[-1].text == f"steering delay 0 gain 0.5 smoothing 0, scores from bin {first}"
    assert replay.source.steering.settings == {"smoothing": 0.0, "delay": 0.0, "gain": 0.5}
    replay.close()
    assert np.isfinite(before["kinematics"]).all()


@pytest.mark.parametrize("settings", [{"gain": -1.0}, {"gain": "much"}, {"wheels": 4}, {"delay": 2.0}])
def test_a_steering_that_cannot_be_changes_nothing(settings: dict[str, object]) -> None:
    replay = a_loop()
    known = replay.source.steering.settings
    with pytest.raises(BadSetting):
        replay.steer({"smoothing": 0.5, **settings})
    assert (replay.source.steering.settings, replay.notes) == (known, ())
    replay.close()
