"""The Explore page in a real browser, against numbers computed from the recording."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from engine.analysis import aligned_counts, mean_rates, psth, tuning
from engine.bins.trials import TrialEvent
from engine.sources.recordings.recording import Recording
from plotters.arena import Arena
from tests.builders import TARGETS, small_recording
from tests.dashboard.conftest import Deck, Visitor, keep_screenshot, resize


def tuned(recording: Recording) -> Recording:
    """A recording whose units 1 and 2 fire more on the way to targets 1 and 2."""
    bins = recording.bins.copy()
    for unit in (1, 2):
        bins["counts"][bins["intention"][:, 0] == unit, unit] += 2
    return dataclasses.replace(recording, bins=bins)


RECORDING = tuned(small_recording(6, 4000, n_trials=40, gaps=True))
OTHER = small_recording(3, 400, n_trials=8, name="other")
BY_TARGET = [np.arange(target, 40, 3) for target in range(3)]
"""Rows of the trials that aim at each of `TARGETS`, which lie right, up and left."""
FIT = tuning(RECORDING)
BEST = int(np.argmax(np.where(FIT.tuned, FIT.r2, 0.0)))
PATIENCE = 30.0
"""Seconds in which a page follows, on a busy machine."""

FIGURE = """const figure = (card) => Bokeh.index.roots.find(
  (root) => root.child_views && document.querySelector(`.card-${card} .canvas`)?.contains(root.el)
)?.child_views[0];"""
COLUMN = f"""([card, glyph, name]) => {{
  {FIGURE}
  const plain = (it) => (it?.length >= 0 && typeof it !== "string" ? [...it].map(plain) : it);
  const renderers = figure(card).model.renderers.filter((each) => each.glyph?.type === glyph);
  const column = (data) => (data instanceof Map ? data.get(name) : data[name]);
  return renderers.map(({{ data_source }}) => plain(column(data_source.data)));
}}"""
PIXEL = f"""([card, x, y]) => {{
  {FIGURE}
  const {{ frame, el }} = figure(card);
  const {{ left, top }} = el.getBoundingClientRect();
  return [left + frame.x_scale.compute(x), top + frame.y_scale.compute(y)];
}}"""
DRAWN = f"() => {{ {FIGURE} return figure('rates')?.model.renderers; }}"
AXIS = f"(card) => {{ {FIGURE} return figure(card).model.below[0].axis_label; }}"


@pytest.fixture(scope="module")
def deck() -> Iterator[Deck]:
    made = Deck(RECORDING, [Arena], [OTHER])
    yield made
    made.stop()


@pytest.fixture(scope="module")
def shared(deck: Deck, browser: Browser) -> Iterator[Page]:
    """One page for tests that leave its controls alone: HoloViews takes its time to draw one."""
    with browser.new_context(color_scheme="dark") as context:
        visiting = Visitor(context, deck.url)
        yield explore(visiting, deck)
        assert visiting.failures == []
        assert visiting.foreign == []


@pytest.fixture
def page(shared: Page) -> Page:
    """The shared page, with all trials."""
    shared.get_by_role("button", name="All trials").click()
    expect(count(shared)).to_have_text("All 40 trials")
    expect(trials(shared)).to_have_value("")
    return shared


def explore(visitor: Visitor, deck: Deck, query: str = "") -> Page:
    """Open the page and wait until it shows something."""
    page = visitor.open(f"{deck.url}/explore{query}")
    page.wait_for_selector("body[data-controls=ready]")
    page.wait_for_function(DRAWN)
    return page


def shown(page: Page, card: str, glyph: str, name: str) -> list[Any]:
    """A column of each of a plot's glyphs of a type."""
    found: list[Any] = page.evaluate(COLUMN, [card, glyph, name])
    return found


def eventually(page: Page, check: Callable[[], None]) -> None:
    """Let a page follow what was done, until a check passes."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return check()
        except (AssertionError, ValueError, IndexError):
            if time.monotonic() > until:
                raise
        page.wait_for_timeout(50)


def at(page: Page, card: str, x: float, y: float) -> tuple[float, float]:
    """Where a plot's point is on the screen."""
    page.locator(f".card-{card} .canvas").scroll_into_view_if_needed()
    px, py = page.evaluate(PIXEL, [card, x, y])
    return px, py


def drag(page: Page, card: str, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*at(page, card, *start))
    page.mouse.down()
    page.mouse.move(*at(page, card, *end), steps=5)
    page.mouse.up()


def count(page: Page) -> Locator:
    return page.get_by_role("heading", level=2).filter(has_text="trials")


def trials(page: Page) -> Locator:
    return page.get_by_label("Trials, such as")


