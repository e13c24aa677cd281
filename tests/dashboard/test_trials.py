"""The table of trials: what became of each, in any order, and the way to it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from plotters.arena import Arena
from sessions.session import Session
from tests.builders import small_recording
from tests.dashboard.conftest import Deck, MakeDeck, Visitor, asked, keep_screenshot, quick_deck, refusal
from tests.dashboard.test_comparing import answer
from tests.engine.listening import wait_until

deck = pytest.fixture(scope="module")(quick_deck)


@pytest.fixture
def session(deck: Deck, request: pytest.FixtureRequest) -> Session:
    return deck.store.create(request.node.name.partition("[")[0][:64])


@pytest.fixture
def page(deck: Deck, visitor: Visitor, session: Session) -> Page:
    return visitor.watch(deck, session.code, "trials")


def rows(page: Page) -> Locator:
    return page.locator("#trials tbody tr")


def expect_position(session: Session, bin_: int) -> None:
    assert session.replay.position().packet_id == bin_


def test_a_click_goes_to_a_trial_and_failures_follow_each_other(
    deck: Deck, page: Page, session: Session
) -> None:
    card = page.locator("#trials")
    expect(rows(page)).to_have_count(40)
    expect(rows(page).nth(2)).to_have_text("22failed00:05.02")
    with asked(session):
        card.get_by_role("button", name="Go to trial 7", exact=True).click()
    expect_position(session, 700)
    with asked(session):
        rows(page).nth(9).get_by_text("succeeded").click()
    expect_position(session, 900)
    with asked(session):
        card.get_by_role("button", name="Previous failure").click()
    expect_position(session, 200)
    card.get_by_role("button", name="Next failure").click()
    expect(refusal(page)).to_have_text("No trial after this one has failed.")
    page.wait_for_function("() => document.body.dataset.controls === 'ready'")
    deck.api("PUT", f"/api/sessions/{session.code}/selection", {"trial_ids": [1]})
    card.get_by_role("button", name="Go to trial 7", exact=True).click()
    expect(refusal(page)).to_contain_text("Trial 7 lies outside the selection.")


def test_bookmarks_are_made_by_key_and_button_shared_and_found_again(
    deck: Deck, page: Page, session: Session
) -> None:
    card = page.locator("#trials")
    deck.api("POST", f"/api/control/{session.code}/seek", {"packet_id": 700})
    page.wait_for_selector("body[data-preview]")
    expect(page.locator("#position")).to_have_value("700")
    with asked(session):
        card.get_by_role("button", name="Bookmark", exact=True).click()
    deck.api("POST", f"/api/control/{session.code}/seek", {"packet_id": 900})
    expect(page.locator("#position")).to_have_value("900")
    with asked(session):
        page.keyboard.press("b")
    assert deck.api("GET", f"/api/sessions/{session.code}/view")["bookmarks"] == [700, 900]
    with asked(session):
        card.get_by_role("button", name="Previous bookmark").click()
    expect_position(session, 700)
    keep_screenshot(page, "bookmarks")
    card.get_by_role("button", name="Previous bookmark").click()
    expect(refusal(page)).to_have_text("There is no bookmark before this bin.")
    expect(page.locator("#position")).to_have_value("700")
    with asked(session):
        page.keyboard.press("b")
    assert session.view.bookmarks == [900]


def test_new_trials_come_without_losing_sort_or_scroll(page: Page, session: Session) -> None:
    card = page.locator("#trials")
    card.get_by_role("button", name="Sort by Trial").click()
    expect(rows(page).first).to_contain_text("39")
    scroller = card.locator(".long")
    scroller.evaluate("each => { each.scrollTop = 500; }")
    answer(session, 4 * 100)
    sort = card.get_by_role("button", name="Sort by off: error")
    expect(sort).to_be_attached()
    answered = rows(page).filter(has=page.get_by_role("button", name="Go to trial 1", exact=True))
    expect(answered).to_contain_text("hit")
    assert scroller.evaluate("each => each.scrollTop") == 500
    expect(rows(page).first).to_contain_text("39")


def test_of_five_thousand_trials_the_page_has_those_in_sight(make_deck: MakeDeck, browser: Browser) -> None:
    deck = make_deck(small_recording(2, 50_000, n_trials=5000), [Arena])
    session = deck.store.create("long")
    with browser.new_context() as context:
        page = Visitor(context, deck.url).open(deck.live(session.code))
        page.wait_for_selector("body[data-controls=ready]")
        page.get_by_role("heading", name="Trials").click()
        rows(page).first.wait_for()
        assert rows(page).count() <= 200
        heights = "rows => rows.map((row) => row.getBoundingClientRect().height)"
        wait_until(lambda: set(rows(page).evaluate_all(heights)) == {33})
        page.locator("#trials .long").evaluate(
            "each => { each.scrollIntoView(); each.scrollTop = each.scrollHeight; }"
        )
        expect(page.get_by_role("button", name="Go to trial 4999", exact=True)).to_be_in_viewport()
        page.get_by_role("button", name="Sort by Trial").click()
        expect(page.get_by_role("button", name="Go to trial 0", exact=True)).to_be_in_viewport()
        assert rows(page).count() <= 200
