"""Calibration in closed loop from the page: begun, followed to its end, and stopped."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from engine.sources.user.source import SimulatedUser
from plotters.arena import Arena
from sessions.options import Options
from tests.dashboard.conftest import Deck, Visitor, keep_screenshot, resize
from tests.engine.sources.user.closed_loop import fits_of, recording

PATIENCE = 60_000
QUICK = {"hold": 0.1, "time_limit": 2.0}


@pytest.fixture(scope="module")
def deck() -> Iterator[Deck]:
    made = Deck(recording(), [Arena], fits=fits_of(recording()))
    yield made
    made.stop()


def test_a_decoder_learns_in_blocks_and_the_page_follows(deck: Deck, visitor: Visitor) -> None:
    page = visitor.open(f"{deck.url}/calibrate")
    card = page.locator("#loop")
    expect(card.get_by_role("button", name="Make one")).to_be_visible()
    keep_screenshot(page, "calibrate-loop-none")
    replay = deck.store.create(
        "loop", Options(source="user", speed=4.0, closed_loop={"task": QUICK})
    ).replay
    card.get_by_label("What learns").select_option("wiener")
    card.get_by_label("Blocks").fill("2")
    card.get_by_label("Blocks").press("Enter")
    card.get_by_label("Targets of each").fill("2")
    card.get_by_label("Targets of each").press("Enter")
    card.get_by_role("button", name="Set its hyperparameters").click()
    card.get_by_label("lags").fill("3")
    card.get_by_label("lags").press("Enter")
    card.get_by_role("button", name="Begin").click()
    expect(card).to_contain_text(re.compile(r"Block 1 of 2, autopilot: \d of 2 targets"))
    keep_screenshot(page, "calibrate-loop-begun")
    expect(card.locator("tbody tr")).to_have_count(2, timeout=PATIENCE)
    expect(card.locator("tbody tr").nth(0)).to_have_text(re.compile(r"autopilot\s*2\s*100%\s*\d\.\d\d s"))
    expect(card.locator("tbody tr").nth(1)).to_contain_text("wiener-1")
    expect(card.get_by_role("progressbar")).to_have_count(0)
    source = replay.source
    assert isinstance(source, SimulatedUser)
    assert source.driver == "wiener-1"
    guided = deck.store.get("loop").guided
    assert guided is not None
    assert guided.order.settings == {"lags": 3}
    for width in (1440, 820, 390):
        resize(page, width)
        keep_screenshot(page, f"calibrate-loop-done-{width}")
    page.get_by_role("button", name="Switch between dark and light").click()
    keep_screenshot(page, "calibrate-loop-light")
    replay.pause()
    card.get_by_role("button", name="Begin").click()
    card.get_by_role("button", name="Stop calibrating").click()
    expect(card).to_contain_text("It was stopped")
    deck.store.delete("loop", force=True)
    card.get_by_role("button", name="Make one").click()
    expect(card.get_by_role("button", name="Begin")).to_be_visible()
