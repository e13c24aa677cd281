"""The Explore page in a real browser, against numbers computed from the recording."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from dashboard import theme
from dashboard.explore.composed import composed
from engine.analysis import aligned_counts, mean_rates, psth, tuning
from engine.bins.trials import TrialEvent
from engine.sources.recordings.recording import Recording
from tests.builders import TARGETS, small_recording
from tests.dashboard.conftest import Deck, Visitor, keep_screenshot

RECORDING = small_recording(6, 4000, n_trials=40, gaps=True)
BY_TARGET = [np.arange(target, 40, 3) for target in range(3)]
"""Rows of the trials that aim at each of `TARGETS`, which lie right, up and left."""

COLUMN = """([source, column]) => {
  const data = Bokeh.index.roots[0].model.document.get_model_by_name(source).data;
  const values = [...(data instanceof Map ? data.get(column) : data[column])];
  return values.map((value) => (value?.shape || value?.length ? [...value] : value));
}"""
PROPERTY = """([name, property]) => Bokeh.index.roots[0].model.document.get_model_by_name(name)[property]"""
PIXEL = """([name, x, y]) => {
  const view = Bokeh.index.roots.find((root) => root.model.name === name);
  const { left, top } = document.querySelector(`[data-plot="${name}"]`).getBoundingClientRect();
  const { frame } = view;
  return [left + frame.x_scale.compute(x), top + frame.y_scale.compute(y)];
}"""


@pytest.fixture(scope="module", autouse=True)
def figures() -> None:
    """Let no page wait for the process that composes the figures, however busy the machine."""
    composed()


def explore(visitor: Visitor, deck: Deck, query: str = "") -> Page:
    """Open the page and wait until it shows something."""
    page = visitor.open(f"{deck.url}/explore{query}")
    page.wait_for_selector("body[data-connection=open]")
    return page


def answered(page: Page) -> None:
    """Wait until the server has answered the page's last wish."""
    page.wait_for_selector("body:not([data-busy])")


def shown(page: Page, source: str, column: str) -> list[Any]:
    found: list[Any] = page.evaluate(COLUMN, [source, column])
    return found


def at(page: Page, plot: str, x: float, y: float) -> tuple[float, float]:
    """Where a plot's point is on the screen."""
    page.locator(f"[data-plot={plot}]").scroll_into_view_if_needed()
    px, py = page.evaluate(PIXEL, [plot, x, y])
    return px, py


def click(page: Page, plot: str, x: float, y: float) -> None:
    page.mouse.click(*at(page, plot, x, y))
    answered(page)


def assert_shows(
    page: Page,
    groups: list[Any],
    unit: int = 0,
    event: TrialEvent = "move_onset",
    window: tuple[float, float] = (0.5, 1.2),
    step: int = 1,
    sd: float = 0.05,
) -> None:
    """The raster and the PSTH are those of some trials, by group."""
    aligned = aligned_counts(RECORDING, event, *window, units=[unit], bins_per_step=step)
    places = [np.flatnonzero(np.isin(aligned.trials, rows)) for rows in groups]
    image = aligned.counts[np.concatenate(places), :, 0]
    found = np.array(shown(page, "raster/spikes", "image")[0], np.float32)
    np.testing.assert_array_equal(found.reshape(image.shape), image)
    means = shown(page, "psth/mean", "ys")
    drawn = [place for place in places if len(place)]
    assert len(means) == len(drawn)
    for mean, place in zip(means, drawn, strict=True):
        expected = psth(aligned.counts[place, :, 0], aligned.width, sd)
        np.testing.assert_allclose(
            np.array(mean, float),
            np.where(expected.n >= min(2, len(place)), expected.mean, np.nan),
            rtol=1e-6,
        )
    np.testing.assert_allclose(shown(page, "psth/mean", "xs")[0], aligned.centres, rtol=1e-6)


def test_the_page_opens_with_all_trials_by_target(deck: Deck, visitor: Visitor) -> None:
    page = explore(visitor, deck)
    expect(page.get_by_role("heading", level=1)).to_have_text("Explore small")
    expect(page.locator("[data-count]")).to_have_text("All 40 trials")
    assert_shows(page, BY_TARGET)
    counts = page.locator("#legend small").all_inner_texts()
    assert counts == ["14", "13", "13"]
    assert page.locator("#legend span").all_inner_texts() == [
        "→ 100, 0",
        "↑ 0, 100",
        "← \N{MINUS SIGN}100, 0",
    ]
    assert sorted(
        zip(shown(page, "paths/targets", "x"), shown(page, "paths/targets", "y"), strict=True)
    ) == sorted(TARGETS)
    keep_screenshot(page, "explore-dark")


