"""With a token: a shared link opens every page, and what pages call follows by the cookie."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from dashboard import theme
from plotters.arena import Arena
from sessions.templates import RESOURCES
from tests.builders import small_recording
from tests.dashboard.conftest import Deck, Visitor

SECRET = "shared-with-the-class"


@pytest.fixture(scope="module")
def deck() -> Iterator[Deck]:
    made = Deck(small_recording(6, 4000, n_trials=40, gaps=True), [Arena], token=SECRET)
    made.store.create("one")
    yield made
    made.stop()


@pytest.fixture
def page(deck: Deck, browser: Browser) -> Iterator[Page]:
    """The live page, by a link that carries the token."""
    with browser.new_context() as context:
        page = Visitor(context, deck.url).open(f"{deck.live('one')}&token={SECRET}")
        page.wait_for_selector("body[data-connection=open][data-state]")
        yield page


def test_the_link_s_token_leaves_the_address_and_the_page_works(deck: Deck, page: Page) -> None:
    assert page.url == deck.live("one")
    assert SECRET not in page.content()
    assert page.evaluate("document.cookie") == ""
    page.get_by_role("button", name="Play").first.click()
    page.wait_for_function("() => window.deckStats?.painted >= 5")
    assert deck.gate.token is not None
    for path in ("/", "/calibrate", "/explore"):
        page.goto(f"{deck.url}{path}", timeout=60_000)
        page.wait_for_selector("body[data-controls=ready]", timeout=60_000)
        for trace in (SECRET, deck.gate.token.voucher):  # Panel puts requests' headers into its pages
            assert trace not in page.content()


def test_the_python_program_takes_the_token_from_the_environment(page: Page) -> None:
    program = page.locator("#code-python").text_content()
    command, environment = [sys.executable, "-u", "-c", program], os.environ | {"PHANTOM_TOKEN": SECRET}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as running:
        assert running.stdout is not None
        try:
            assert running.stdout.readline() == "small 6 units\n"
        finally:
            running.kill()
    assert "PHANTOM_TOKEN" in page.locator("#code-javascript").text_content()
    assert SECRET not in program


def test_who_comes_without_a_token_is_asked_for_it(deck: Deck, browser: Browser) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(deck.live("one"))
        page.get_by_label("Token").fill("wrong")
        page.get_by_role("button", name="Open").click()
        page.get_by_label("Token").fill(SECRET)
        page.get_by_role("button", name="Open").click()
        page.wait_for_selector("body[data-connection=open][data-state]")
        assert page.url == deck.live("one")


def test_the_sign_in_page_has_the_colours_of_the_theme() -> None:
    dark, light = (RESOURCES / "sign_in.html").read_text().split("@media (prefers-color-scheme: light)")
    for scheme, style in (("dark", dark), ("light", light)):
        colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]+)", style))
        assert colours
        assert colours.items() <= theme.COLOURS[scheme].items()
