"""The Calibrate page in a real browser: order a run, follow it, read its result."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from bokeh.models import LogAxis
from playwright.sync_api import Page, expect

from dashboard import theme
from dashboard.calibrate.curves import curve
from dashboard.calibrate.ordering import Ordering
from engine.calibration.run import prepare
from engine.calibration.split import balanced_split
from plotters.arena import Arena
from sessions.calibrations import Calibrations
from sessions.rest.models.calibrations import ChoiceAnswer
from sessions.studio import Studio
from tests.dashboard.conftest import Deck, Visitor, keep_screenshot, refusal, resize
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
    page.wait_for_selector("body[data-controls=ready]")
    return page


def more(page: Page) -> None:
    page.get_by_role("button", name="Name trials, set hyperparameters").click()
    page.get_by_label("Test on trials").wait_for()


def order(page: Page, decoder: str) -> None:
    page.get_by_label("Decoder").select_option(decoder)
    page.get_by_role("button", name="Calibrate", exact=True).click()


def test_a_run_is_ordered_followed_and_shown(deck: Deck, page: Page) -> None:
    expect(page.get_by_text("No calibration yet.")).to_be_visible()
    more(page)
    page.get_by_label("lags").fill("4")
    page.get_by_label("Trials to learn from, %").fill("50")
    page.get_by_label("Seed").fill("3")
    order(page, "wiener")
    expect(page.get_by_text("No calibration yet.")).to_be_hidden()
    page.locator("[data-run=done]").wait_for(timeout=WITHIN)
    (run,) = deck.api("GET", "/api/calibrations")["calibrations"]
    assert (run["settings"]["lags"], run["seed"], len(run["split"]["train_trials"])) == (4, 3, 30)
    expect(page.locator("#split")).to_contain_text("30 trials")
    assert [each["name"] for each in run["choices"]] == ["ridge"]
    expect(page.locator("#split")).to_contain_text(f"Chosen: ridge {run['settings']['ridge']:g}.")
    expect(page.locator("#run .bk-Figure")).to_be_visible(timeout=WITHIN)
    for level in run["table"]:
        cells = page.locator(f"tr[data-key={level['level']}] td").all_inner_texts()
        r2s = [level[f"r2_{what}"] for what in ("velocity", "position")]
        assert [each.split() for each in cells[:2]] == [
            [f"{each['mean']:.3f}", f"{each['low']:.2f}", "to", f"{each['high']:.2f}"] for each in r2s
        ]
    floor = page.get_by_role("row", name="Floor: no spikes").locator("td").first
    expect(floor).to_contain_text(f"{run['floors']['no_spikes']['r2_velocity']:.3f}")
    figure = page.get_by_role("img", name="R² at each level")
    expect(figure).to_be_visible(timeout=WITHIN)
    keep_screenshot(page, "calibrate-dark")
    dark = figure.get_attribute("src") or ""
    page.get_by_role("button", name="Switch between dark and light").click()
    expect(figure).not_to_have_attribute("src", dark, timeout=WITHIN)
    resize(page, 390)
    expect(figure).to_be_visible(timeout=WITHIN)
    page.wait_for_function(
        "(image) => image.naturalWidth && image.naturalWidth < 390",
        arg=figure.element_handle(),
        timeout=WITHIN,
    )
    resize(page, 390)
    keep_screenshot(page, "calibrate-light-390")
    with page.expect_download() as download:
        page.get_by_role("link", name="Model (npz)").click()
    assert download.value.suggested_filename == run["model_file"]


def test_the_chosen_value_is_marked_on_its_curve() -> None:
    plot = curve(ChoiceAnswer(name="ridge", value=10.0, tried=[1.0, 10.0, 1000.0], scores=[0.5, 0.7, 0.6]))
    chosen = plot.select_one({"name": "chosen"}).data_source.data
    assert (chosen["x"], chosen["y"]) == ([10.0], [0.7])
    assert isinstance(plot.xaxis[0], LogAxis)


def test_counts_can_be_those_that_are_found_in_a_session() -> None:
    ordering = Ordering(["deck"], None)
    ordering.offer(["worn"])
    ordering.counts = "worn"
    assert (ordering.asked().session, ordering.asked().recording) == ("worn", None)
    ordering.offer([])
    assert (ordering.asked().session, ordering.asked().recording) == (None, "deck")


def test_what_is_refused_is_said_in_one_line_and_a_run_can_be_cancelled(deck: Deck, page: Page) -> None:
    before = [run["id"] for run in deck.api("GET", "/api/calibrations")["calibrations"]]
    more(page)
    trials = page.get_by_label("Learn from trials")
    for asked, told in (("1-x", "“1-x” is no number"), ("7, 99", "Unknown trial 99.")):
        trials.fill(asked)
        order(page, "kalman")
        expect(refusal(page)).to_contain_text(told)
    trials.fill("")
    page.get_by_label("lag ms").fill("-1")
    order(page, "kalman")
    expect(refusal(page)).to_contain_text("lag_ms")
    page.get_by_label("lag ms").fill("50")
    order(page, "kalman")
    page.locator("[data-run=fitting]").wait_for()
    os.kill(children()[0].pid, signal.SIGSTOP)
    expect(page.get_by_text("Fitting kalman to")).to_be_visible()
    expect(refusal(page)).to_be_empty()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("[data-run=fitting]")).to_have_count(0)
    assert [run["id"] for run in deck.api("GET", "/api/calibrations")["calibrations"]] == before


def test_several_decoders_are_calibrated_on_the_same_trials_one_after_another(
    deck: Deck, page: Page
) -> None:
    before = {run["id"] for run in deck.api("GET", "/api/calibrations")["calibrations"]}
    more(page)
    page.get_by_label("Seed").fill("11")
    expect(page.get_by_text("And these, on the same trials:")).to_be_visible()
    page.get_by_label("kalman").check()
    page.get_by_label("wiener").check()
    order(page, "wiener")
    expect(page.get_by_text("To come: kalman")).to_be_visible(timeout=WITHIN)
    page.locator("[data-run=done]", has_text="kalman").wait_for(timeout=WITHIN)
    made = [run for run in deck.api("GET", "/api/calibrations")["calibrations"] if run["id"] not in before]
    assert sorted(run["decoder"] for run in made) == ["kalman", "wiener"]
    assert made[0]["split"] == made[1]["split"]
    assert deck.calibrations is not None
    outcome = deck.calibrations.outcome(made[0]["id"])
    assert [each.plan.decoder for each in outcome.others] == [made[1]["decoder"]]


def test_runs_that_others_order_are_listed_compared_and_deleted_and_the_session_stays(
    deck: Deck, visitor: Visitor
) -> None:
    session = deck.store.create("lab")
    query = f"session=lab&recording={session.description.name}"
    page = visitor.open(f"{deck.url}/calibrate?{query}")
    page.wait_for_selector("body[data-controls=ready]")
    first, second = (deck.calibrations.start(*ordered(deck)) for _ in range(2) if settled(deck))
    row = page.locator(f"#earlier tr[data-key='{first.number}']")
    page.get_by_role("button", name=f"Show calibration {first.number}").click()
    expect(page.get_by_role("heading", name=f"Calibration {first.number}")).to_be_visible()
    expect(row).to_have_attribute("data-state", "shown")
    expect(page.locator("#command")).to_contain_text("decode --session lab --model", timeout=WITHIN)
    assert second.wait(60)
    row.get_by_role("button", name=f"Delete calibration {first.number}").click()
    expect(row).to_have_count(0)
    expect(page.locator("#command")).to_contain_text("decode --session lab --model", timeout=WITHIN)
    link = page.get_by_role("link", name="lab")
    expect(link).to_have_attribute("href", "/live?session=lab")


def ordered(deck: Deck) -> Any:
    """A small run."""
    recording = deck.store.recording
    return prepare(recording, balanced_split(recording, 0.75, 0), "wiener", {"lags": 2}, 0)


def settled(deck: Deck) -> bool:
    """Wait for the runs that there are: there is one at a time."""
    return deck.calibrations is not None and all(run.wait(60) for run in deck.calibrations)
