"""The selection's panel, against what the API says."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from engine.bins.selection import Selection
from sessions.session import Session
from tests.dashboard.conftest import Deck, Visitor, asked, quick_deck, refusal

deck = pytest.fixture(scope="module")(quick_deck)

PLAIN: dict[str, Any] = {
    "trial_ids": [],
    "target_ids": [],
    "success": None,
    "begin": "start",
    "begin_offset": 0.0,
    "end": "stop",
    "end_offset": 0.0,
    "first_packet": None,
    "last_packet": None,
}

PLACE = """([x, y]) => {
  const view = Bokeh.index.roots.find(({ model }) => model.name === "arena");
  return {x: view.frame.x_scale.compute(x), y: view.frame.y_scale.compute(y)};
}"""
"""Where in its figure a point of the arena is."""


@pytest.fixture
def session(deck: Deck, request: pytest.FixtureRequest) -> Session:
    return deck.store.create(request.node.name.partition("[")[0][:64])


@pytest.fixture
def page(deck: Deck, visitor: Visitor, session: Session) -> Page:
    return visitor.watch(deck, session.code, "selection")


def target(page: Page, number: int) -> Locator:
    return page.locator("#selection").get_by_role("checkbox", name=str(number), exact=True)


def expect_selection(page: Page, deck: Deck, session: Session, n_bins: int, **changed: Any) -> None:
    """In force, and as many bins as the page says."""
    expect(page.locator("[data-value=selected]")).to_have_text(f"{n_bins:,} of 4,000 bins")
    assert deck.api("GET", f"/api/sessions/{session.code}/selection") == {**PLAIN, **changed}
    assert deck.api("GET", f"/api/sessions/{session.code}")["selected_packets"] == n_bins


def test_targets_trials_and_outcome(deck: Deck, page: Page, session: Session) -> None:
    expect(page.locator("[data-value=selected]")).to_have_text("all 4,000 bins")
    for number in (0, 2):
        with asked(session):
            target(page, number).check()
    expect_selection(page, deck, session, 27 * 80, target_ids=[0, 2])
    with asked(session):
        target(page, 0).press("Space")
    expect_selection(page, deck, session, 13 * 80, target_ids=[2])
    trials = page.get_by_label("Trials", exact=True)
    with asked(session):
        trials.fill("0-5, 8")
        trials.press("Enter")
    expect_selection(page, deck, session, 3 * 80, target_ids=[2], trial_ids=[0, 1, 2, 3, 4, 5, 8])
    expect(trials).to_have_value("0-5, 8")
    with asked(session):
        page.locator("#selection").get_by_label("Outcome").select_option("failed")
    ids = [0, 1, 2, 3, 4, 5, 8]
    expect_selection(page, deck, session, 80, target_ids=[2], trial_ids=ids, success=False)


def test_a_part_of_each_trial(deck: Deck, page: Page, session: Session) -> None:
    with asked(session):
        page.get_by_role("combobox", name="From", exact=True).select_option("go cue")
    with asked(session):
        page.get_by_label("From, plus seconds").fill("0.1")
        page.keyboard.press("Enter")
    with asked(session):
        page.get_by_label("To, plus seconds").fill("-0.5")
        page.keyboard.press("Tab")
    part = Selection(begin="go_cue", begin_offset=0.1, end_offset=-0.5)
    n_bins = len(part.bins(session.recording))
    expect_selection(page, deck, session, n_bins, begin="go_cue", begin_offset=0.1, end_offset=-0.5)


def test_clear_selects_everything_again(deck: Deck, page: Page, session: Session) -> None:
    with asked(session):
        target(page, 1).check()
    expect(page.locator("[data-value=selected]")).not_to_contain_text("all")
    with asked(session):
        page.get_by_role("button", name="Clear the selection").click()
    expect(page.locator("[data-value=selected]")).to_have_text("all 4,000 bins")
    expect(target(page, 1)).not_to_be_checked()
    assert deck.api("GET", f"/api/sessions/{session.code}/selection") == PLAIN


def test_what_cannot_be_selected_is_said(deck: Deck, page: Page, session: Session) -> None:
    for typed, says in (
        ("99", "Unknown trial 99. This recording has trials 0 to 39."),
        ("7-3", "“7-3” is no number and no range. Write them as in 1-20, 45."),
        ("one", "“one” is no number and no range. Write them as in 1-20, 45."),
    ):
        page.get_by_label("Trials", exact=True).fill(typed)
        page.keyboard.press("Enter")
        expect(refusal(page)).to_have_text(says)
        assert deck.api("GET", f"/api/sessions/{session.code}/selection") == PLAIN


def test_an_empty_selection_is_refused_and_the_controls_go_back(
    deck: Deck, page: Page, session: Session
) -> None:
    deck.api("PUT", f"/api/sessions/{session.code}/selection", {"trial_ids": [1]})
    expect(page.locator("[data-value=selected]")).to_have_text("80 of 4,000 bins")
    target(page, 2).click()  # `check` would want it to stay
    expect(refusal(page)).to_contain_text("The selection holds no bin.")
    expect(target(page, 2)).not_to_be_checked()
    expect_selection(page, deck, session, 80, trial_ids=[1])


def test_a_click_on_a_target_in_the_arena_selects_it(deck: Deck, page: Page, session: Session) -> None:
    session.replay.pause()
    session.replay.step()
    page.wait_for_function(
        "() => Bokeh.documents.some((each) => each.get_model_by_name('arena/targets')?.get_length() === 3)"
    )
    arena = page.locator("[data-plot=arena]")
    for places, targets in (((0, 100), [1]), ((-100, 0), [1, 2]), ((0, 100), [2])):
        with asked(session):
            arena.click(position=page.evaluate(PLACE, places))
        selection = deck.api("GET", f"/api/sessions/{session.code}/selection")
        assert selection == {**PLAIN, "target_ids": targets}
        for number in range(3):
            expect(target(page, number)).to_be_checked(checked=number in targets)
    arena.click(position=page.evaluate(PLACE, (50, -70)))
    assert deck.api("GET", f"/api/sessions/{session.code}/selection")["target_ids"] == [2]
