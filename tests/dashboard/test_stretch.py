"""What the tape tells and marks: the trial at the position, failures, and the stretch from A to B."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from dashboard.live.marks import marks
from dashboard.live.transport import Transport
from sessions.session import Session
from tests.dashboard.conftest import Deck, Visitor, asked, quick_deck
from tests.engine.listening import wait_until

deck = pytest.fixture(scope="module")(quick_deck)

BOTTOM = """([bin, n]) => {
  const find = (root) => root.querySelector("#whole")
    ?? [...root.querySelectorAll("*")].map((e) => e.shadowRoot && find(e.shadowRoot)).find(Boolean);
  const whole = find(document);
  const x = Math.round((bin / n) * whole.width);
  return [...whole.getContext("2d").getImageData(x, whole.height - 2, 1, 1).data].slice(0, 3);
}"""
"""The colour of the tape at a bin, at its lower edge."""


@pytest.fixture
def session(deck: Deck, request: pytest.FixtureRequest) -> Session:
    return deck.store.create(request.node.name.partition("[")[0][:64])


def ends(session: Session) -> tuple[int | None, int | None]:
    return session.replay.selection.first_packet, session.replay.selection.last_packet


def test_an_end_before_the_beginning_drops_the_other(session: Session) -> None:
    transport, replay = Transport(session), session.replay
    replay.seek(1000)
    transport.begin_here()
    replay.seek(1500)
    transport.end_here()
    assert ends(session) == (1000, 1500)
    assert marks(session) == [[1000, "A", "good"], [1500, "B", "good"]]
    transport.clear_ends()
    replay.seek(500)
    transport.end_here()
    replay.seek(500)
    transport.begin_here()
    assert ends(session) == (500, 500)
    transport.clear_ends()
    replay.seek(900)
    transport.begin_here()
    assert ends(session) == (900, None)


def test_the_end_keeps_what_else_is_selected_and_switches_the_loop_on(session: Session) -> None:
    transport, replay = Transport(session), session.replay
    replay.set_loop(False)
    transport.session.replay.set_selection(type(replay.selection)(target_ids=(1,)))
    replay.seek(1000)
    transport.end_here()
    assert (replay.selection.target_ids, ends(session), replay.loop) == ((1,), (None, 1000), True)


def test_the_tape_shows_trial_failures_and_the_stretch(
    deck: Deck, visitor: Visitor, session: Session
) -> None:
    page: Page = visitor.watch(deck, session.code)
    session.replay.seek(250)
    session.replay.step()
    expect(page.locator(".tape-holder")).to_have_attribute("data-trial", "2")
    failed = [0xFF, 0x8A, 0x65]
    wait_until(lambda: page.evaluate(BOTTOM, [240, 4000]) == failed)
    assert page.evaluate(BOTTOM, [140, 4000]) != failed
    for name in ("A", "B"):
        with asked(session):
            page.get_by_role("button", name=name, exact=True).click()
    assert ends(session) == (251, 251)
    with asked(session):
        page.get_by_role("button", name="Clear", exact=True).click()
    expect(page.locator("[data-value=selected]")).to_have_text("all 4,000 bins")
