"""The session's page in a real browser, against what the session itself says."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from dashboard.frames import spell_time
from engine.deck.replay import Replay
from plotters.base import Scene
from plotters.raster import Raster
from tests.builders import small_recording
from tests.dashboard.conftest import Deck, MakeDeck, Visitor, refusal

PIXELS = """() => {
  const source = Bokeh.index.roots[0].model.document.get_model_by_name("raster/spikes");
  const data = source.data;
  const image = (data instanceof Map ? data.get("image") : data.image)[0];
  return {shape: image.shape, values: [...image]};
}"""


@pytest.fixture
def deck(make_deck: MakeDeck) -> Deck:
    """Replays 6 units for 100 s, with gaps, and draws the raster alone."""
    return make_deck(small_recording(6, 4000, n_trials=40, gaps=True), [Raster])


def shown(page: Page) -> npt.NDArray[np.uint8]:
    """The raster as the page's Bokeh source has it."""
    found = page.evaluate(PIXELS)
    return np.array(found["values"], np.uint8).reshape(found["shape"])


def expected(replay: Replay) -> npt.NDArray[np.uint8]:
    """The raster of what the session sent last."""
    raster = Raster(Scene(replay.description))
    image = np.zeros((raster.n_units, raster.scene.n_columns), np.uint8)
    pixels = raster.pixels(replay.ring.snapshot(10.0), np.arange(raster.n_units))
    image[:, image.shape[1] - pixels.shape[1] :] = pixels
    return image


def wait_for_state(page: Page, state: str) -> None:
    page.wait_for_selector(f"body[data-state={state}]")


def wait_for_frames(page: Page, n: int) -> None:
    page.wait_for_function("n => window.deckStats.painted >= n", arg=n)


def test_play_fills_the_raster_from_the_right_and_pause_holds_it(deck: Deck, visitor: Visitor) -> None:
    replay = deck.store.create("one").replay
    page = visitor.watch(deck, "one")
    assert page.get_by_text("the first bin appears here").is_visible()
    page.get_by_role("button", name="Play").click()
    wait_for_frames(page, 60)
    assert not page.get_by_text("the first bin appears here").is_visible()
    page.get_by_role("button", name="Pause").click()
    wait_for_state(page, "paused")
    assert replay.state == "paused"
    assert replay.ring.head >= 60
    np.testing.assert_array_equal(shown(page), expected(replay))
    expect(page.locator("[data-value=position]")).to_have_text(spell_time(replay.position().seconds))


def test_a_page_opened_later_shows_what_the_first_one_does(deck: Deck, visitor: Visitor) -> None:
    replay = deck.store.create("late").replay
    replay.set_speed(20)
    replay.resume()
    first = visitor.watch(deck, "late")
    wait_for_frames(first, 60)
    second = visitor.watch(deck, "late")
    wait_for_frames(second, 5)
    replay.pause()
    for page in (first, second):
        wait_for_state(page, "paused")
        np.testing.assert_array_equal(shown(page), expected(replay))
    assert (shown(first) > 0).all()


def test_a_page_that_was_busy_shows_the_newest_bins_without_a_backlog(deck: Deck, visitor: Visitor) -> None:
    replay = deck.store.create("busy").replay
    replay.set_speed(5)
    replay.resume()
    page = visitor.watch(deck, "busy")
    wait_for_frames(page, 10)
    page.evaluate("() => { const end = performance.now() + 4000; while (performance.now() < end); }")
    before = page.evaluate("() => window.deckStats.painted")
    wait_for_frames(page, before + 10)
    replay.pause()
    wait_for_state(page, "paused")
    np.testing.assert_array_equal(shown(page), expected(replay))


def test_a_lost_server_is_told_and_one_that_comes_back_offers_the_session_again(
    deck: Deck, visitor: Visitor
) -> None:
    recording = deck.store.recording
    deck.store.create("phoenix")
    page = visitor.watch(deck, "phoenix")
    deck.stop()
    expect(page.locator("#notice")).to_contain_text("Lost the server")
    expect(page.locator("#session")).to_have_attribute("inert", "")
    expect(page.locator("#state")).to_have_text("lost")
    deck.start(recording)
    expect(page.locator("#notice")).to_contain_text("no longer has this session")
    page.get_by_role("button", name="Create it again").click()
    page.wait_for_selector("body[data-connection=open]")
    expect(page.locator("#notice")).to_be_hidden()
    assert "phoenix" in deck.store.sessions


