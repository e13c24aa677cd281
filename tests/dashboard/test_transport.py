"""Play, pause, stop, step, position, trial, speed, loop and keys, against what the API says."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from sessions.session import Session
from tests.dashboard.conftest import Deck, Visitor, asked, keep_screenshot, open_cards, quick_deck, refusal
from tests.engine.listening import wait_until

deck = pytest.fixture(scope="module")(quick_deck)

PITCH, LENGTH = 100, 80
"""Bins from one trial to the next, and in a trial."""


@pytest.fixture
def session(deck: Deck, request: pytest.FixtureRequest) -> Session:
    return deck.store.create(request.node.name.partition("[")[0][:64])


@pytest.fixture
def page(deck: Deck, visitor: Visitor, session: Session) -> Page:
    return visitor.watch(deck, session.code, "selection")


def packet(deck: Deck, session: Session) -> int:
    return int(deck.api("GET", f"/api/control/{session.code}/position")["packet_id"])


def expect_position(page: Page, deck: Deck, session: Session, packet_id: int) -> None:
    """Both the page and the API say so."""
    expect(page.locator("#position")).to_have_value(str(packet_id))
    expect(page.locator("[data-value=packet]")).to_have_text(f"{packet_id:,}")
    tenths = packet_id // 4
    expect(page.locator("[data-value=position]")).to_have_text(
        f"{tenths // 600:02}:{tenths % 600 / 10:04.1f}"
    )
    assert packet(deck, session) == packet_id


def test_play_pause_stop_and_step(deck: Deck, page: Page, session: Session) -> None:
    def state() -> str:
        return str(deck.api("GET", f"/api/sessions/{session.code}")["state"])

    for button, then in (("Play", "playing"), ("Pause", "paused"), ("Stop", "stopped")):
        page.get_by_role("button", name=button, exact=True).click()
        page.wait_for_selector(f"body[data-state={then}]")
        assert state() == then
        expect(page.locator("#state")).to_have_text(then)
    page.get_by_role("button", name="Step").click()
    expect(refusal(page)).to_have_text("The session has stopped. Resume it before stepping.")
    session.replay.resume()
    session.replay.pause()
    page.wait_for_selector("body[data-state=paused]")
    sent = session.ring.head
    page.get_by_role("button", name="Step").click()
    wait_until(lambda: session.ring.head == sent + 1)
    expect(refusal(page)).to_be_hidden()
    expect(page.locator("[data-value=packet]")).to_have_text(
        f"{session.ring.snapshot()['packet_id'][-1]:,}"
    )
    assert session.ring.head == sent + 1


def test_the_slider_goes_to_a_position(deck: Deck, page: Page, session: Session) -> None:
    box = page.locator("#position").bounding_box()
    assert box is not None
    with asked(session):
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert abs(packet(deck, session) - 2000) < 20
    expect_position(page, deck, session, packet(deck, session))
    page.locator("#position").focus()
    with asked(session):
        page.keyboard.press("End")
    expect_position(page, deck, session, 3999)
    expect(page.locator("#position")).to_have_attribute("aria-valuetext", "01:39.9")
    with asked(session):
        page.keyboard.press("Home")
    expect_position(page, deck, session, 0)
    expect(page.locator("#position")).to_have_attribute("aria-valuetext", "00:00.0, trial 0")


def test_a_drag_of_the_slider_is_one_seek_when_it_ends(deck: Deck, page: Page, session: Session) -> None:
    box = page.locator("#position").bounding_box()
    assert box is not None
    before = len(session.replay.notes)
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.1 * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.9 * box["width"], y, steps=20)
    page.mouse.move(box["x"] + 0.5 * box["width"], y, steps=10)
    assert len(session.replay.notes) == before
    expect(page.locator("#position")).to_have_attribute("aria-valuetext", re.compile("00:(49|50)"))
    with asked(session):
        page.mouse.up()

    assert abs(packet(deck, session) - 2000) < 20
    expect_position(page, deck, session, packet(deck, session))
    assert [note.text.split()[0] for note in session.replay.notes[before:]] == ["seek"]


def test_seeking_while_paused_shows_the_recording_there_marked_as_a_preview(
    deck: Deck, page: Page, session: Session
) -> None:
    session.replay.pause()
    deck.api("POST", f"/api/control/{session.code}/seek", {"packet_id": 2001})
    expect(page.get_by_text("Preview, not sent")).to_be_visible()
    expect_position(page, deck, session, 2001)
    keep_screenshot(page, "preview")
    session.replay.step()
    expect(page.get_by_text("Preview, not sent")).to_be_hidden()


def test_the_slider_snaps_to_selected_bins(deck: Deck, page: Page, session: Session) -> None:
    deck.api("PUT", f"/api/sessions/{session.code}/selection", {"trial_ids": [3, 20]})
    expect(page.locator("[data-value=selected]")).to_have_text("160 of 4,000 bins")
    box = page.locator("#position").bounding_box()
    assert box is not None
    with asked(session):
        page.mouse.click(box["x"] + 0.4 * box["width"], box["y"] + 5)
    expect_position(page, deck, session, 20 * PITCH)


def test_a_click_among_the_trials_goes_there(deck: Deck, page: Page, session: Session) -> None:
    box = page.locator("#near").bounding_box()
    assert box is not None
    with asked(session):
        page.locator("#near").click(position={"x": box["width"] / 2 + 44, "y": 5})
    expect_position(page, deck, session, PITCH)  # 44 pixels are a trial and the gap after it


def test_the_trial_can_be_typed_or_stepped_through(deck: Deck, page: Page, session: Session) -> None:
    trial, shown = page.get_by_label("Go to trial", exact=True), page.locator("[data-value=trial]")
    with asked(session):
        trial.fill("12")
        trial.press("Enter")
    expect_position(page, deck, session, 12 * PITCH)
    with asked(session):
        page.get_by_role("button", name="Next trial").click()
    expect(shown).to_have_text("13")
    for expected in (12, 11):
        with asked(session):
            page.get_by_role("button", name="Previous trial").click()
        expect(shown).to_have_text(str(expected))
    trial.fill("99")
    trial.press("Enter")
    expect(refusal(page)).to_have_text("Unknown trial 99. This recording has trials 0 to 39.")
    assert packet(deck, session) == 11 * PITCH


def test_speed_by_number_slider_and_max(deck: Deck, page: Page, session: Session) -> None:
    def speed() -> float | str:
        answer: float | str = deck.api("GET", f"/api/sessions/{session.code}/speed")["speed"]
        return answer

    number, shown = (
        page.get_by_role("textbox", name="Speed", exact=True),
        page.locator("[data-value=speed]"),
    )
    with asked(session):
        number.fill("2.5")
        number.press("Enter")
    expect(shown).to_have_text("2.5×")
    assert speed() == 2.5
    with asked(session):
        page.locator(".pace .noUi-handle").press("End")
    expect(number).to_have_value("100")
    assert speed() == 100
    most = page.get_by_role("switch", name="Max")
    with asked(session):
        most.click()
    expect(shown).to_have_text("max")
    expect(most).to_be_checked()
    assert speed() == "max"
    with asked(session):
        most.click()
    assert speed() == 100
    number.fill("1000")
    number.press("Enter")
    with asked(session):
        page.get_by_role("switch", name="Loop").click()  # whatever was sent before is there by then
    assert speed() == 100


def test_loop_is_a_switch(deck: Deck, page: Page, session: Session) -> None:
    loop = page.get_by_role("switch", name="Loop")
    expect(loop).to_be_checked()
    with asked(session):
        loop.locator(".bk-knob").press("Space")
    expect(loop).not_to_be_checked()
    assert deck.api("GET", f"/api/sessions/{session.code}/loop") == {"loop": False}


def test_keys(deck: Deck, page: Page, session: Session) -> None:
    page.locator("h1").click()
    page.keyboard.press("Space")
    page.wait_for_selector("body[data-state=playing]")
    page.keyboard.press("Space")
    page.wait_for_selector("body[data-state=paused]")
    with asked(session):
        page.keyboard.press("Home")
    expect_position(page, deck, session, 0)
    at = 0
    for key, bins in (
        ("ArrowRight", 40),
        ("ArrowRight", 40),
        ("ArrowLeft", -40),
        ("Shift+ArrowRight", PITCH - 40),
        ("Shift+ArrowRight", PITCH),
        ("Shift+ArrowLeft", -PITCH),
    ):
        with asked(session):
            page.keyboard.press(key)
        at += bins
        expect_position(page, deck, session, at)
    for key, speed in (("+", "2×"), ("-", "1×"), ("-", "0.5×")):
        with asked(session):
            page.keyboard.press(key)
        expect(page.locator("[data-value=speed]")).to_have_text(speed)
    sent = session.ring.head
    page.keyboard.press(".")
    wait_until(lambda: session.ring.head == sent + 1)
    expect(page.locator("[data-value=packet]")).to_have_text(f"{at:,}")
    assert session.ring.head == sent + 1


def test_keys_are_listed_and_rest_while_somebody_types(page: Page, session: Session) -> None:
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()
    page.get_by_role("button", name="Keys").click()
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()
    trials = page.get_by_label("Trials", exact=True)
    trials.press_sequentially("1 .p?-")
    trials.press("ArrowLeft")
    trials.press("Home")
    expect(trials).to_have_value("1 .p?-")
    assert session.replay.state == "idle"
    expect(page.locator("dialog[open]")).to_have_count(0)


def test_the_phase_of_the_trial_is_told(deck: Deck, page: Page, session: Session) -> None:
    phase = page.locator(".phases [aria-current=step]")
    expect(phase).to_have_text("Waiting")
    session.replay.pause()
    session.replay.seek(10)  # 10 % of the trial are 8 bins, 30 % are 24
    session.replay.step()
    expect(phase).to_have_text("Target on")
    session.replay.seek(25)
    session.replay.step()
    expect(phase).to_have_text("Go")
    session.replay.seek(LENGTH - 1)
    session.replay.step()
    expect(phase).to_have_text("Hit")
    expect(page.locator("[data-value=hits]")).to_have_text("1")


def test_two_pages_are_in_step(deck: Deck, page: Page, visitor: Visitor, session: Session) -> None:
    other = visitor.watch(deck, session.code)
    for each in (page, other):
        open_cards(each, "selection", "perturbation", "view")
    page.get_by_role("button", name="Play", exact=True).click()
    expect(other.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    other.get_by_role("button", name="Pause", exact=True).click()
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    page.get_by_role("switch", name="Loop").click()
    expect(other.get_by_role("switch", name="Loop")).not_to_be_checked()
    other.locator(".pace .noUi-handle").press("Home")
    expect(page.get_by_role("textbox", name="Speed", exact=True)).to_have_value("0.1")
    page.get_by_role("checkbox", name="1", exact=True).check()
    expect(other.get_by_role("checkbox", name="1", exact=True)).to_be_checked()
    other.get_by_role("radio", name="Moderate").check()
    expect(page.get_by_role("switch", name="Noise")).to_be_checked()
    expect(page.get_by_label("Standard deviation per count")).to_have_value("0.5")
    page.get_by_label("Order of units").select_option("by rate")
    expect(other.get_by_label("Order of units")).to_have_value("by rate")
