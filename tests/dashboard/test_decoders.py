"""Decoders on the session's page: started from a terminal and from the page, scored, stopped, recorded."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from plotters.arena import Arena
from plotters.latency import Latency
from plotters.marks import preferred
from plotters.position_error import Errors
from plotters.quality import Quality
from sessions.archive import Archive
from sessions.session import Session
from tests.builders import small_recording
from tests.dashboard.conftest import Deck, Visitor, keep_screenshot, refusal
from tests.engine.listening import wait_until

SERVE = Path(__file__).parents[2] / "serve.py"
PATIENCE = 60_000
EMPTY = re.compile("^(No answers yet|No decoder has answered yet. Start one here, or connect your own.)$")
COLUMN = """([plot, source, column]) => {
  const model = Bokeh.index.roots.map(({ model }) => model).find(({ name }) => name === plot);
  const { data } = model.document.get_model_by_name(`${plot}/${source}`);
  return [...(data instanceof Map ? data.get(column) : data[column])];
}"""
PACKET = "Number(document.querySelector('[data-value=packet]').textContent.replace(/\\D/g, ''))"
IS_BELOW = """() => {
  const [notice, button] = ["notice", "emergency"].map((id) => document.getElementById(id));
  return notice.getBoundingClientRect().top >= button.getBoundingClientRect().bottom;
}"""
KNOWN = f"(which) => ({COLUMN})(which).some(Number.isFinite)"


@pytest.fixture(scope="module")
def deck() -> Iterator[Deck]:
    with tempfile.TemporaryDirectory() as folder:
        archive = Archive(Path(folder))
        plotters = [Arena, Quality, Errors, Latency]
        made = Deck(small_recording(6, 4000, n_trials=40), plotters, archive=archive)
        yield made
        made.stop()
        archive.close()


@pytest.fixture
def session(deck: Deck, request: pytest.FixtureRequest) -> Session:
    return deck.store.create(request.node.name[:64])


@pytest.fixture
def page(deck: Deck, visitor: Visitor, session: Session) -> Page:
    return visitor.watch(deck, session.code)


def first_row(page: Page, period: str = "window") -> Locator:
    return page.locator(f"[data-rows=scores-{period}] tr").first


def test_without_decoders_plots_and_table_say_how_to_get_one(page: Page) -> None:
    expect(page.get_by_text(EMPTY)).to_have_count(4)
    for text in page.get_by_text(EMPTY).all():
        expect(text).to_be_visible()


def test_a_decoder_started_as_the_readme_says_shows_with_its_scores(
    deck: Deck, page: Page, session: Session
) -> None:
    url = f"ws://127.0.0.1:{deck.port}"
    command = [sys.executable, str(SERVE), "decode", "--session", session.code, "--decoder", "kalman"]
    mark = preferred("kalman")[0]
    began = time.monotonic()
    with subprocess.Popen([*command, "--url", url], stdout=subprocess.DEVNULL) as process:
        try:
            page.wait_for_function(KNOWN, arg=["arena", f"cursor {mark + 1}", "x"])
            expect(first_row(page)).to_contain_text("kalman", timeout=PATIENCE)
            took = time.monotonic() - began
            expect(page.get_by_text(EMPTY).first).to_be_hidden()
            for plot, source, column in (
                ("quality", f"trace {mark}", "position"),
                ("errors", f"bars {mark}", "share"),
                ("latency", "screen", "right"),
            ):
                page.wait_for_function(KNOWN, arg=[plot, source, column])
            keep_screenshot(page, "live-decoder")
        finally:
            process.terminate()
    assert took < 30  # 8 s where little else runs
    assert page.evaluate(COLUMN, ["arena", f"cursor {mark + 1}", "who"]) == ["kalman"]


def test_the_table_ranks_decoders_over_the_period_that_is_chosen(page: Page, session: Session) -> None:
    session.replay.set_speed(4.0)
    session.replay.resume()
    # A second trial, so that truth varies in x and y: R2 is the mean over the axes that do.
    page.wait_for_function(f"() => {PACKET} > 150")
    session.replay.pause()
    page.wait_for_selector("body[data-state=paused]")
    nan = float("nan")
    for row in session.ring.snapshot():
        x, y, vx, vy = row["kinematics"].tolist()
        number, due = int(row["sequence_number"]), float(row["due"])
        session.predictions.receive("off", number, (x + 50, y + 50, nan, nan), due + 0.004)
        session.predictions.receive("exact", number, (x, y, vx, vy), due + 0.002)
    for column, text in enumerate(("1", "exact", "1.00", "1.00", "0.0")):
        expect(first_row(page).locator("td").nth(column)).to_have_text(text, timeout=PATIENCE)
    for label, period in (("Trial", "trial"), ("Since start", "total"), ("10 s", "window")):
        page.locator("#scores").get_by_role("radio", name=label).check()
        for each in ("window", "trial", "total"):
            expect(page.locator(f"[data-rows=scores-{each}]")).to_be_visible(visible=each == period)
    expect(page.locator("[data-rows=scores-total] tr")).to_have_count(2)


def test_a_decoder_is_started_and_stopped_from_the_keyboard(page: Page, session: Session) -> None:
    panel = page.locator("#decoders")
    panel.get_by_role("combobox", name="Decoder").select_option("passthrough")
    panel.get_by_role("button", name="Start").press("Enter")
    expect(panel.get_by_role("progressbar")).to_be_visible()
    expect(panel.locator(".decoder.running")).to_have_count(1, timeout=PATIENCE)
    expect(panel.locator(".line")).to_contain_text("Decoding session")
    expect(first_row(page)).to_contain_text("passthrough", timeout=PATIENCE)
    panel.get_by_role("button", name="Start").press("Enter")
    expect(refusal(page)).to_contain_text("passthrough runs already")
    panel.get_by_role("button", name="Stop passthrough").press("Enter")
    expect(panel.locator(".decoder")).to_have_count(0)
    assert session.launched.decoders == {}


def test_the_emergency_stop_works_while_somebody_types_and_is_released_by_its_button(
    page: Page, session: Session
) -> None:
    page.get_by_label("Go to trial").click()
    page.keyboard.press("F8")
    wait_until(lambda: session.safety.stopped)
    button = page.locator("#emergency")
    expect(button).to_have_text("Release cursors F8")
    expect(page.locator("#notice")).to_contain_text("Emergency stop")
    assert page.evaluate(IS_BELOW)
    page.keyboard.press("F8")
    expect(button).to_contain_text("Release cursors")
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(button).to_be_in_viewport()
    button.click()
    expect(button).to_contain_text("Emergency stop")
    expect(page.locator("#notice")).to_be_hidden()
    assert not session.safety.stopped


def test_a_stop_by_somebody_else_shows(page: Page, session: Session) -> None:
    session.safety.stop()
    session.wake()
    expect(page.locator("#emergency")).to_contain_text("Release cursors")


def test_a_record_is_made_and_can_be_taken_home(page: Page, session: Session) -> None:
    panel = page.locator("#record")
    session.replay.resume()
    page.keyboard.press("r")
    expect(panel.locator("output")).to_contain_text("Recording · 0:0")
    panel.get_by_role("button", name="Stop recording").click()
    session.replay.pause()  # the record is finished when nothing else wants the processor
    links = panel.get_by_role("link")
    expect(links).to_have_text(
        ["NWB", "npz", "CSV, bins", "CSV, predictions", "CSV, events"], timeout=PATIENCE
    )
    with page.expect_download() as download:
        links.nth(1).click()
    with np.load(download.value.path()) as record:
        assert len(record.files) > 3


def test_drift_is_told_and_a_new_reference_can_be_taken(page: Page, session: Session) -> None:
    panel = page.locator("#drift")
    expect(panel.locator("strong")).to_contain_text("reference, 0 of 60 s")
    panel.get_by_role("button", name="Set reference").click()
    wait_until(lambda: "drift reference" in [note.text for note in session.replay.notes])
    expect(panel.get_by_role("link", name="Recalibrate")).to_have_attribute(
        "href", f"/calibrate?session={session.code}&recording={session.recording.name}"
    )
