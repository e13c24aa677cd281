"""The collector looks at what is new alone, and at everything while nobody listens."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from sessions import garbage
from sessions.garbage import MANY, Garbage


class Cycle:
    """Refers to itself, so that only the collector finds it."""

    def __init__(self) -> None:
        self.me = self


class Deck:
    """Somebody may listen."""

    def __init__(self) -> None:
        self.listened_to = True
        self.garbage = Garbage(lambda: self.listened_to)


@pytest.fixture
def deck() -> Iterator[Deck]:
    made = Deck()
    gc.collect()
    gc.disable()  # a look happens when a test says so
    made.garbage.begin()
    gc.disable()
    yield made
    made.garbage.end()
    gc.enable()


def many() -> list[Any]:
    """As an open page: objects that stay."""
    return [[] for _ in range(MANY)]


def is_looked_at(thing: object) -> bool:
    return any(each is thing for each in gc.get_objects())


def test_what_was_there_is_not_looked_at_again(deck: Deck) -> None:
    assert not is_looked_at(deck)


def test_few_that_survive_a_look_are_looked_at_again(deck: Deck) -> None:
    page = [[]]
    gc.collect()
    assert is_looked_at(page)


def test_many_that_survive_a_look_are_not_looked_at_again(deck: Deck) -> None:
    page = many()
    assert is_looked_at(page)
    gc.collect()
    assert not is_looked_at(page)


def test_a_closed_page_that_was_put_aside_goes_when_nobody_listens(deck: Deck) -> None:
    page = [many(), Cycle()]
    cycle = weakref.ref(page[1])
    gc.collect()
    del page
    gc.collect()
    deck.garbage.tidy()
    assert cycle() is not None
    deck.listened_to = False
    deck.garbage.tidy()
    assert cycle() is None
    assert not is_looked_at(deck)  # all that is left is put aside again


def test_without_anything_put_aside_nothing_is_looked_for(deck: Deck) -> None:
    deck.listened_to = False
    looks: list[str] = []
    gc.callbacks.append(lambda phase, _: looks.append(phase))
    deck.garbage.tidy()
    gc.callbacks.pop()
    assert looks == []


def test_no_more_is_put_aside_than_may_stay_for_ever(deck: Deck, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(garbage, "MOST", MANY)
    first = many()
    gc.collect()
    second = many()
    gc.collect()
    assert not is_looked_at(first)
    assert is_looked_at(second)
