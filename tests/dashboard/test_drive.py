"""The page of a hand, in a browser: the mouse goes to targets, and the cursor after it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from dashboard.drive.words import driven
from engine.bins import clock
from engine.sources.user.fitting import Fit
from plotters.arena import Arena
from sessions.options import Options
from sessions.runs import Runs
from sessions.session import Session
from sessions.sources import Sources
from sessions.store import Store
from tests.dashboard.conftest import Deck, Visitor, keep_screenshot, refusal, resize
from tests.dashboard.test_layout import NAMELESS
from tests.engine.listening import wait_until
from tests.engine.sources.user.closed_loop import Ready, fits_of, recording

TARGET = """() => {
  const view = window.Bokeh.index.roots.find(({ model }) => model.name === "arena");
  const { data } = view.model.document.get_model_by_name("arena/target");
  const [x, y] = ["x", "y"].map((name) => (data instanceof Map ? data.get(name) : data[name])[0]);
  const { left, top } = view.el.getBoundingClientRect();
  return [left + view.frame.x_scale.compute(x), top + view.frame.y_scale.compute(y)];
}"""


@pytest.fixture(scope="module")
def deck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deck]:
    runs = Runs(tmp_path_factory.mktemp("runs") / "runs.sqlite")
    made = Deck(recording(), [Arena], runs=runs, fits=fits_of(recording()))
    yield made
    made.stop()


def opened(deck: Deck, visitor: Visitor, code: str) -> Page:
    page = visitor.open(f"{deck.url}/drive?session={code}")
    page.wait_for_selector("body[data-controls=ready]")
    return page


def a_session(deck: Deck, code: str, **task: Any) -> Session:
    return deck.store.create(
        code, Options(source="user:person", closed_loop={"task": {"hold": 0.1, **task}})
    )


def test_the_mouse_steers_the_cursor_to_targets_and_the_run_is_kept_under_a_name(
    deck: Deck, visitor: Visitor
) -> None:
    session = a_session(deck, "steered")
    page = opened(deck, visitor, "steered")
    said = page.locator(".next")
    expect(said).to_have_text("Press Play.")
    page.get_by_role("button", name="Play", exact=True).click()
    expect(said).to_have_text("Nobody drives. Start a decoder here, or connect one of your own.")
    page.get_by_label("Decoder").select_option("wiener")
    page.get_by_role("button", name="Start", exact=True).click()
    wait_until(lambda: session.predictions.names == ["wiener"])

    def acquired() -> bool:
        page.mouse.move(*page.evaluate(TARGET))
        return sum(trial.success is True for trial in session.description.trials) >= 3

    wait_until(acquired)
    expect(said).to_have_text("")
    expect(page.locator("[data-value=success]")).to_have_text(re.compile(r"[1-9]\d*%"))
    keep = page.get_by_role("button", name="Keep this run")
    keep.click()
    expect(refusal(page)).to_have_text("Write your name first.")
    page.get_by_label("Player").fill("Ada")
    page.get_by_label("Player").press("Tab")
    keep.click()
    expect(page.get_by_role("rowheader", name="Ada")).to_be_visible()
    (run,) = deck.api("GET", "/api/runs")["runs"]
    assert (run["tags"], run["decoder"]) == (["player:Ada"], "wiener")
    assert run["scores"]["success"] > 0
    keep_screenshot(page, "drive-dark")


def test_driver_and_steering_follow_whoever_changes_them(deck: Deck, visitor: Visitor) -> None:
    session = a_session(deck, "tuned")
    page = opened(deck, visitor, "tuned")
    gain = page.get_by_text("Gain: 0.30")
    expect(gain).to_be_visible()
    deck.api("PUT", "/api/sessions/tuned/steering", {"gain": 0.75})
    expect(page.get_by_text("Gain: 0.75")).to_be_visible()
    deck.api("PUT", "/api/sessions/tuned/driver", {"driver": "mine"})
    expect(page.get_by_label("Driver")).to_have_value("mine")
    page.get_by_label("Driver").select_option("the first that answers")
    wait_until(lambda: session.replay.source.driver is None)
    handle = page.get_by_text("Gain: 0.75").locator("xpath=..").get_by_role("slider")
    handle.focus()
    handle.press("ArrowRight")
    wait_until(lambda: session.replay.source.steering.gain == pytest.approx(0.8))
    lost = page.get_by_text("Lost units, share: 0").locator("xpath=..").get_by_role("slider")
    lost.focus()
    lost.press("ArrowRight")
    wait_until(lambda: session.replay.perturbation["unit_loss"]["enabled"])
    assert session.replay.perturbation["unit_loss"]["fraction"] == pytest.approx(0.05)


def test_a_gamepad_points_from_the_middle_and_a_finger_that_is_lifted_points_nowhere(
    deck: Deck, visitor: Visitor
) -> None:
    hand = a_session(deck, "pad").replay.source.hand
    page = opened(deck, visitor, "pad")
    page.wait_for_selector("body[data-hand=here]")
    page.evaluate("navigator.getGamepads = () => [null, { axes: [1, 0] }]")
    wait_until(lambda: (hand.at(clock.now()).place or (0.0, 0.0))[0] > 50.0)
    page.evaluate("navigator.getGamepads = () => []")
    wait_until(lambda: hand.at(clock.now()).place is None)
    arena = page.locator("#arena")
    box = arena.bounding_box()
    touch = {"pointerType": "touch", "bubbles": True, "clientX": box["x"] + 300, "clientY": box["y"] + 300}
    arena.dispatch_event("pointerdown", touch)
    wait_until(lambda: hand.at(clock.now()).place is not None)
    arena.dispatch_event("pointerup", touch)
    wait_until(lambda: hand.at(clock.now()).place is None)


def test_the_live_page_has_the_same_controls_and_a_way_to_the_arena(deck: Deck, visitor: Visitor) -> None:
    session = a_session(deck, "watched")
    page = visitor.watch(deck, "watched")
    card = page.locator("#driving")
    expect(card.get_by_text("Smoothing: 0.90")).to_be_visible()
    session.drive("mine")
    expect(card.get_by_label("Driver")).to_have_value("mine")
    page.get_by_role("link", name="Drive", exact=True).click()
    page.wait_for_selector("body[data-person]")


def test_while_neurons_are_fitted_the_page_says_how_far_that_is() -> None:
    fit = Fit()
    store = Store({"known": recording()}, sources=Sources(fits=Ready(fit)))
    session = store.create("cold", Options(source="user:person"))
    fit.progress = 0.43
    assert driven(session)["next-step"] == "Neurons are fitted to the recording: 43%. This is done once."
    fit.end(None, "Too few bins to fit neurons to. Choose a longer recording.")
    assert driven(session)["next-step"].startswith("Too few bins")
    store.close()


def test_a_page_whose_session_is_gone_leads_home(deck: Deck, visitor: Visitor) -> None:
    a_session(deck, "gone")
    page = opened(deck, visitor, "gone")
    home = page.get_by_role("link", name="Go home")
    expect(home).to_be_hidden()
    deck.store.delete("gone")
    expect(page.locator("#notice-text")).to_contain_text("session")
    expect(home).to_be_visible()


def test_a_second_hand_is_told(deck: Deck, visitor: Visitor) -> None:
    a_session(deck, "one")
    opened(deck, visitor, "one").wait_for_selector("body[data-hand=here]")
    second = opened(deck, visitor, "one")
    expect(second.locator("#notice-text")).to_have_text(
        "Another hand steers this session. Watch, or wait until it has gone."
    )


@pytest.mark.parametrize("width", [390, 1440])
def test_the_page_fits_and_all_of_its_controls_have_names(deck: Deck, visitor: Visitor, width: int) -> None:
    a_session(deck, f"wide-{width}")
    page = opened(deck, visitor, f"wide-{width}")
    resize(page, width, 900)
    assert page.evaluate(NAMELESS) == []


def test_without_a_session_to_steer_the_page_makes_one(deck: Deck, visitor: Visitor) -> None:
    deck.store.create("replayed")
    page = visitor.open(f"{deck.url}/drive?session=replayed")
    expect(page.get_by_role("alert").first).to_have_text(
        "Session replayed plays a recording, which nobody can steer."
    )
    page.wait_for_selector("body[data-controls=ready]")
    page.get_by_label("Task").select_option("Random targets")
    page.get_by_role("button", name="New session to drive").click()
    page.wait_for_url("**/drive?session=*")
    page.wait_for_selector("body[data-person]")
    code = page.url.rpartition("=")[2]
    assert deck.store.get(code).replay.source.task.kind == "random"
