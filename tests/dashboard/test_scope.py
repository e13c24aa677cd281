"""The scope of a session that has electrodes, in a real page."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from engine.geometry import places
from plotters.array import Array
from plotters.raster import Raster
from plotters.scope import Scope
from plotters.waveforms import Waveforms
from sessions.options import Options
from tests.builders import small_recording
from tests.dashboard.conftest import Deck, MakeDeck, Visitor, asked, keep_screenshot
from tests.dashboard.test_plots import READ
from tests.engine.listening import wait_until


@pytest.fixture
def deck(make_deck: MakeDeck) -> Deck:
    return make_deck(small_recording(6, 4000), [Raster, Scope])


def drawn(page: Page, row: int) -> bool:
    """Whether an electrode's line goes up and down at its newest end."""
    line = np.array(page.evaluate(READ, ["scope/trace", f"c{row}"])[-100:], np.float64)
    return bool(np.isfinite(line).all() and np.ptp(line) > 0.1)


def wait_for(page: Page, name: str, what: str) -> None:
    """Wait until something is true of a model."""
    found = f"Bokeh.documents.map((each) => each.get_model_by_name('{name}')).find(Boolean)"
    within = 120_000  # ms: the electrodes' loops may have to be compiled first
    page.wait_for_function(f"() => {{ const model = {found}; return model && {what}; }}", timeout=within)


def test_voltages_are_drawn_with_spikes_and_the_view_chooses_electrodes(
    deck: Deck, visitor: Visitor
) -> None:
    deck.store.create("plain")
    assert visitor.watch(deck, "plain").locator(".plot-scope").count() == 0
    replay = deck.store.create("wires", Options(source="electrodes:12")).replay
    page = visitor.watch(deck, "wires", "view")
    replay.resume()
    wait_for(page, "scope/true", "(model.data.x ?? model.data.get('x')).length > 3")
    wait_until(lambda: all(drawn(page, row) for row in range(8)))
    assert not drawn(page, 8)
    keep_screenshot(page, "scope")
    page.get_by_label("Electrodes of the scope").fill("11, 2")
    page.get_by_label("Electrodes of the scope").press("Enter")
    page.get_by_label("Its seconds").fill("0.2")
    page.get_by_label("Its seconds").press("Enter")
    wait_for(page, "scope/times", "model.start === -0.2")
    view = deck.api("GET", "/api/sessions/wires/view")
    assert (view["scope_channels"], view["scope_seconds"]) == ([2, 11], 0.2)
    with asked(deck.store.get("wires")):
        page.get_by_label("Electrode of the waveforms").fill("5")
        page.get_by_label("Electrode of the waveforms").press("Enter")
    assert deck.api("GET", "/api/sessions/wires/view")["waveform_channel"] == 5
    page.get_by_label("Electrodes of the scope").fill("12")
    page.get_by_label("Electrodes of the scope").press("Enter")
    expect(page.locator("#refusal")).to_contain_text("Unknown electrode 12. There are electrodes 0 to 11.")
    wait_for(page, "scope/rows", "model.start === 0.1 - 2")


BOX = """(plot) => {
  const view = Bokeh.index.roots.find(({ model }) => model.name === plot);
  const { left, top, right, bottom } = view.frame.bbox;
  const at = view.el.getBoundingClientRect();
  const [x, y] = [view.model.x_range, view.model.y_range];
  return [at.left + left, at.top + top, at.left + right, at.top + bottom, x.start, y.end, x.end, y.start];
}"""
"""Where a figure's frame is on the page, and what its ends are."""


def place(page: Page, plot: str, x: float, y: float) -> tuple[float, float]:
    """Where on the page a place of a figure is."""
    left, top, right, bottom, x0, y0, x1, y1 = page.evaluate(BOX, plot)
    return left + (right - left) * (x - x0) / (x1 - x0), top + (bottom - top) * (y - y0) / (y1 - y0)


def test_a_threshold_is_dragged_and_given_back_and_a_click_in_the_array_chooses_an_electrode(
    make_deck: MakeDeck, browser: Browser
) -> None:
    deck = make_deck(small_recording(6, 4000), [Scope, Waveforms, Array])
    session = deck.store.create("wires", Options(source="electrodes:12"))
    with browser.new_context(color_scheme="dark") as context:
        visitor = Visitor(context, deck.url)
        page = visitor.watch(deck, "wires")
        session.replay.resume()
        wait_for(
            page, "array/electrodes", "(model.data.noise ?? model.data.get('noise')).every(Number.isFinite)"
        )
        lines = page.evaluate(READ, ["scope/threshold", "y"])
        page.locator(".plot-scope").scroll_into_view_if_needed()
        page.mouse.move(*place(page, "scope", -0.5, lines[2]))
        page.mouse.down()
        page.mouse.move(*place(page, "scope", -0.4, -2.5))
        wait_for(page, "scope/hand", "Math.abs(model.location + 2.5) < 0.02")
        with asked(session):
            page.mouse.move(*place(page, "scope", -0.4, -2.7))
            page.mouse.up()
        ((channel, level),) = deck.api("GET", "/api/sessions/wires/detection")["thresholds"]
        assert (channel, level) == (2, pytest.approx(-70, abs=2))
        wait_for(
            page,
            "scope/threshold",
            f"Math.abs((model.data.y ?? model.data.get('y'))[2] - {level / 100 - 2}) < 1e-4",
        )
        events = [each["text"] for each in deck.api("GET", "/api/sessions/wires/events")["events"]]
        assert any(each.startswith(f"detection thresholds 2:{level:g} from bin ") for each in events)
        with asked(session):
            page.mouse.dblclick(*place(page, "scope", -0.4, level / 100 - 2))
        assert deck.api("GET", "/api/sessions/wires/detection")["thresholds"] == []
        page.locator(".plot-array").scroll_into_view_if_needed()
        with asked(session):
            page.mouse.click(*place(page, "array", *map(float, places(12)[7])))
        assert deck.api("GET", "/api/sessions/wires/view")["waveform_channel"] == 7
        wait_for(page, "waveforms/electrode", "model.axis_label === 'Electrode 7 (uV)'")
        keep_screenshot(page, "array")
        assert visitor.failures == []