def assert_shows(
    page: Page,
    groups: list[Any],
    unit: int = BEST,
    event: TrialEvent = "move_onset",
    window: tuple[float, float] = (0.5, 1.2),
    step: int = 1,
    sd: float = 0.05,
) -> None:
    """The raster and the PSTH come to be those of some trials, by group."""
    aligned = aligned_counts(RECORDING, event, *window, units=[unit], bins_per_step=step)
    places = [np.flatnonzero(np.isin(aligned.trials, rows)) for rows in groups]
    image = aligned.counts[np.concatenate(places), :, 0]

    def check() -> None:
        (((found,),),) = [shown(page, "raster", "Image", "image")]
        np.testing.assert_array_equal(np.array(found, np.float32).reshape(image.shape), image)
        (lines,) = shown(page, "psth", "MultiLine", "ys")
        (times,) = shown(page, "psth", "MultiLine", "xs")
        drawn, wanted = set(), set()
        for x, y in zip(times, lines, strict=True):
            drawn |= set(zip(np.round(x, 4), np.round(y, 4), strict=True))
        for place in places:
            rate = psth(aligned.counts[place, :, 0], aligned.width, sd)
            enough = (rate.n >= 0.1 * len(place)) & (rate.n >= min(2, len(place))) & (rate.n > 0)
            x, y = aligned.centres[enough], rate.mean[enough]
            wanted |= set(zip(np.round(x, 4), np.round(y, 4), strict=True))
        assert drawn == wanted

    eventually(page, check)


def test_the_page_opens_with_all_trials_by_target_at_the_unit_that_is_tuned_best(page: Page) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text("Explore small")
    expect(count(page)).to_have_text("All 40 trials")
    expect(page.get_by_label("Unit")).to_have_value(RECORDING.channel_names[BEST])
    assert_shows(page, BY_TARGET)
    expect(page.get_by_role("checkbox")).to_have_count(3)
    for name in ("→ 100, 0 · 14", "↑ 0, 100 · 13", "← \N{MINUS SIGN}100, 0 · 13"):
        expect(page.get_by_label(name)).not_to_be_checked()
    x, y = (shown(page, "paths", "Scatter", name)[-1] for name in ("x", "y"))
    assert sorted(zip(x, y, strict=True)) == sorted(TARGETS)


def test_paths_are_the_trials_positions(page: Page) -> None:
    inside = RECORDING.bins["trial"] >= 0
    same = np.diff(RECORDING.bins["trial"]) == 0
    for name, column in (("x", 0), ("y", 1)):
        expected = RECORDING.kinematics[:, column]
        start, end = expected[:-1][same & inside[:-1]], expected[1:][same & inside[:-1]]
        np.testing.assert_allclose(np.array(shown(page, "paths", "Segment", name)[0]), start, rtol=1e-6)
        np.testing.assert_allclose(np.array(shown(page, "paths", "Segment", f"{name}1")[0]), end, rtol=1e-6)


def test_every_control_has_a_label_and_changes_the_plots_and_the_address(
    deck: Deck, visitor: Visitor
) -> None:
    page = explore(visitor, deck)
    page.get_by_label("Unit").select_option(RECORDING.channel_names[3])
    page.get_by_label("Align to").select_option("Go cue")
    for label, value in (("Before (s)", "0.2"), ("After (s)", "0.8")):
        page.get_by_label(label).fill(value)
        page.keyboard.press("Tab")
    page.get_by_label("Bin width").select_option("50 ms")
    page.get_by_label("Smoothing, sd").select_option("none")
    assert_shows(page, BY_TARGET, 3, "go_cue", (0.2, 0.8), step=2, sd=0.0)
    assert page.evaluate(AXIS, "raster") == "Time from go cue (s)"
    page.get_by_label("Split by").select_option("heldout")
    expect(page.get_by_label("no · 40")).to_be_visible()
    assert_shows(page, [np.arange(40)], 3, "go_cue", (0.2, 0.8), step=2, sd=0.0)
    for control in page.locator("select:visible, input:visible, button:visible:not(.bk-spin-btn)").all():
        assert control.evaluate("e => !!(e.labels?.length || e.ariaLabel || e.textContent.trim())")
    trials(page).fill("3")
    page.keyboard.press("Enter")
    expect(count(page)).to_have_text("1 of 40 trials")
    page.wait_for_url("**trials=3**")
    again = explore(visitor, deck, page.url.removeprefix(f"{deck.url}/explore"))
    expect(count(again)).to_have_text("1 of 40 trials")
    expect(again.get_by_label("Align to")).to_have_value("Go cue")
    assert_shows(again, [[3]], 3, "go_cue", (0.2, 0.8), step=2, sd=0.0)


