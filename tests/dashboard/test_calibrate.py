"""The Calibrate page in a real browser: order a run, follow it, read its result."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from dashboard import theme
from plotters.arena import Arena
from sessions.calibrations import Calibrations
from sessions.studio import Studio
from tests.dashboard.conftest import Deck, Visitor, keep_screenshot
from tests.sessions.test_calibrations import children, tuned_recording

WITHIN = 60_000
"""ms for processes to start and do their work, on a busy machine."""


class Sketches(Studio):
    """A studio without a process: a picture is as wide as was asked for, in the theme's colour."""

    def draw(self, *order: Any) -> bytes:
        *_, theme, width = order
        size = f'width="{width}" height="100"'
        rectangle = f'<rect {size} fill="{self.themes()[theme]["good"]}"/>'
        return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{rectangle}</svg>'.encode()


@pytest.fixture(scope="module")
def deck() -> Iterator[Deck]:
    calibrations = Calibrations()
    made = Deck(tuned_recording(), [Arena], studio=Sketches(bytes, theme.roles), calibrations=calibrations)
    yield made
    calibrations.close()
    made.stop()


@pytest.fixture
def page(deck: Deck, visitor: Visitor) -> Page:
    page = visitor.open(deck.url)
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Calibrate").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Calibrate")
    return page


def order(page: Page, decoder: str) -> None:
    page.get_by_label("Decoder").select_option(decoder)
    page.get_by_role("button", name="Calibrate").click()


def test_a_run_is_ordered_followed_and_shown(deck: Deck, page: Page) -> None:
    expect(page.get_by_text("No calibration yet.")).to_be_visible()
    page.get_by_text("Name trials, set hyperparameters").click()
    page.get_by_label("lags").fill("4")
    order(page, "wiener")
    expect(page.get_by_text("No calibration yet.")).to_be_hidden()
    expect(page.locator("#run")).to_have_attribute("data-state", "done", timeout=WITHIN)
    (run,) = deck.api("GET", "/api/calibrations")["calibrations"]
    assert run["settings"]["lags"] == 4
    expect(page.locator("#split")).to_contain_text("45 trials")
    for level in run["table"]:
        cells = page.locator(f"[data-level={level['level']}] td").all_inner_texts()
        assert cells[:2] == [f"{level[f'r2_{what}']['mean']:.3f}" for what in ("velocity", "position")]
    figure = page.get_by_role("img", name="R² at each level")
    expect(figure).to_be_visible(timeout=WITHIN)
    keep_screenshot(page, "calibrate-dark")
    dark = figure.get_attribute("src") or ""
    page.get_by_role("button", name="Switch between dark and light").click()
    expect(figure).not_to_have_attribute("src", dark)
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.wait_for_function("() => document.querySelector('#run img').naturalWidth < 390", timeout=WITHIN)
    keep_screenshot(page, "calibrate-light-390")
    with page.expect_download() as download:
        page.get_by_role("link", name="Model (npz)").click()
    assert download.value.suggested_filename == run["model_file"]
    page.goto(f"{deck.url}/calibrate?session=lab&recording={deck.store.recording.name}")
    expect(page.locator("#command")).to_contain_text("decode --session lab --model")


def test_what_is_refused_is_said_in_one_line_and_a_run_can_be_cancelled(deck: Deck, page: Page) -> None:
    trials = page.get_by_label("Learn from trials")
    page.get_by_text("Name trials, set hyperparameters").click()
    for asked, told in (("1-x", "“1-x” is no number"), ("7, 99", "Unknown trial 99.")):
        trials.fill(asked)
        order(page, "kalman")
        expect(page.locator("#order .refusal")).to_contain_text(told)
    trials.fill("")
    order(page, "kalman")
    page.wait_for_selector("#run[data-state=fitting]")
    os.kill(children()[0].pid, signal.SIGSTOP)
    expect(page.locator("#order .refusal")).to_be_empty()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#title-run")).to_have_text("Calibration 1")
    assert [run["id"] for run in deck.api("GET", "/api/calibrations")["calibrations"]] == [1]
