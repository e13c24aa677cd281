"""Two decoders of one name get two names; a name that nobody holds is free."""

from __future__ import annotations

import pytest

from engine.answers.holds import Holds
from engine.answers.prediction import MAX_NAME


@pytest.fixture
def holds() -> Holds:
    return Holds(())


def test_a_name_that_is_held_gets_the_lowest_number_that_is_free(holds: Holds) -> None:
    taken = [holds.take("mine") for _ in range(3)]
    assert [hold.name for hold in taken] == ["mine", "mine-2", "mine-3"]
    holds.free(taken[1])
    assert holds.take("mine").name == "mine-2"


def test_a_name_is_freed_once_and_not_by_one_who_has_lost_it(holds: Holds) -> None:
    gone = holds.take("mine", there=lambda: False)
    heir = holds.take("mine")
    assert heir.name == "mine"
    holds.free(gone)
    assert holds.take("mine").name == "mine-2"


def test_a_long_name_stays_within_the_limit(holds: Holds) -> None:
    names = [holds.take("x" * MAX_NAME).name for _ in range(12)]
    assert len(set(names)) == 12
    assert {len(name) for name in names} == {MAX_NAME}


def test_a_made_up_name_that_somebody_then_asks_for_is_kept(holds: Holds) -> None:
    made_up = holds.take(None)
    holds.free(made_up)
    assert not holds.keeps_place(made_up.name)
    asked = holds.take(made_up.name)
    holds.free(asked)
    assert holds.keeps_place(made_up.name)