def test_the_keyboard_alone_is_enough(page: Page) -> None:
    page.get_by_label("Unit").select_option(RECORDING.channel_names[0])
    assert_shows(page, BY_TARGET, unit=0)
    page.get_by_label("Unit").focus()
    page.keyboard.press("ArrowDown")
    page.get_by_label("↑ 0, 100 · 13").focus()
    page.keyboard.press("Space")
    assert_shows(page, [BY_TARGET[1]], unit=1)
    trials(page).fill("4-7, 30")
    page.keyboard.press("Enter")
    expect(count(page)).to_have_text("5 of 40 trials")
    assert_shows(page, [np.intersect1d(rows, [4, 5, 6, 7, 30]) for rows in BY_TARGET], unit=1)
    page.get_by_role("button", name="All trials").click()
    page.get_by_label("Unit").select_option(RECORDING.channel_names[BEST])
    assert_shows(page, BY_TARGET)


def test_groups_are_chosen_and_dropped(page: Page) -> None:
    right, up = page.get_by_label("→ 100, 0"), page.get_by_label("↑ 0, 100")
    right.check()
    expect(count(page)).to_have_text("14 of 40 trials")
    up.check()
    expect(count(page)).to_have_text("27 of 40 trials")
    assert_shows(page, BY_TARGET[:2])
    right.uncheck()
    expect(count(page)).to_have_text("13 of 40 trials")
    assert_shows(page, [[], BY_TARGET[1]])
    n_pieces = np.count_nonzero(np.isin(RECORDING.bins["trial"], BY_TARGET[1])) - len(BY_TARGET[1])
    eventually(page, lambda: _assert_lengths(shown(page, "paths", "Segment", "x"), n_pieces))
    page.get_by_role("button", name="All trials").click()
    expect(up).not_to_be_checked()
    assert_shows(page, BY_TARGET)


def _assert_lengths(layers: list[Any], selected: int) -> None:
    assert len(layers[-1]) == selected


def test_a_box_over_paths_chooses_the_trials_that_go_through_it(page: Page) -> None:
    drag(page, "paths", (40.0, 15.0), (70.0, -15.0))
    expect(count(page)).to_have_text("14 of 40 trials")
    expect(page.get_by_label("→ 100, 0")).to_be_checked()
    assert_shows(page, [BY_TARGET[0]])
    keep_screenshot(page, "explore-box")


def test_a_box_in_the_tuning_plot_chooses_its_trials_in_all_plots(page: Page) -> None:
    drag(page, "tuning", (60.0, FIT.rates[:, BEST].max() * 1.04), (120.0, 0.1))
    expect(count(page)).to_have_text("13 of 40 trials")
    assert_shows(page, [[], BY_TARGET[1]])


def test_a_tap_chooses_a_path_and_one_beside_them_all(page: Page) -> None:
    page.mouse.click(*at(page, "paths", 0.0, 60.0))
    expect(trials(page)).not_to_have_value("")
    for trial in trials(page).input_value().split(", "):
        assert int(trial) in BY_TARGET[1]
    page.mouse.click(*at(page, "paths", 70.0, 70.0))
    expect(count(page)).to_have_text("All 40 trials")


def test_raster_rows_choose_their_trials(page: Page) -> None:
    order = [row for rows in BY_TARGET for row in rows if row != 2]  # trial 2 has no movement onset
    drag(page, "raster", (0.2, 14.5), (0.4, 16.5))
    expect(trials(page)).to_have_value(", ".join(str(row) for row in sorted(order[14:17])))
    page.mouse.click(*at(page, "raster", 0.2, 1.5))
    expect(trials(page)).to_have_value(str(sorted(order[14:17])[1]))


def test_tuning_is_that_of_the_unit(page: Page) -> None:
    means = [FIT.rates[rows, BEST].mean() for rows in BY_TARGET]
    np.testing.assert_allclose(shown(page, "tuning", "Scatter", "rate")[-1], means)
    angles = np.abs(shown(page, "tuning", "Scatter", "direction")[-1])
    np.testing.assert_allclose(angles, [0, 90, 180], atol=1e-4)
    grid = np.radians(shown(page, "tuning", "Line", "direction")[0])
    np.testing.assert_allclose(shown(page, "tuning", "Line", "rate")[0], FIT.predict(BEST, grid))
    expect(page.locator(".card-tuning")).to_contain_text(f"R² {FIT.r2[BEST]:.2f}")


