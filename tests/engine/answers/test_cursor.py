"""Where predictions put a cursor."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from engine.answers.cursor import Cursor, Place, Stretches

NAN = math.nan
TRUE: Place = (100.0, 50.0)


def velocity(vx: float, vy: float) -> tuple[float, float, float, float]:
    return NAN, NAN, vx, vy


@pytest.fixture
def cursor() -> Cursor:
    return Cursor(bin_width=0.025)


def test_position_is_the_cursor_whatever_the_velocity(cursor: Cursor) -> None:
    assert cursor.move(0, 0, TRUE, (1.0, 2.0, 3.0, 4.0)) == (1.0, 2.0)
    assert cursor.move(1, 0, TRUE, (5.0, 6.0, NAN, NAN)) == (5.0, 6.0)


def test_velocity_moves_it_on_from_the_true_position_at_the_first_bin(cursor: Cursor) -> None:
    assert cursor.move(0, 0, TRUE, velocity(40.0, 0.0)) == TRUE
    assert cursor.move(1, 0, (0.0, 0.0), velocity(40.0, -80.0)) == (101.0, 48.0)
    assert cursor.move(2, 0, (0.0, 0.0), velocity(40.0, 0.0)) == (102.0, 48.0)


def test_stretch_begins_at_the_true_position_again(cursor: Cursor) -> None:
    cursor.move(0, 0, TRUE, velocity(40.0, 0.0))
    assert cursor.move(1, 1, (7.0, 8.0), velocity(40.0, 0.0)) == (7.0, 8.0)
    assert cursor.move(2, 1, (0.0, 0.0), velocity(40.0, 0.0)) == (8.0, 8.0)


def test_bin_without_prediction_leaves_it_where_it_was(cursor: Cursor) -> None:
    cursor.move(0, 0, TRUE, velocity(40.0, 0.0))
    assert cursor.move(3, 0, (0.0, 0.0), velocity(40.0, 0.0)) == (101.0, 50.0)


def test_velocity_that_comes_after_a_later_bins_moves_nothing(cursor: Cursor) -> None:
    cursor.move(0, 0, TRUE, velocity(40.0, 0.0))
    cursor.move(2, 0, TRUE, velocity(40.0, 0.0))
    assert all(map(math.isnan, cursor.move(1, 0, TRUE, velocity(40.0, 0.0))))
    assert cursor.move(1, 0, TRUE, (3.0, 4.0, NAN, NAN)) == (3.0, 4.0)
    assert cursor.move(3, 0, TRUE, velocity(40.0, 0.0)) == (102.0, 50.0)


def test_missing_true_position_begins_anew_where_it_is_known(cursor: Cursor) -> None:
    assert all(map(math.isnan, cursor.move(0, 0, (NAN, NAN), velocity(40.0, 0.0))))
    assert cursor.move(1, 1, TRUE, velocity(40.0, 0.0)) == TRUE


def firsts(packet_ids: Sequence[int], missing: Sequence[int] = (), kept: int = 100) -> list[int]:
    """Where the stretch of each of some bins begins that were sent one after the other."""
    stretches = Stretches(kept)
    kinematics = np.ones((len(packet_ids), 4))
    kinematics[list(missing), 0] = NAN
    found = []
    for i, packet_id in enumerate(packet_ids):
        stretches.take(np.array([i]), np.array([packet_id]), kinematics[i : i + 1])
        found.append(stretches.first(i))
    whole = Stretches(kept)
    whole.take(np.arange(len(packet_ids)), np.array(packet_ids), kinematics)
    kept_bins = range(max(len(packet_ids) - kept, 0), len(packet_ids))
    assert [whole.first(i) for i in kept_bins] == found[kept_bins.start :]
    return found


def test_jump_in_the_recording_begins_a_stretch() -> None:
    assert firsts([5, 6, 7, 20, 21, 6, 7]) == [0, 0, 0, 3, 3, 5, 5]


def test_bin_without_truth_begins_a_stretch_and_so_does_the_one_after_it() -> None:
    assert firsts(range(7), missing=[2, 3]) == [0, 0, 2, 3, 4, 4, 4]


def test_stretch_may_be_longer_than_what_is_remembered() -> None:
    assert firsts(range(25), kept=10) == [0] * 25


def test_bins_that_were_never_seen_begin_a_stretch() -> None:
    stretches = Stretches(10)
    for numbers in (np.arange(3), np.arange(5, 8)):
        stretches.take(numbers, numbers, np.ones((3, 4)))

    assert (stretches.first(6), stretches.end) == (5, 8)