def test_paths_are_the_trials_positions(deck: Deck, visitor: Visitor) -> None:
    page = explore(visitor, deck)
    xs = shown(page, "paths/chosen", "xs")
    for group, rows in enumerate(BY_TARGET):
        inside = np.isin(RECORDING.bins["trial"], rows)
        drawn = np.array(xs[group], float)
        np.testing.assert_allclose(drawn[np.isfinite(drawn)], RECORDING.kinematics[inside, 0])
        assert np.count_nonzero(np.isnan(drawn)) == len(rows)


def test_every_control_has_a_label_and_changes_the_plots(deck: Deck, visitor: Visitor) -> None:
    page = explore(visitor, deck)
    page.get_by_label("Unit").select_option("3")
    answered(page)
    assert_shows(page, BY_TARGET, unit=3)
    page.get_by_label("Align to").select_option("Go cue")
    answered(page)
    assert_shows(page, BY_TARGET, unit=3, event="go_cue")
    assert page.evaluate(PROPERTY, ["raster/time", "axis_label"]) == "Time from go cue (s)"
    for label, value in (("Before (s)", "0.2"), ("After (s)", "0.8")):
        page.get_by_label(label).fill(value)
        page.keyboard.press("Tab")
        answered(page)
    page.get_by_label("Bin width").select_option("50 ms")
    answered(page)
    page.get_by_label("Smoothing, sd").select_option("none")
    answered(page)
    assert_shows(page, BY_TARGET, 3, "go_cue", (0.2, 0.8), step=2, sd=0.0)
    page.get_by_label("Split by").select_option("heldout")
    answered(page)
    assert page.locator("#legend span").all_inner_texts() == ["no"]
    assert_shows(page, [np.arange(40)], 3, "go_cue", (0.2, 0.8), step=2, sd=0.0)
    for control in page.locator("select:visible, input:visible, button:visible").all():
        assert control.evaluate("e => !!(e.labels?.length || e.ariaLabel || e.textContent.trim())")


def test_the_keyboard_alone_is_enough(deck: Deck, visitor: Visitor) -> None:
    page = explore(visitor, deck)
    page.get_by_label("Unit").focus()
    page.keyboard.press("ArrowDown")
    answered(page)
    assert_shows(page, BY_TARGET, unit=1)
    page.locator("#legend button").nth(1).focus()
    page.keyboard.press("Space")
    answered(page)
    assert_shows(page, [BY_TARGET[1]], unit=1)
    page.get_by_label("Trials, such as").fill("4-7, 30")
    page.keyboard.press("Enter")
    answered(page)
    expect(page.locator("[data-count]")).to_have_text("5 of 40 trials")
    assert_shows(page, [np.intersect1d(rows, [4, 5, 6, 7, 30]) for rows in BY_TARGET], unit=1)


def test_groups_of_the_legend_are_chosen_and_dropped(deck: Deck, visitor: Visitor) -> None:
    page = explore(visitor, deck)
    right, up, _ = page.locator("#legend button").all()
    right.click()
    answered(page)
    expect(right).to_have_attribute("aria-pressed", "true")
    expect(page.locator("[data-count]")).to_have_text("14 of 40 trials")
    assert_shows(page, [BY_TARGET[0]])
    up.click()
    answered(page)
    assert_shows(page, BY_TARGET[:2])
    right.click()
    answered(page)
    assert_shows(page, [[], BY_TARGET[1]])
    inside = np.isin(RECORDING.bins["trial"], np.concatenate([BY_TARGET[0], BY_TARGET[2]]))
    grey = np.array(shown(page, "paths/others", "xs")[0], float)
    assert np.count_nonzero(np.isfinite(grey)) == np.count_nonzero(inside)
    page.get_by_role("button", name="All trials").click()
    answered(page)
    assert_shows(page, BY_TARGET)


