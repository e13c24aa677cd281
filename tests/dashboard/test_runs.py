"""The page of runs in a real browser: found, annotated, compared, exported and forgotten."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from plotters.arena import Arena
from sessions.runs import Runs
from tests.builders import small_recording
from tests.dashboard.conftest import Deck, Visitor, keep_screenshot, refusal, resize
from tests.sessions.keeping import runs_kept
from tests.sessions.predicting import answer

DAY = 86_400.0


@pytest.fixture
def deck(tmp_path: Path) -> Iterator[Deck]:
    runs = Runs(tmp_path / "runs.sqlite")
    made = Deck(small_recording(6, 4000, n_trials=40, gaps=True), [Arena], runs=runs)
    yield made
    made.stop()


def kept(tmp_path: Path, n: int = 120) -> None:
    """Runs of two decoders over days, the newest last."""
    began = time.time() - n * DAY / 6
    decoders = [("kalman", "wiener")[i % 2] for i in range(n)]
    runs_kept(
        tmp_path / "runs.sqlite",
        [(each, began + i * DAY / 6, 0.5 + i / 1000) for i, each in enumerate(decoders)],
    )


def opened(visitor: Visitor, deck: Deck) -> Page:
    page = visitor.open(f"{deck.url}/runs")
    page.wait_for_selector("body[data-controls=ready]")
    return page


def first(page: Page) -> Locator:
    """Of the table."""
    return page.get_by_role("region", name="Runs").locator("tr[data-key]").first


def test_a_session_is_scored_and_its_run_found_annotated_and_deleted(deck: Deck, visitor: Visitor) -> None:
    page = opened(visitor, deck)
    expect(page.get_by_text("No run yet.")).to_be_visible()
    session = deck.store.create("lab")
    answer(session, 60, "mine")
    live = visitor.watch(deck, "lab")
    live.get_by_role("button", name="Keep this run").click()
    expect(live.get_by_text("Kept 1 run")).to_be_visible()
    expect(first(page)).to_contain_text("mine")
    page.get_by_role("button", name="Edit notes and tags of run 1").click()
    page.get_by_label("Tags, such as").fill("baseline, <b>mon</b>")
    page.get_by_label("Notes", exact=True).fill("after lunch")
    page.get_by_role("button", name="Save").click()
    expect(first(page)).to_contain_text("baseline <b>mon</b> after lunch")
    expect(page.get_by_label("Notes", exact=True)).to_have_count(0)
    page.get_by_label("Tag", exact=True).select_option("baseline")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert "after lunch" in download.value.path().read_text()
    page.get_by_role("button", name="Delete run 1").click()
    first(page).get_by_role("button", name="Keep it").click()
    page.get_by_role("button", name="Delete run 1").click()
    first(page).get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("No run yet.")).to_be_visible()
    assert deck.runs is not None
    assert deck.runs.kept() == []


def test_nothing_to_keep_is_said(deck: Deck, visitor: Visitor) -> None:
    deck.store.create("lab")
    page = visitor.watch(deck, "lab")
    page.get_by_role("button", name="Keep this run").click()
    expect(refusal(page)).to_contain_text("No decoder was scored on 40 packets yet.")


def test_runs_are_sorted_filtered_and_turned_over(deck: Deck, visitor: Visitor, tmp_path: Path) -> None:
    kept(tmp_path)
    page = opened(visitor, deck)
    count = page.get_by_text(" of 120")
    expect(count).to_have_text("1 to 50 of 120")
    expect(first(page)).to_contain_text("120")
    page.get_by_role("button", name="Next").click()
    expect(count).to_have_text("51 to 100 of 120")
    page.get_by_label("Sort by").select_option("R² position")
    expect(count).to_have_text("1 to 50 of 120")
    page.get_by_role("switch", name="Smallest first").click()
    expect(first(page)).to_contain_text("0.500")
    page.get_by_label("Decoder", exact=True).select_option("wiener")
    expect(page.get_by_text("1 to 50 of 60")).to_be_visible()
    expect(first(page)).to_contain_text("0.501")


def test_two_runs_stand_side_by_side_and_a_score_over_days(
    deck: Deck, visitor: Visitor, tmp_path: Path
) -> None:
    kept(tmp_path)
    page = opened(visitor, deck)
    for run in (120, 119):
        page.get_by_role("button", name=f"Compare run {run}").click()
        expect(page.locator(f"tr[data-key='{run}']")).to_have_attribute("data-state", "shown")
    beside = page.locator("#beside")
    score = beside.locator("tr[data-key=r2_position]").first.locator("td")
    expect(score).to_have_text(["0.619", "0.618", "−0.001"])
    expect(beside.locator("tr[data-state=differs] th")).to_have_text(["decoder ≠", "seed ≠"])
    beside.get_by_role("switch", name="Also settings").click()
    expect(beside.locator("tr[data-key='perturbation.noise.enabled']")).to_contain_text("off")
    page.get_by_label("Score over days").select_option("Bins scored")
    page.wait_for_function(
        """() => {
          const models = [...Bokeh.documents[0].all_models];
          const points = models.find(({ data }) => data?.get?.("marker") ?? data?.marker);
          const ends = points?.data.get?.("score") ?? points?.data.score;
          return models.some((each) => each.axis_label === "Bins scored") && ends?.length === 120;
        }"""
    )
    page.set_viewport_size({"width": 1440, "height": 900})
    keep_screenshot(page, "runs-dark")
    page.get_by_role("button", name="Switch between dark and light").click()
    keep_screenshot(page, "runs-light")
    resize(page, 390)
    keep_screenshot(page, "runs-390")
