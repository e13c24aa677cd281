"""The card that compares decoders."""

from __future__ import annotations

import math
from typing import get_args

import pytest
from playwright.sync_api import Page, expect

from dashboard.live.comparing import MEASURES, decoder_row, interval, newest_trials, pair_row, spell_p
from engine.answers.scores.comparison import Estimate, Pair
from engine.bins import clock
from sessions.rest.requests import ComparedMeasure
from sessions.session import Session
from tests.dashboard.conftest import Deck, Visitor, quick_deck
from tests.engine.listening import Keeper

deck = pytest.fixture(scope="module")(quick_deck)

FEW = Estimate(0.5, math.nan, math.nan, 2)
MANY = Estimate(-0.25, -0.5, -0.125, 40)


def answer(session: Session, n_bins: int) -> None:
    """Two decoders answer so many bins: one exactly, one is off by more each trial."""
    keeper = Keeper(session.replay)
    session.replay.set_speed("max")
    session.replay.resume()
    rows = keeper.wait_rows(n_bins)
    session.replay.pause()
    for row in rows[:n_bins]:
        x, y, vx, vy = row["kinematics"].tolist()
        number, off = int(row["sequence_number"]), 10.0 + int(row["trial"])
        session.predictions.receive("exact", number, (x, y, vx, vy), clock.now())
        session.predictions.receive("off", number, (x + off, y, vx, vy), clock.now())
    session.scores.settle(30)


def test_every_measure_that_is_compared_can_be_chosen() -> None:
    assert set(MEASURES.values()) == set(get_args(ComparedMeasure))


def test_rows_are_spelled_as_in_papers() -> None:
    assert decoder_row("kalman", FEW).cells == ("kalman", "0.5", "from 5 trials on", "2")
    assert interval(MANY) == "−0.5 to −0.125"
    pair = Pair("one", "other", MANY, 0.0001)
    assert pair_row(pair).cells == ("one − other", "−0.25", "−0.5 to −0.125", "< 0.001", "40")
    assert [spell_p(p) for p in (0.0456, math.nan)] == ["0.046", "–"]


def test_decoders_are_compared_when_opened_and_by_another_measure(deck: Deck, visitor: Visitor) -> None:
    session = deck.store.create("compared")
    answer(session, 8 * 100)
    assert set(newest_trials(session)) == {"exact", "off"}
    page: Page = visitor.watch(deck, session.code)
    card = page.locator("#comparison")
    expect(card.get_by_role("row")).to_have_count(5)
    expect(card.get_by_role("rowheader", name="exact − off")).to_be_visible()
    card.get_by_role("combobox").select_option("RMSE of position")
    expect(card.get_by_role("row").filter(has_text="exact − off")).to_contain_text("−13.")
    told = deck.api("GET", f"/api/sessions/{session.code}/comparison?measure=rmse_position")["pairs"][0]
    row = card.get_by_role("row").filter(has_text="exact − off")
    expect(row).to_contain_text(f"{told['p_value']:.3f}")
    expect(row).to_contain_text(f"{told['difference']['n_trials']}")