def test_a_box_over_paths_chooses_the_trials_that_go_through_it(deck: Deck, visitor: Visitor) -> None:
    page = explore(visitor, deck)
    start, end = at(page, "paths", 40.0, 15.0), at(page, "paths", 70.0, -15.0)
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=5)
    page.mouse.up()
    expect(page.locator("[data-count]")).to_have_text("14 of 40 trials")
    assert_shows(page, [BY_TARGET[0]])
    keep_screenshot(page, "explore-box")


def test_a_tap_chooses_a_path_and_one_beside_them_all(deck: Deck, visitor: Visitor) -> None:
    page = explore(visitor, deck)
    click(page, "paths", 0.0, 60.0)
    expect(page.locator("[data-count]")).to_have_text("1 of 40 trials")
    (trial,) = [int(page.get_by_label("Trials, such as").input_value())]
    assert trial in BY_TARGET[1]
    click(page, "paths", 70.0, 70.0)
    expect(page.locator("[data-count]")).to_have_text("All 40 trials")


def test_a_tap_on_the_raster_chooses_its_trial(deck: Deck, visitor: Visitor) -> None:
    page = explore(visitor, deck)
    click(page, "raster", 0.2, 16.5)  # 14 to the right, then upwards without trial 2's neighbours
    order = [row for rows in BY_TARGET for row in rows if row != 2]  # trial 2 has no movement onset
    assert page.get_by_label("Trials, such as").input_value() == str(order[16])
    line = np.array(shown(page, "paths/chosen", "ys")[order[16] % 3], float)
    assert np.count_nonzero(np.isfinite(line)) == 80


def test_tuning_is_that_of_the_unit(deck: Deck, visitor: Visitor) -> None:
    page = explore(visitor, deck)
    fit = tuning(RECORDING)
    page.get_by_label("Unit").select_option("2")
    answered(page)
    means = [fit.rates[rows, 2].mean() for rows in BY_TARGET]
    np.testing.assert_allclose(shown(page, "tuning/means", "rate"), means)
    np.testing.assert_allclose(np.abs(shown(page, "tuning/means", "direction")), [0, 90, 180], atol=1e-4)
    grid = np.radians(shown(page, "tuning/fit", "direction"))
    np.testing.assert_allclose(shown(page, "tuning/fit", "rate"), fit.predict(2, grid))
    expect(page.locator("[data-caption=tuning]")).to_contain_text(f"R² {fit.r2[2]:.2f}")


def test_rates_are_those_of_observed_time(deck: Deck, visitor: Visitor) -> None:
    page = explore(visitor, deck)
    rates = mean_rates(RECORDING)
    assert sum(shown(page, "rates/units", "top")) == 6
    assert page.evaluate(PROPERTY, ["rates/unit", "location"]) == pytest.approx(rates[0])
    expect(page.locator("[data-caption=rates]")).to_contain_text(f"{rates[0]:.1f} Hz")


def test_trials_that_cannot_be_read_are_told_and_change_nothing(deck: Deck, visitor: Visitor) -> None:
    page = explore(visitor, deck)
    for text, says in (
        ("3000", "Unknown trial 3000"),
        ("first", "Cannot read 'first'"),
        ("90-99", "No trial"),
    ):
        page.get_by_label("Trials, such as").fill(text)
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_contain_text(says)
        answered(page)
        assert_shows(page, BY_TARGET)
    page.get_by_label("Trials, such as").fill("")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_be_hidden()


def stripped(**changes: float) -> Recording:
    """Without something in every trial."""
    trials = tuple(dataclasses.replace(trial, **changes) for trial in RECORDING.trials)  # type: ignore[arg-type]
    return dataclasses.replace(RECORDING, trials=trials)


def test_an_event_that_no_trial_has_is_told_in_place(deck: Deck, visitor: Visitor) -> None:
    deck.store.recordings = {"small": stripped(go_cue_time=np.nan)}
    page = explore(visitor, deck)
    page.get_by_label("Align to").select_option("go_cue")
    answered(page)
    expect(page.locator("[data-message=raster]")).to_have_text(
        "No trial has a time for: go cue. Align to another event."
    )
    expect(page.locator("[data-plot=psth]")).to_be_hidden()
    page.get_by_label("Align to").select_option("target_on")
    answered(page)
    expect(page.locator("[data-plot=psth]")).to_be_visible()
    assert_shows(page, BY_TARGET, event="target_on")


