"""A class: from the start page to printed cards and the wall, with real sessions and a real browser."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import segno
import websocket
from playwright.sync_api import Browser, Page, expect

from dashboard.wall.choice import chosen
from plotters.arena import Arena
from sessions.archive import Archive
from tests.builders import small_recording
from tests.dashboard.conftest import Deck, MakeDeck, Visitor, keep_screenshot, refusal, resize
from tests.engine.listening import wait_until
from tests.sessions.predicting import answer


@pytest.fixture
def deck(tmp_path: Path) -> Iterator[Deck]:
    archive = Archive(tmp_path / "records")
    made = Deck(small_recording(6, 4000, n_trials=40), [Arena], archive=archive)
    yield made
    made.stop()
    archive.close()


def loaded(page: Page) -> Page:
    page.wait_for_selector("body[data-controls=ready]")
    return page


def states(deck: Deck, prefix: str = "") -> set[str]:
    return {deck.store.get(code).replay.state for code in chosen(deck.store.sessions, prefix)}


def test_forty_sessions_are_made_in_a_click_printed_and_paused_on_the_wall(
    deck: Deck, visitor: Visitor
) -> None:
    page = loaded(visitor.open(deck.url))
    page.get_by_role("button", name="Make 40 sessions").click()
    page.wait_for_url("**/print?prefix=class")
    cards = page.locator(".cards li")
    expect(cards).to_have_count(40)
    expect(cards.last).to_contain_text("class-40")
    expect(cards.last).to_contain_text("/live?session=class-40")
    assert list(deck.store.sessions) == [f"class-{i:02d}" for i in range(1, 41)]

    page.get_by_role("link", name="Wall").last.click()
    cells = loaded(page).locator("#wall li")
    expect(cells).to_have_count(40)
    page.get_by_role("button", name="Play all").click()
    expect(page.get_by_text("40 of 40 playing.")).to_be_visible()
    assert states(deck) == {"playing"}
    answer(deck.store.get("class-07"), 60, "mine")
    seventh = page.locator("li[data-code=class-07]")
    expect(seventh).to_contain_text("mine")
    expect(seventh).to_contain_text(re.compile(r"R² -?\d\.\d\d"))
    assert seventh.locator(".path").get_attribute("points").count(",") > 3
    page.get_by_role("button", name="Pause all").click()
    expect(page.get_by_text("40 of 40 paused.")).to_be_visible()
    assert states(deck) == {"paused"}
    expect(page.locator("li[data-state=paused]")).to_have_count(40)
    expect(page.get_by_text("40 sessions, 0 playing")).to_be_visible()
    page.set_viewport_size({"width": 1920, "height": 1080})
    keep_screenshot(page, "wall-small")
    assert page.evaluate("document.documentElement.scrollHeight") <= 1080
    resize(page, 390)


def test_a_perturbation_and_records_of_all_and_what_failed_for_whom(deck: Deck, visitor: Visitor) -> None:
    for code in ("a-01", "a-02", "a-03", "other"):
        deck.store.create(code)
    busy = deck.store.get("a-02")
    assert deck.archive is not None
    deck.archive.start(busy)
    page = loaded(visitor.open(f"{deck.url}/wall?prefix=a"))
    expect(page.locator("#wall li")).to_have_count(3)
    page.get_by_label("Perturbation of all").select_option("moderate")
    page.get_by_role("button", name="Set for all").click()
    expect(page.get_by_text("3 of 3 set to moderate.")).to_be_visible()
    acting = [
        code for code, each in deck.store.sessions.items() if each.replay.perturbation["noise"]["enabled"]
    ]
    assert acting == ["a-01", "a-02", "a-03"]
    page.get_by_role("button", name="Record all").click()
    said = "2 of 3 being recorded. Not a-02: It is being recorded. Stop that record first."
    expect(page.get_by_text(said)).to_be_visible()
    expect(page.locator("li[data-recorded='1']")).to_have_count(3)
    page.get_by_role("button", name="Stop recording").click()
    expect(page.get_by_text("3 of 3 no longer recorded.")).to_be_visible()
    assert not any(each.tape and each.tape.recording for each in deck.store.sessions.values())
    deck.store.delete("a-01")
    expect(page.locator("#wall li")).to_have_count(2)
    deck.store.create("a-04")
    expect(page.locator("li[data-code=a-04]")).to_be_visible()


def test_an_empty_wall_and_an_empty_sheet_say_so(deck: Deck, visitor: Visitor) -> None:
    page = loaded(visitor.open(f"{deck.url}/wall?prefix=nobody"))
    expect(page.get_by_text("No session is here whose code begins with nobody.")).to_be_visible()
    page.get_by_role("button", name="Pause all").click()
    expect(page.get_by_text("No session is here, so none was paused.")).to_be_visible()
    deck.store.create("somebody")
    page.goto(f"{deck.url}/print?prefix=nobody")
    expect(page.get_by_text("0 cards to print")).to_be_visible()
    expect(page.get_by_role("button", name="Print")).to_have_count(0)


def test_what_does_not_fit_is_told_at_the_button(deck: Deck, visitor: Visitor) -> None:
    page = loaded(visitor.open(deck.url))
    page.get_by_label("Sessions for a class").fill("60")
    page.get_by_label("Sessions for a class").press("Tab")
    page.get_by_role("button", name="Make 60 sessions").click()
    expect(refusal(page)).to_contain_text("60 sessions do not fit: 0 of 50 places are taken.")
    assert not deck.store.sessions


@pytest.mark.parametrize("looking", ["", "&look_only=1"])
def test_forty_cards_are_three_pages_of_a4_without_anything_else(
    deck: Deck, visitor: Visitor, looking: str
) -> None:
    deck.store.create_many([f"class-{i:02d}" for i in range(1, 41)])
    page = visitor.open(f"{deck.url}/print?prefix=class{looking}")
    content = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", content)) == 3
    left, bottom, width, height = map(float, re.search(rb"/MediaBox \[([\d. ]+)\]", content)[1].split())
    assert (left, bottom) == (0, 0)
    assert (width, height) == pytest.approx((595, 842), abs=1)  # A4 in points
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 703, "height": 1055})  # 186 mm, what the margins leave
    for other in (".top", ".told"):
        expect(page.locator(other)).to_be_hidden()
    for card in page.locator(".cards li").all():
        box = card.bounding_box()
        assert box is not None
        assert box["width"] > 300
        assert box["x"] + box["width"] <= 704
    beyond = "card => card.scrollWidth > card.clientWidth + 1 || card.scrollHeight > card.clientHeight + 1"
    assert not page.evaluate(f"[...document.querySelectorAll('.cards li')].some({beyond})")


def test_a_card_s_picture_is_its_address(deck: Deck, visitor: Visitor) -> None:
    deck.store.create("seat")
    page = visitor.open(f"{deck.url}/print?prefix=seat&look_only=1")
    (link,) = deck.gate.links.all
    address = page.locator(".cards p").inner_text().strip()
    assert address == f"{deck.url}/look/session?session=seat&look={deck.gate.links.signed(link)}"
    drawn = page.locator(".cards svg path").last.get_attribute("d")
    assert drawn in segno.make_qr(address, error="m").svg_inline(omitsize=True)
    page.reload()
    assert page.locator(".cards p").inner_text().strip() == address  # and no further link is made


def test_one_socket_tells_of_all_sessions_and_of_nothing_else(make_deck: MakeDeck) -> None:
    deck = make_deck(small_recording(6, 4000, n_trials=40), [Arena])
    for code in ("a-1", "a-2", "ab", "b"):
        deck.store.create(code)
    wall = websocket.create_connection(f"{deck.url.replace('http', 'ws')}/wall/feed?prefix=a", timeout=20)
    told = json.loads(wall.recv())
    assert set(told) == {"", "a-1", "a-2"}
    assert told[""]["texts"]["total"] == "2 sessions, 0 playing"
    told = json.loads(wall.recv())
    assert set(told) == {""}  # nothing has changed since
    deck.store.get("a-2").replay.resume()
    while "a-2" not in told:
        told = json.loads(wall.recv())
    assert "a-1" not in told
    assert told["a-2"]["data"]["state"] == "playing"
    deck.store.delete("a-1")
    while "a-1" not in told:
        told = json.loads(wall.recv())
    assert told["a-1"] is None
    assert deck.store.get("a-2").idle < 2  # who is on the wall is used
    wall.close()


def test_a_wall_that_reads_nothing_holds_up_no_other(make_deck: MakeDeck) -> None:
    deck = make_deck(small_recording(6, 4000, n_trials=40), [Arena])
    for session in deck.store.create_many([f"x-{i}" for i in range(20)]):
        session.replay.resume()
    address = f"{deck.url.replace('http', 'ws')}/wall/feed"
    deaf, other = (websocket.create_connection(address, timeout=20) for _ in range(2))
    for _ in range(20):
        assert len(json.loads(other.recv())) > 1
    deaf.close()
    other.send("anything")
    wait_until(lambda: other.recv_data()[0] == websocket.ABNF.OPCODE_CLOSE)
    other.shutdown()


@pytest.mark.parametrize(
    ("prefix", "found"),
    [
        ("", ["class-01", "class2-01", "classroom"]),
        ("class", ["class-01"]),
        ("class-", ["class-01"]),
        ("class-0", []),
        ("class2", ["class2-01"]),
        ("classroom", ["classroom"]),
        ("nobody", []),
    ],
)
def test_a_prefix_ends_with_a_word(prefix: str, found: list[str]) -> None:
    assert chosen(["classroom", "class2-01", "class-01"], prefix) == found


def test_the_wall_of_those_who_only_look_has_no_control(deck: Deck, browser: Browser) -> None:
    deck.store.create("one")
    with browser.new_context() as context:
        page = Visitor(context, deck.url).open(f"{deck.url}/look/wall")
        expect(page.locator("#wall a")).to_have_attribute("href", "/look/session?session=one")
        assert page.locator(".widgets, #panel, input, select").count() == 0