def test_a_tap_on_an_arrow_chooses_its_unit_in_all_plots(page: Page) -> None:
    for unit in (2, 1):
        tip = FIT.depth[unit] * np.exp(1j * FIT.preferred[unit])
        page.mouse.click(*at(page, "preferred", tip.real, tip.imag))
        expect(page.get_by_label("Unit")).to_have_value(RECORDING.channel_names[unit])
        assert_shows(page, BY_TARGET, unit=unit)
    page.get_by_label("Unit").select_option(RECORDING.channel_names[BEST])
    assert_shows(page, BY_TARGET)


def test_a_tap_that_follows_another_at_once_counts_as_well(page: Page) -> None:
    tips = [FIT.depth[unit] * np.exp(1j * FIT.preferred[unit]) for unit in (2, 1)]
    for x, y in [at(page, "preferred", tip.real, tip.imag) for tip in tips]:
        page.mouse.click(x, y)
    expect(page.get_by_label("Unit")).to_have_value(RECORDING.channel_names[1])
    page.get_by_label("Unit").select_option(RECORDING.channel_names[BEST])
    assert_shows(page, BY_TARGET)


def test_rates_are_those_of_observed_time(page: Page) -> None:
    assert sum(shown(page, "rates", "Quad", "top")[0]) == 6
    expect(page.locator(".card-rates")).to_contain_text(f"{mean_rates(RECORDING)[BEST]:.1f} Hz")


def test_trials_that_cannot_be_read_are_told_and_change_nothing(page: Page) -> None:
    told = page.get_by_role("status").last
    for text, says in (
        ("3000", "Unknown trial 3000"),
        ("first", "Cannot read 'first'"),
        ("90-99", "No trial"),
    ):
        trials(page).fill(text)
        page.keyboard.press("Enter")
        expect(told).to_contain_text(says)
        expect(trials(page)).to_have_value("")
    assert_shows(page, BY_TARGET)
    trials(page).fill("1")
    page.keyboard.press("Enter")
    expect(count(page)).to_have_text("1 of 40 trials")
    expect(told).to_have_text("")


def test_an_address_that_asks_for_nonsense_is_told(deck: Deck, visitor: Visitor) -> None:
    nonsense = {"unit": "true", "before": "soon", "after": "99", "event": "[1]", "split": "<b>"}
    page = explore(visitor, deck, f"?{urlencode(nonsense)}")
    told = page.get_by_role("status").last
    expect(told).to_contain_text("The address asks for what this recording does not have")
    expect(page.get_by_label("Unit")).to_have_value(RECORDING.channel_names[BEST])
    assert_shows(page, BY_TARGET)


def test_the_trials_that_are_chosen_can_be_played(deck: Deck, page: Page) -> None:
    trials(page).fill("3-5")
    page.keyboard.press("Enter")
    expect(count(page)).to_have_text("3 of 40 trials")
    page.get_by_role("button", name="Play these trials").click()
    address = page.get_by_role("link", name="Open it").get_attribute("href") or ""
    session = deck.store.get(address.removeprefix("/live?session="))
    assert session.replay.selection.trial_ids == (3, 4, 5)
    deck.store.delete(session.code)


def test_an_unknown_recording_is_told(deck: Deck, visitor: Visitor) -> None:
    page = visitor.open(f"{deck.url}/explore?recording=<b>none</b>")
    expect(page.get_by_text("Unknown recording '<b>none</b>'")).to_be_visible()
    page.get_by_role("link", name="Explore small").click()
    page.wait_for_selector("body[data-controls=ready]")


def test_a_light_page_has_light_plots(page: Page) -> None:
    for name, turned in (("dark", "none"), ("light", "invert(1) hue-rotate(180deg)")):
        assert page.evaluate("document.documentElement.dataset.theme") == name
        expect(page.locator(".card-psth .canvas")).to_have_css("filter", turned)
        keep_screenshot(page, f"explore-{name}")
        page.get_by_role("button", name="Switch between dark and light").click()


def test_a_narrow_page_needs_no_sideways_scroll(page: Page) -> None:
    whole = page.viewport_size
    assert whole is not None
    for width in (820, 390):
        resize(page, width)
    keep_screenshot(page, "explore-phone")
    page.set_viewport_size(whole)


def test_home_and_explore_lead_to_each_other_and_to_another_recording(deck: Deck, visitor: Visitor) -> None:
    page = visitor.open(deck.url)
    pages = page.get_by_role("navigation", name="Pages")
    pages.get_by_role("link", name="Explore", exact=True).click()
    page.wait_for_selector("body[data-controls=ready]")
    page.get_by_label("Recording").select_option("other")
    expect(page.get_by_role("heading", level=1)).to_have_text("Explore other")
    expect(count(page)).to_have_text("All 8 trials")
    pages.get_by_role("link", name="Home", exact=True).click()
    expect(page.get_by_role("heading", name="Sessions")).to_be_visible()
