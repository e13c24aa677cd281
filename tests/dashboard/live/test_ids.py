"""Lists of trials as people type them."""

from __future__ import annotations

import pytest

from dashboard.live.ids import parse_ids, spell_ids
from engine.errors import BadSetting


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("", ()),
        ("3", (3,)),
        ("1-4, 9", (1, 2, 3, 4, 9)),
        ("9 1 - 2;2", (1, 2, 9)),
        ("2\N{EN DASH}3", (2, 3)),
    ],
)
def test_numbers_and_ranges_are_read(text: str, ids: tuple[int, ...]) -> None:
    assert parse_ids(text) == ids


@pytest.mark.parametrize("text", ["7-3", "one", "1.5", "-4", "1-2-3"])
def test_what_is_no_number_is_refused_with_what_it_is(text: str) -> None:
    with pytest.raises(BadSetting, match=r"is no number and no range\. Write them as in 1-20, 45\."):
        parse_ids(text)


def test_a_range_ends_somewhere() -> None:
    with pytest.raises(BadSetting, match="too long"):
        parse_ids("0-999999999")


@pytest.mark.parametrize(
    ("ids", "text"), [((), ""), ((1, 2), "1, 2"), ((1, 2, 3, 7), "1-3, 7"), ((0, 5, 6, 7), "0, 5-7")]
)
def test_numbers_are_spelled_as_short_as_can_be(ids: tuple[int, ...], text: str) -> None:
    assert spell_ids(ids) == text
    assert parse_ids(text) == ids
