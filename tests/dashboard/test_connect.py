"""Addresses, programs that are ready to run, pictures and the report."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from dashboard import theme
from dashboard.live.snippets import Reach, snippets
from engine.moment import Moment
from plotters.arena import Arena
from sessions.session import Session
from sessions.studio import Studio
from tests.builders import small_recording
from tests.dashboard.conftest import Deck, Visitor, refusal


def draw(moment: Moment, plots: Sequence[str], kind: str, colours: Any, width: int) -> bytes:
    """What was asked for, as text; 13 s are too much for the process."""
    if moment.seconds == 13:
        os._exit(1)
    asked = (kind, moment.session, *plots, f"{moment.seconds:g} s", colours["page"])
    return f"<svg>{' '.join(asked)}</svg>".encode()


@pytest.fixture(scope="module")
def deck() -> Iterator[Deck]:
    studio = Studio(draw, theme.roles, starting=60.0)
    studio.warm()
    made = Deck(small_recording(6, 4000, n_trials=40, gaps=True), [Arena], studio=studio)
    yield made
    studio.close()
    made.stop()


@pytest.fixture
def session(deck: Deck, request: pytest.FixtureRequest) -> Session:
    return deck.store.create(request.node.name.partition("[")[0][:64])


@pytest.fixture
def page(deck: Deck, visitor: Visitor, session: Session) -> Page:
    return visitor.watch(deck, session.code, "pictures")


def test_addresses_and_programs_are_copied(deck: Deck, visitor: Visitor, session: Session) -> None:
    visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = visitor.watch(deck, session.code, "pictures")
    page.get_by_text("Addresses", exact=True).click()
    button = page.get_by_role("button", name="Copy the address for WebSocket, JSON")
    button.click()
    expect(button).to_have_text("Copied")
    address = f"ws://127.0.0.1:{deck.port}/stream/{session.code}"
    assert page.evaluate("navigator.clipboard.readText()") == address
    button = page.get_by_role("button", name="Copy the Python program")
    button.click()
    expect(button).to_have_text("Copied")
    assert f'create_connection("{address}")' in page.evaluate("navigator.clipboard.readText()")


def test_one_language_is_open_at_a_time_by_mouse_and_keyboard(page: Page) -> None:
    opened = page.locator(".snippets details[open]")
    expect(opened).to_contain_text("create_connection")
    page.get_by_text("JavaScript", exact=True).click()
    expect(opened).to_have_count(1)
    expect(opened).to_contain_text("new WebSocket")
    page.keyboard.press("Tab")  # to the button that copies
    page.get_by_text("LSL", exact=True).press("Enter")
    expect(opened).to_have_count(1)
    expect(opened).to_contain_text("This session has no LSL streams")


def test_the_python_program_is_copied_from_the_side_and_scored_within_10_s(
    deck: Deck, visitor: Visitor, session: Session
) -> None:
    visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = visitor.open(deck.live(session.code))
    page.wait_for_selector("body[data-connection=open]")
    expect(page.locator("aside [data-card]").first).to_have_id("connect")
    button = page.get_by_role("button", name="Copy the Python program")
    button.click()
    expect(button).to_have_text("Copied")
    program = page.evaluate("navigator.clipboard.readText()")
    assert program == page.locator("#code-python").inner_text().strip()
    command = [sys.executable, "-u", "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        try:
            scored = page.locator("[data-rows=scores-window] tr").first
            expect(scored).to_be_visible(timeout=10_000)
            assert running.stdout.readline() == "small 6 units\n"
            assert running.stdout.readline().startswith("0 ")
            assert page.locator("[data-rows=listeners] tr").count() <= 1
            expect(page.locator("[data-rows=listeners] td").nth(2)).to_contain_text("json")
        finally:
            running.kill()
    expect(page.get_by_text("No decoder is connected.")).to_be_visible()
    assert session.decoders == 0


def test_the_javascript_program_runs(page: Page) -> None:
    program = page.locator("#code-javascript").text_content()
    with page.expect_console_message(lambda message: message.text.startswith("0 ")):
        page.evaluate(f"{program}\n0")


def test_the_matlab_program_needs_no_lsl_and_names_the_session() -> None:
    for stream in (None, "Rig3-Neural-one"):
        programs = {each.key: each.text for each in snippets(Reach("ws://here:80/deck", "one", stream))}
        assert "'http://here:80/deck/api/sessions/one/bins?" in programs["matlab"]
        assert "'http://here:80/deck/api/sessions/one/predictions?" in programs["matlab"]
        assert "redis" not in programs


@pytest.mark.parametrize("kind", ["PNG", "SVG", "PDF"])
def test_pictures_are_downloaded(page: Page, session: Session, kind: str) -> None:
    panel = page.locator("#pictures")
    panel.get_by_label("Format").select_option(kind)
    panel.get_by_label("Of", exact=True).select_option("Arena")
    panel.get_by_label("Last seconds").fill("5")
    panel.get_by_label("Last seconds").press("Enter")
    panel.get_by_label("Ground").select_option("dark")
    with page.expect_download() as download:
        panel.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == f"{session.code}-arena.{kind.lower()}"
    drawn = download.value.path().read_text()
    assert drawn == f"<svg>{kind.lower()} {session.code} arena 5 s {theme.COLOURS['dark']['page']}</svg>"
    expect(panel.get_by_text("Drawing …")).to_be_hidden()
    href = f"/api/sessions/{session.code}/snapshot.{kind.lower()}?seconds=5&theme=dark&plots=arena"
    expect(panel.get_by_role("link", name="Open")).to_have_attribute("href", href)


def test_the_report_is_downloaded(page: Page, session: Session) -> None:
    with page.expect_download() as download:
        page.get_by_role("button", name="Report").click()
    assert download.value.suggested_filename == f"{session.code}-report.html"
    assert session.code in download.value.path().read_text()


def test_a_picture_that_cannot_be_drawn_is_said(page: Page) -> None:
    page.get_by_label("Last seconds").fill("13")
    page.get_by_label("Last seconds").press("Enter")
    page.locator("#pictures").get_by_role("button", name="Download").click()
    expect(refusal(page)).to_contain_text("The process that draws has died.")
    expect(page.get_by_text("Drawing")).to_be_hidden()
