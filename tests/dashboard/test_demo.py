"""A demo from the start page in one click, with decoders in real processes."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, expect

from dashboard.home.demonstrating import CANNOT, demonstrate
from engine.errors import DeckError
from plotters.arena import Arena
from sessions.launcher import Launcher
from sessions.rest.context import Context
from sessions.store import Store
from tests.builders import small_recording
from tests.dashboard.conftest import Deck, MakeDeck, Visitor

PATIENCE = 60_000


@pytest.fixture
def deck(make_deck: MakeDeck) -> Deck:
    return make_deck(small_recording(6, 4000, n_trials=40), [Arena])


def test_one_click_leads_to_a_session_that_plays_with_two_decoders(deck: Deck, visitor: Visitor) -> None:
    page = visitor.open(deck.url)
    page.get_by_role("button", name="Demo").click()
    page.wait_for_url(re.compile(r"/live\?session="))
    page.wait_for_selector("body[data-connection=open][data-state=playing]")
    rows = page.locator("[data-rows=scores-window] tr")
    for decoder in ("kalman", "wiener"):
        expect(rows.filter(has_text=decoder)).to_be_visible(timeout=PATIENCE)
    (session,) = deck.api("GET", "/api/sessions")["sessions"].values()
    assert (session["state"], session["active_connections"]) == ("playing", 2)


def test_a_server_that_starts_no_decoders_says_so(browser: Browser) -> None:
    deck = Deck(small_recording(6, 400), [Arena], launches=False)
    try:
        with browser.new_context() as context:
            look(Visitor(context, deck.url).open(deck.url))
    finally:
        deck.stop()


def look(page: Page) -> None:
    expect(page.get_by_text(CANNOT)).to_be_visible()
    expect(page.get_by_role("button", name="Demo")).to_have_count(0)


class Full(Launcher):
    """Has started all that it may."""

    def start(self, *_: object) -> None:
        raise DeckError("This server runs 8 decoders, which is the limit.")


def test_of_a_demo_that_cannot_be_nothing_is_left() -> None:
    store = Store({"small": small_recording(6, 400)})
    with pytest.raises(DeckError, match="which is the limit"):
        demonstrate(replace(Context(store, 1, 1), launcher=Full("ws://nowhere")))
    assert store.entries == {}
    store.close()
