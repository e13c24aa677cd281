"""Where predictions put a cursor."""

from __future__ import annotations

import math

import pytest

from engine.cursor import Cursor, Place

NAN = math.nan
TRUE: Place = (100.0, 50.0)


def velocity(vx: float, vy: float) -> tuple[float, float, float, float]:
    return NAN, NAN, vx, vy


@pytest.fixture
def cursor() -> Cursor:
    return Cursor(bin_width=0.025)


def test_position_is_the_cursor_whatever_the_velocity(cursor: Cursor) -> None:
    assert cursor.move(0, 10, TRUE, (1.0, 2.0, 3.0, 4.0)) == (1.0, 2.0)
    assert cursor.move(1, 11, TRUE, (5.0, 6.0, NAN, NAN)) == (5.0, 6.0)


def test_velocity_moves_it_on_from_the_true_position_at_the_first_bin(cursor: Cursor) -> None:
    assert cursor.move(0, 10, TRUE, velocity(40.0, 0.0)) == TRUE
    assert cursor.move(1, 11, (0.0, 0.0), velocity(40.0, -80.0)) == (101.0, 48.0)
    assert cursor.move(2, 12, (0.0, 0.0), velocity(40.0, 0.0)) == (102.0, 48.0)


def test_jump_in_the_recording_begins_at_the_true_position_again(cursor: Cursor) -> None:
    cursor.move(0, 10, TRUE, velocity(40.0, 0.0))
    assert cursor.move(1, 30, (7.0, 8.0), velocity(40.0, 0.0)) == (7.0, 8.0)
    assert cursor.move(2, 31, (0.0, 0.0), velocity(40.0, 0.0)) == (8.0, 8.0)


def test_bin_without_prediction_leaves_it_where_it_was(cursor: Cursor) -> None:
    cursor.move(0, 10, TRUE, velocity(40.0, 0.0))
    assert cursor.move(3, 13, (0.0, 0.0), velocity(40.0, 0.0)) == (101.0, 50.0)


def test_velocity_that_comes_after_a_later_bins_moves_nothing(cursor: Cursor) -> None:
    cursor.move(0, 10, TRUE, velocity(40.0, 0.0))
    cursor.move(2, 12, TRUE, velocity(40.0, 0.0))
    assert all(map(math.isnan, cursor.move(1, 11, TRUE, velocity(40.0, 0.0))))
    assert cursor.move(1, 11, TRUE, (3.0, 4.0, NAN, NAN)) == (3.0, 4.0)
    assert cursor.move(3, 13, TRUE, velocity(40.0, 0.0)) == (102.0, 50.0)


def test_missing_true_position_begins_anew_where_it_is_known(cursor: Cursor) -> None:
    assert all(map(math.isnan, cursor.move(0, 10, (NAN, NAN), velocity(40.0, 0.0))))
    assert cursor.move(1, 11, TRUE, velocity(40.0, 0.0)) == TRUE
