"""A delivery hands rows on when their delay is over, in order, and never before."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.bins.delivery import Delivery, arriving, received
from engine.bins.ring import Ring
from engine.bins.schema import Rows, row_dtype

DTYPE = row_dtype(3)
ALL = 1000


def rows_due(due: list[float], delay: list[float] | float = 0.0, first: int = 0) -> Rows:
    rows = np.zeros(len(due), DTYPE)
    rows["sequence_number"] = np.arange(first, first + len(due))
    rows["due"], rows["delay"] = due, delay
    return rows


@pytest.fixture
def ring() -> Ring:
    return Ring(DTYPE, bin_rate=40.0, seconds=1.0)


def numbers(taken: tuple[bytearray, int], lapped: int = 0) -> list[int]:
    assert taken[1] == lapped
    return np.frombuffer(taken[0], DTYPE)["sequence_number"].tolist()


def test_without_delays_everything_goes_at_once(ring: Ring) -> None:
    delivery = Delivery(ring)
    ring.publish(rows_due([1.0, 2.0, 3.0]))

    assert numbers(delivery.take(3.0, ALL)) == [0, 1, 2]
    assert delivery.next == math.inf
    assert numbers(delivery.take(4.0, ALL)) == []


def test_a_delayed_row_holds_back_those_behind_it(ring: Ring) -> None:
    delivery = Delivery(ring)
    ring.publish(rows_due([1.0, 2.0, 3.0, 4.0], [0.0, 4.5, 0.0, 3.0]))

    assert numbers(delivery.take(4.0, ALL)) == [0]
    assert delivery.next == 6.5
    assert numbers(delivery.take(6.4, ALL)) == []
    assert numbers(delivery.take(6.5, ALL)) == [1, 2]
    assert (delivery.latest, delivery.next) == (6.5, 7.0)
    assert numbers(delivery.take(7.0, ALL)) == [3]
    assert delivery.latest == 7.0


def test_a_row_published_later_waits_for_one_that_has_gone_late(ring: Ring) -> None:
    delivery = Delivery(ring)
    ring.publish(rows_due([1.0], [5.0]))
    assert numbers(delivery.take(2.0, ALL)) == []
    ring.publish(rows_due([2.0], first=1))
    assert numbers(delivery.take(5.9, ALL)) == []
    assert numbers(delivery.take(6.0, ALL)) == [0, 1]


def test_beyond_the_limit_the_next_may_go_at_once(ring: Ring) -> None:
    delivery = Delivery(ring)
    ring.publish(rows_due([1.0] * 5))

    assert numbers(delivery.take(2.0, 3)) == [0, 1, 2]
    assert delivery.next == 2.0
    assert numbers(delivery.take(2.0, 3)) == [3, 4]
    assert delivery.next == math.inf


def test_without_holding_back_delays_do_not_count(ring: Ring) -> None:
    delivery = Delivery(ring, delayed=False)
    ring.publish(rows_due([1.0, 2.0], [9.0, 9.0]))

    assert numbers(delivery.take(2.0, ALL)) == [0, 1]
    assert delivery.latest == 2.0


def test_it_begins_with_what_comes_and_can_skip_what_is_there(ring: Ring) -> None:
    ring.publish(rows_due([1.0, 1.0]))
    delivery = Delivery(ring)
    ring.publish(rows_due([2.0, 2.0], first=2))
    delivery.skip()
    ring.publish(rows_due([3.0], first=4))

    assert numbers(delivery.take(3.0, ALL)) == [4]


def test_rows_that_the_ring_has_lost_are_counted(ring: Ring) -> None:
    delivery = Delivery(ring)
    for first in (0, 30, 60):
        ring.publish(rows_due([1.0] * 30, first=first))

    assert numbers(delivery.take(1.0, ALL), lapped=50) == list(range(50, 90))
    assert delivery.cursor == 90


def test_lost_rows_do_not_arrive_and_count_for_nothing() -> None:
    rows = rows_due([1.0] * 4)
    rows["observed"] = [True, True, False, True]
    rows["lost"] = [False, True, False, False]

    assert arriving(rows)["sequence_number"].tolist() == [0, 2, 3]
    assert received(rows).tolist() == [True, False, False, True]
