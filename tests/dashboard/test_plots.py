"""All live plots in a real page, against what the session itself has sent."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import websocket
from playwright.sync_api import Page, expect

from engine.deck.replay import Replay
from engine.view import PLAIN, shown_units
from plotters import PLOTTERS, suited
from plotters.timing import Timing
from sessions.options import Options
from sessions.session import Session
from tests.dashboard.conftest import Deck, Visitor, keep_screenshot
from tests.engine.listening import wait_until

READ = """([source, column]) => {
  const data = Bokeh.documents.map((each) => each.get_model_by_name(source)).find(Boolean).data;
  const values = data instanceof Map ? data.get(column) : data[column];
  return [...(values[0]?.shape ? values[0] : values)].map((value) => Number.isNaN(value) ? null : value);
}"""
LABELS = """() => {
  const axis = Bokeh.index.roots[0].model.document.get_model_by_name("raster/units");
  return [...axis.major_label_overrides];
}"""
DRAWN = """(name) => {
  const { canvas } = Bokeh.index.roots.find(({ model }) => model.name === name).canvas_view.overlays;
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.some((value) => value !== 0);
}"""
"""Whether anything that moves is on a plot's canvas."""
PLACES = "() => [...document.querySelectorAll('[data-plot]')].map((each) => each.dataset.plot)"


def column(page: Page, source: str, name: str) -> npt.NDArray[np.float64]:
    return np.array(page.evaluate(READ, [source, name]), np.float64)


def wait_for_frames(page: Page, n: int) -> None:
    page.wait_for_function("n => window.deckStats.painted >= n", arg=n)


def play_some(page: Page, replay: Replay, n: int) -> None:
    """Play until the page has painted `n` frames, and have all of them there."""
    replay.resume()
    wait_for_frames(page, n)
    replay.pause()
    page.wait_for_selector("body[data-state=paused]")


def test_every_plot_has_its_place_and_moves_with_what_was_sent(deck: Deck, visitor: Visitor) -> None:
    session = deck.store.create("plots")
    replay = session.replay
    replay.seek(300)
    page = visitor.watch(deck, "plots")
    assert page.evaluate(PLACES) == [each.name for each in suited(PLOTTERS, session.description)]
    play_some(page, replay, 60)
    rows = replay.ring.snapshot(10.0)
    n = len(rows)
    for name, source, first in (("position", "position/trace", 0), ("velocity", "velocity/trace", 2)):
        for i, axis in enumerate("xy"):
            shown = column(page, source, axis)[-n + 1 :]  # the first bin follows a jump
            np.testing.assert_array_equal(shown, rows["kinematics"][1:, first + i], err_msg=name)
    rate = np.where(rows["observed"], rows["counts"].mean(axis=1) * 40, np.nan)
    np.testing.assert_allclose(column(page, "rate/trace", "raw")[-n:], rate, rtol=1e-5)
    late = np.clip(1e3 * rows["lateness"], 0.01, 1000)
    np.testing.assert_allclose(column(page, "timing/trace", "tick")[-n:], late, rtol=1e-5)
    np.testing.assert_array_equal(column(page, "arena/cursor 0", "x"), rows["kinematics"][-1:, 0])
    assert np.isfinite(column(page, "units/rates", "now")).all()
    keep_screenshot(page, "plots")


def test_what_is_not_in_sight_is_drawn_when_it_comes_there(deck: Deck, visitor: Visitor) -> None:
    replay = deck.store.create("scroll").replay
    page = visitor.watch(deck, "scroll")
    page.set_viewport_size({"width": 390, "height": 500})
    first, last = PLOTTERS[0].name, Timing.name
    page.locator(f"[data-plot={first}]").scroll_into_view_if_needed()
    expect(page.locator(f"[data-plot={last}]")).not_to_be_in_viewport()
    play_some(page, replay, 30)
    page.wait_for_function(DRAWN, arg=first)
    assert not page.evaluate(DRAWN, last)
    page.locator(f"[data-plot={last}]").scroll_into_view_if_needed()
    page.wait_for_function(DRAWN, arg=last)


