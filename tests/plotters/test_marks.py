"""Which decoder has which colour."""

from __future__ import annotations

from itertools import permutations

import pytest

from plotters.marks import MARKS, marked, preferred

DIFFERENT = {preferred(name)[0]: name for name in map("decoder {}".format, range(50))}
"""A name for each mark."""
NAMES = [DIFFERENT[mark] for mark in range(len(MARKS))]


def test_colour_belongs_to_the_name_whoever_came_first() -> None:
    for order in permutations(NAMES):
        assert marked(order, order) == tuple(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_alone_or_silent_a_decoder_has_the_same_colour(name: str) -> None:
    assert marked([name], [name]).index(name) == marked(NAMES, []).index(name)


def test_of_two_names_with_one_lane_the_first_keeps_it_and_nobody_loses_it_by_falling_silent() -> None:
    one, other = [n for n in map("model {}".format, range(50)) if preferred(n)[0] == 2][:2]
    both = marked([one, other], [one, other])
    assert both.index(one) == 2
    assert other in both
    assert marked([one, other], [other]) == both


def test_those_beyond_the_lanes_get_that_of_one_who_is_silent_or_none() -> None:
    late = "late"
    assert late not in marked([*NAMES, late], [*NAMES, late])
    there = marked([*NAMES, late], [*NAMES[1:], late])
    assert there == (late, *NAMES[1:])
    assert marked([*NAMES, late], NAMES) == tuple(NAMES)
