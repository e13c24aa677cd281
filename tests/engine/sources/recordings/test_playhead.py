"""The playhead gives the selected bins in order, and skips or repeats none."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import OutsideSelection
from engine.sources.recordings.playhead import Playhead


def playhead(*bins: int, loop: bool = True) -> Playhead:
    return Playhead(np.array(bins), loop)


def taken(head: Playhead, *sizes: int) -> list[int]:
    return [int(b) for n in sizes for b in head.take(n)]


def test_bins_are_taken_in_order_whatever_is_asked_for_at_once() -> None:
    assert taken(playhead(4, 5, 9, 10), 1, 2, 1) == [4, 5, 9, 10]


def test_loop_follows_the_last_bin_with_the_first() -> None:
    assert taken(playhead(4, 5, 9), 2, 2, 2, 2) == [4, 5, 9, 4, 5, 9]


def test_take_never_reaches_over_the_end() -> None:
    assert [len(playhead(4, 5, 9).take(n)) for n in (2, 3, 100)] == [2, 3, 3]


def test_without_loop_it_ends_after_the_last_bin() -> None:
    head = playhead(4, 5, loop=False)
    assert taken(head, 1) == [4]
    assert not head.ended
    assert taken(head, 5, 5) == [5]
    assert head.ended


def test_rewind_returns_to_the_first_bin() -> None:
    head = playhead(4, 5, loop=False)
    head.take(2)
    head.rewind()

    assert not head.ended
    assert taken(head, 2) == [4, 5]


def test_loop_switched_on_at_the_end_goes_on_with_the_first_bin() -> None:
    head = playhead(4, 5, loop=False)
    head.take(2)
    head.loop = True

    assert not head.ended
    assert head.next_bin == 4
    assert taken(head, 2) == [4, 5]


@pytest.mark.parametrize("loop", [True, False])
def test_seek_makes_a_bin_the_next_one(loop: bool) -> None:
    head = playhead(4, 5, 9, loop=loop)
    head.take(3)
    head.seek(5)

    assert head.next_bin == 5
    assert taken(head, 2) == [5, 9]


@pytest.mark.parametrize("outside", [0, 6, 11])
def test_seek_outside_the_selection_is_refused_and_changes_nothing(outside: int) -> None:
    head = playhead(4, 5, 9)
    head.take(1)
    with pytest.raises(OutsideSelection, match=f"Packet {outside} lies outside the selection"):
        head.seek(outside)

    assert head.next_bin == 5


def test_selection_starts_at_its_first_bin() -> None:
    head = playhead(4, 5, 9)
    head.take(2)
    head.select(np.array([20, 30]))

    assert len(head) == 2
    assert taken(head, 2) == [20, 30]


@pytest.mark.parametrize(("loop", "index", "bin_index"), [(True, 0, 4), (False, 1, 5)])
def test_at_the_end_the_next_bin_is_the_first_with_loop_and_the_last_without(
    loop: bool, index: int, bin_index: int
) -> None:
    head = playhead(4, 5, loop=loop)
    head.take(2)

    assert (head.next_index, head.next_bin) == (index, bin_index)
