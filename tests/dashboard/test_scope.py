"""The scope of a session that has electrodes, in a real page."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from plotters.raster import Raster
from plotters.scope import Scope
from sessions.options import Options
from tests.builders import small_recording
from tests.dashboard.conftest import Deck, MakeDeck, Visitor, keep_screenshot
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
    page.get_by_label("Electrodes of the scope").fill("12")
    page.get_by_label("Electrodes of the scope").press("Enter")
    expect(page.locator("#refusal")).to_contain_text("Unknown electrode 12. There are electrodes 0 to 11.")
    wait_for(page, "scope/rows", "model.start === 0.1 - 2")