def test_a_recording_without_trials_still_has_rates(deck: Deck, visitor: Visitor) -> None:
    bins = RECORDING.bins.copy()
    bins["trial"] = -1
    deck.store.recordings = {"small": dataclasses.replace(RECORDING, bins=bins, trials=())}
    page = explore(visitor, deck)
    for card, says in (
        ("paths", "no trials"),
        ("raster", "no trials"),
        ("psth", "no trials"),
        ("tuning", "no tuning"),
        ("preferred", "No unit is tuned"),
    ):
        expect(page.locator(f"[data-message={card}]")).to_contain_text(says)
    assert sum(shown(page, "rates/units", "top")) == 6


def test_a_recording_without_kinematics_still_has_rasters(deck: Deck, visitor: Visitor) -> None:
    bins = RECORDING.bins.copy()
    bins["kinematics"] = np.nan
    deck.store.recordings = {"small": dataclasses.replace(RECORDING, bins=bins)}
    page = explore(visitor, deck)
    expect(page.locator("[data-message=paths]")).to_contain_text("no positions")
    assert_shows(page, BY_TARGET)


def test_what_is_doubtful_is_told(deck: Deck, visitor: Visitor) -> None:
    warnings = ("The spike times <b>end</b> late.", "20 trials have no stop.")
    deck.store.recordings = {"small": dataclasses.replace(RECORDING, warnings=warnings)}
    page = explore(visitor, deck)

    expect(page.locator(".warnings li")).to_have_text(list(warnings))


def test_another_recording_is_another_page(deck: Deck, visitor: Visitor) -> None:
    other = small_recording(3, 400, n_trials=8, name="other")
    deck.store.recordings = {"small": RECORDING, "other": other}
    page = explore(visitor, deck)
    page.get_by_label("Recording").select_option("other")
    expect(page.get_by_role("heading", level=1)).to_have_text("Explore other")
    page.wait_for_selector("body[data-connection=open]")
    expect(page.locator("[data-count]")).to_have_text("All 8 trials")


def test_an_unknown_recording_is_told(deck: Deck, visitor: Visitor) -> None:
    page = visitor.open(f"{deck.url}/explore?recording=<b>none</b>")
    expect(page.get_by_text("Unknown recording '<b>none</b>'")).to_be_visible()
    page.get_by_role("link", name="Explore small").click()
    page.wait_for_selector("body[data-connection=open]")


def test_the_theme_is_remembered_and_reaches_the_plots(deck: Deck, visitor: Visitor) -> None:
    page = explore(visitor, deck)
    for name in ("dark", "light"):
        assert page.evaluate("() => localStorage.getItem('phantomdeck-theme')") == (
            None if name == "dark" else name
        )
        palette = page.evaluate(PROPERTY, ["psth/mean/colours", "palette"])
        assert palette == list(theme.GROUP_COLOURS[name])
        page.get_by_role("button", name="Switch between dark and light").click()
    page.get_by_role("button", name="Switch between dark and light").click()
    again = explore(visitor, deck)
    assert again.evaluate(PROPERTY, ["psth/mean/colours", "palette"]) == list(theme.GROUP_COLOURS["light"])
    keep_screenshot(again, "explore-light")


def test_a_phone_needs_no_sideways_scroll(deck: Deck, visitor: Visitor) -> None:
    page = explore(visitor, deck)
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("() => document.documentElement.scrollWidth") == 390
    keep_screenshot(page, "explore-phone")


def test_home_and_explore_lead_to_each_other(deck: Deck, visitor: Visitor) -> None:
    page = visitor.open(deck.url)
    pages = page.get_by_role("navigation", name="Pages")
    pages.get_by_role("link", name="Explore", exact=True).click()
    page.wait_for_selector("body[data-connection=open]")
    pages.get_by_role("link", name="Home", exact=True).click()
    expect(page.get_by_role("heading", name="Sessions")).to_be_visible()


def test_a_lost_server_is_told_and_the_plots_stay(deck: Deck, visitor: Visitor) -> None:
    page = explore(visitor, deck)
    deck.stop()
    expect(page.get_by_role("status")).to_contain_text("Lost the server")
    assert_shows(page, BY_TARGET)
    deck.start(RECORDING)
    page.get_by_role("button", name="Load again").click()
    page.wait_for_selector("body[data-connection=open]")
    expect(page.get_by_role("status")).to_be_hidden()
