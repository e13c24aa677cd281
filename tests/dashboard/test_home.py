"""The home page, and the offer of a session that does not exist."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.dashboard.conftest import SCREENSHOTS, Deck, Visitor


def test_home_tells_what_is_replayed(deck: Deck, visitor: Visitor) -> None:
    page = visitor.open(deck.url)
    expect(page.get_by_role("heading", name="small")).to_be_visible()
    assert page.get_by_text("Synthetic recording").is_visible()
    facts = dict(
        zip(page.locator("dt").all_inner_texts(), page.locator("dd").all_inner_texts(), strict=True)
    )
    assert facts == {"Units": "6", "Length": "01:40", "Trials": "40", "Targets": "3", "Bins": "25 ms"}


def test_sessions_come_and_go_in_the_list(deck: Deck, visitor: Visitor) -> None:
    page = visitor.open(deck.url)
    expect(page.get_by_text("No session yet")).to_be_visible()
    deck.store.create("first").replay.resume()
    deck.store.create("second")
    row = page.get_by_role("link", name="first")
    expect(row).to_contain_text("playing")
    expect(page.get_by_text("No session yet")).to_be_hidden()
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / "home-dark.png")
    deck.store.delete("second")
    expect(page.get_by_role("link", name="second")).to_have_count(0)
    row.click()
    page.wait_for_selector("body[data-session=first][data-connection=open]")


def test_a_new_session_opens_its_page(deck: Deck, visitor: Visitor) -> None:
    page = visitor.open(deck.url)
    page.get_by_role("button", name="New session").click()
    page.wait_for_selector("body[data-connection=open]")
    [code] = deck.store.sessions
    assert page.url == deck.live(code)


def test_an_unknown_code_offers_to_create_it(deck: Deck, visitor: Visitor) -> None:
    page = visitor.open(deck.live("not-there"))
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / "unknown-dark.png")
    page.get_by_role("button", name="Create not-there").click()
    page.wait_for_selector("body[data-connection=open]")
    assert list(deck.store.sessions) == ["not-there"]


@pytest.mark.parametrize(
    ("query", "says"), [("", "Which session?"), ("?session=<b>no</b>", "That is no session code")]
)
def test_an_address_without_a_code_says_so(deck: Deck, visitor: Visitor, query: str, says: str) -> None:
    page = visitor.open(f"{deck.url}/live{query}")
    expect(page.get_by_role("heading")).to_have_text(says)
    assert deck.store.sessions == {}


def test_a_lost_server_is_told_and_found_again(deck: Deck, visitor: Visitor) -> None:
    recording = deck.store.recording
    page = visitor.open(deck.url)
    expect(page.get_by_text("No session yet")).to_be_visible()
    deck.stop()
    expect(page.get_by_role("status")).to_contain_text("Lost the server")
    deck.start(recording)
    expect(page.get_by_role("status")).to_be_hidden()


def test_a_refusal_is_shown_in_the_servers_words(deck: Deck, visitor: Visitor) -> None:
    deck.store.max_sessions = 0
    page = visitor.open(deck.url)
    page.get_by_role("button", name="New session").click()
    expect(page.get_by_role("status")).to_contain_text("which is the limit")