def test_a_feed_that_is_lost_for_a_moment_takes_nothing_that_was_typed(
    deck: Deck, visitor: Visitor
) -> None:
    feeds: list[WebSocketRoute] = []

    def through(feed: WebSocketRoute) -> None:
        feed.connect_to_server()
        feeds.append(feed)

    visitor.context.route_web_socket(re.compile("/feed/"), through)
    deck.store.create("lost-feed")
    page = visitor.watch(deck, "lost-feed")
    trials = page.get_by_label("Trials", exact=True)
    trials.fill("1-2")
    feeds[0].close(code=3000)
    page.wait_for_selector("body[data-connection=lost]")
    page.wait_for_selector("body[data-connection=open]")
    assert len(feeds) == 2
    expect(trials).to_have_value("1-2")
    page.keyboard.press("Enter")
    expect(page.locator("[data-value=selected]")).not_to_contain_text("all")


def test_a_page_lives_on_when_the_session_is_made_again(deck: Deck, visitor: Visitor) -> None:
    recording = deck.store.recording
    deck.store.create("again").replay.resume()
    page = visitor.watch(deck, "again")
    wait_for_frames(page, 20)
    deck.stop()
    deck.start(recording)
    replay = deck.store.create("again").replay
    page.wait_for_selector("body[data-connection=open][data-state=idle]")
    assert not shown(page).any()
    page.get_by_role("button", name="Play").click()
    wait_for_state(page, "playing")
    replay.pause()
    wait_for_state(page, "paused")
    np.testing.assert_array_equal(shown(page), expected(replay))


def test_a_page_loads_anew_when_the_server_comes_back_with_another_recording(
    deck: Deck, visitor: Visitor
) -> None:
    deck.store.create("swap")
    page = visitor.watch(deck, "swap")
    deck.stop()
    deck.start(small_recording(9, 400, name="another"))
    deck.store.create("swap")
    page.wait_for_selector("text=another · 9 units")
    page.wait_for_selector("body[data-connection=open]")
    assert shown(page).shape[0] == 9


def test_a_deleted_session_is_told(deck: Deck, visitor: Visitor) -> None:
    session = deck.store.create("gone")
    page = visitor.watch(deck, "gone")
    deck.store.delete("gone")
    expect(page.locator("#notice")).to_contain_text("This session was deleted.")
    expect(page.locator("#state")).to_have_text("ended")
    expect(page.locator("#session")).to_have_attribute("inert", "")  # nothing in it can be reached
    page.get_by_role("button", name="Play", exact=True).click(force=True, timeout=2000)
    assert session.replay.state in ("idle", "closed")
    expect(page.locator("#emergency")).to_be_disabled()
    page.keyboard.press("Space")
    expect(refusal(page)).to_be_empty()
    page.get_by_role("button", name="Create it again").click()
    page.wait_for_selector("body[data-connection=open][data-state=idle]")
    expect(page.get_by_role("button", name="Set reference")).to_be_enabled()


def test_a_failed_replay_is_told_with_its_reason(
    deck: Deck, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    replay = deck.store.create("broken").replay
    page = visitor.watch(deck, "broken")

    def fail(_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(replay.ring, "publish_raw", fail)
    page.get_by_role("button", name="Play").click()
    expect(page.locator("#notice")).to_contain_text("OSError: no space left")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_disabled()


def test_closed_pages_leave_nothing_behind(deck: Deck, visitor: Visitor) -> None:
    session = deck.store.create("closed")
    session.replay.resume()
    for _ in range(3):
        visitor.watch(deck, "closed").close()
    last = visitor.watch(deck, "closed")
    last.wait_for_function("() => window.deckStats.painted > 40")
    assert sum(audience.size for audience in session.audiences) == 1