@pytest.fixture
def pages(deck: Deck, visitor: Visitor) -> tuple[Session, Page, Page]:
    """Two pages of a session that has played and is paused."""
    session = deck.store.create("shared")
    one, other = (visitor.watch(deck, "shared", "view") for _ in range(2))
    play_some(other, session.replay, 15)
    return session, one, other


def test_a_view_changed_in_one_page_reaches_the_other(
    deck: Deck, pages: tuple[Session, Page, Page]
) -> None:
    session, one, other = pages
    one.get_by_label("Order of units").select_option("by rate")
    one.get_by_label("Hit radius").fill("25")
    one.get_by_label("Hit radius").press("Enter")
    one.get_by_role("checkbox", name="unit 2", exact=True).uncheck()
    for page in (one, other):
        page.bring_to_front()
        expect(page.get_by_label("Order of units")).to_have_value("by rate")
        expect(page.get_by_label("Hit radius")).to_have_value("25")
        expect(page.get_by_role("checkbox", name="unit 2", exact=True)).not_to_be_checked()
    assert deck.api("GET", "/api/sessions/shared/view") == PLAIN.settings | {
        "order": "rate",
        "hidden_units": [2],
        "hit_radius": 25.0,
    }
    units = shown_units(session.recording, session.view)
    rows = session.ring.snapshot(10.0)
    for page in (one, other):
        assert page.evaluate(LABELS) == [[i + 0.5, str(unit)] for i, unit in enumerate(units)]
        image = column(page, "raster/spikes", "image").reshape(6, -1)[:, -len(rows) :]
        observed = rows["observed"]
        np.testing.assert_array_equal(image[:5, observed], 1 + rows["counts"][observed][:, units].T)
        assert not image[5].any()
        assert column(page, "arena/target", "radius").tolist() == [25.0]


def test_comparing_shows_the_same_bins_undisturbed_beside_what_was_sent(
    deck: Deck, visitor: Visitor
) -> None:
    session = deck.store.create("compared", Options(perturbation={"preset": "extreme"}, speed="max"))
    page = visitor.watch(deck, "compared")
    expect(page.locator(".plot-undisturbed")).to_be_hidden()
    page.get_by_role("button", name="Compare").click()
    expect(page.locator(".plot-undisturbed")).to_be_visible()
    session.replay.resume()
    wait_until(lambda: session.ring.head > 1000)
    session.replay.pause()
    rows = session.ring.snapshot(10.0)
    seen = rows["observed"]
    clean = 1 + session.recording.counts[rows["packet_id"][seen]].T

    def shown() -> npt.NDArray[np.float64]:
        return column(page, "undisturbed/spikes", "image").reshape(6, -1)[:, -len(rows) :][:, seen]

    wait_until(lambda: np.array_equal(shown(), clean))
    sent = column(page, "raster/spikes", "image").reshape(6, -1)[:, -len(rows) :][:, seen]
    assert (sent != shown()).mean() > 0.1
    keep_screenshot(page, "live-compare")


def test_decoders_are_listed_with_their_queue_and_drops(deck: Deck, visitor: Visitor) -> None:
    replay = deck.store.create("listed").replay
    page = visitor.watch(deck, "listed")
    decoder = websocket.create_connection(
        f"ws://127.0.0.1:{deck.port}/stream/binary/listed?layout=compact&queue=latest", timeout=10
    )
    row = page.locator("[data-rows=listeners] tr")
    expect(row).to_have_count(1)
    for text in ("127.0.0.1", "msgpack, compact", "latest"):
        expect(row).to_contain_text(text)
    wait_for_frames(page, 10)
    replay.pause()
    page.wait_for_selector("body[data-state=paused]")
    sent = column(page, "timing/trace", "sent")
    assert np.isfinite(sent[-5:]).all()
    decoder.shutdown()
    expect(row).to_have_count(0)
