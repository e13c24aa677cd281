"""The home page, and the offer of a session that does not exist."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from websocket import create_connection

from dashboard.live.perturbation import preset_of
from plotters.arena import Arena
from sessions.archive import Archive
from sessions.brokers.elsewhere import Elsewhere
from tests.builders import small_recording
from tests.dashboard.conftest import Deck, MakeDeck, Visitor, keep_screenshot, refusal


@pytest.fixture
def deck(tmp_path: Path) -> Iterator[Deck]:
    """Replays 6 units for 100 s, and draws little of it."""
    archive = Archive(tmp_path / "records")
    made = Deck(small_recording(6, 4000, n_trials=40, gaps=True), [Arena], archive=archive)
    yield made
    made.stop()
    archive.close()


def entries(page: Page, where: str) -> dict[str, str]:
    """Terms and texts of a list."""
    found = page.locator(f"{where}:visible")
    found.wait_for()
    texts = (found.locator(each).all_inner_texts() for each in ("dt", "dd"))
    return dict(zip(*texts, strict=True))


def home(visitor: Visitor, deck: Deck) -> Page:
    """The page, once its controls are there."""
    page = visitor.open(deck.url)
    page.wait_for_selector("body[data-controls=ready]")
    return page


def options(page: Page) -> None:
    page.get_by_role("button", name="Options of a new session").click()
    page.get_by_label("Seed").wait_for()


def row(page: Page, code: str) -> Locator:
    return page.locator(f"tr[data-key='{code}']")


def test_home_tells_what_there_is_before_panel_does(deck: Deck, browser: Browser) -> None:
    deck.store.create("first")
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(deck.url)
        expect(page.get_by_role("heading", name="small")).to_be_visible()
        expect(page.get_by_text("Synthetic recording")).to_be_visible()
        assert entries(page, "[data-facts]") == {
            "Units": "6",
            "Length": "01:40",
            "Trials": "40",
            "Targets in a trial": "3",
            "Bins": "25 ms",
            "Lengths in": "mm",
        }
        assert entries(page, "[data-series]") == {
            "Position from": "cursor_pos",
            "Velocity from": "cursor_vel",
            "Passed over": "nothing",
        }
        expect(page.get_by_role("link", name="first")).to_be_visible()
        expect(page.locator("#decode")).to_contain_text(f"--url ws://127.0.0.1:{deck.port}")


@dataclass
class Shared:
    """A broker on which another server has a session."""

    name = "redis"
    fault = None
    others: tuple[Elsewhere, ...]


FAR = Elsewhere(
    "far", "rig2-1a2b", "<i>reach</i>", 1.0, "ws://rig2:8000/stream/far", "ws://rig2:8000/stream/binary/far",
    "http://rig2:5006/live?session=far",
)  # fmt: skip


def test_home_lists_sessions_on_other_machines_with_their_addresses(
    make_deck: MakeDeck, browser: Browser
) -> None:
    broker = Shared((FAR,))
    deck = make_deck(small_recording(6, 400), [Arena], brokers=[broker])
    with browser.new_context() as context:
        page = home(Visitor(context, deck.url), deck)
        far = page.get_by_role("region", name="On other machines")
        expect(far.get_by_role("link", name="far")).to_have_attribute("href", FAR.dashboard_url)
        expect(far.get_by_role("row").nth(1)).to_contain_text("<i>reach</i>")
        expect(far).to_contain_text("ws://rig2:8000/stream/binary/far")
        broker.others = ()
        expect(far).to_be_hidden()


def test_home_tells_what_is_doubtful_and_which_trials_were_taken(deck: Deck, visitor: Visitor) -> None:
    tables = {
        "taken": {
            "name": "reaches",
            "path": "intervals/reaches",
            "n_trials": 4,
            "how": "the likeliest of 2",
        },
        "passed_over": [{"name": "rests", "reason": "another one comes first"}],
    }
    doubtful = replace(
        small_recording(name="doubtful"),
        warnings=("The spike times <b>end</b> late.", "20 trials have no stop."),
        trial_tables=MappingProxyType(tables),
    )
    deck.store.recordings = {"doubtful": doubtful, "small": small_recording()}
    page = home(visitor, deck)
    warnings = page.locator(".warnings:visible li")
    expect(warnings).to_have_text(["The spike times <b>end</b> late.", "20 trials have no stop."])
    told = entries(page, "[data-series]")
    assert told["Trials from"] == "reaches (the likeliest of 2)"
    assert told["Passed over"] == "rests: another one comes first"
    page.get_by_label("Recording", exact=True).select_option("small")
    expect(page.get_by_role("heading", name="small")).to_be_visible()
    expect(warnings).to_have_count(0)


def test_several_recordings_are_a_choice(make_deck: MakeDeck, visitor: Visitor) -> None:
    series = {
        "position": None,
        "velocity": {"name": "hand_vel", "how": "the hand's, as there is none of cursor_pos"},
        "passed_over": [{"name": "eye_pos", "reason": "the eye is no hand"}],
    }
    other = replace(small_recording(9, 400, name="other"), synthetic=False, series=MappingProxyType(series))
    deck = make_deck(small_recording(), [Arena], [other])
    with visitor.context.browser.new_context() as context:  # type: ignore[union-attr]
        page = home(Visitor(context, deck.url), deck)
        page.get_by_label("Recording", exact=True).select_option("other")
        expect(page.get_by_role("heading", name="other")).to_be_visible()
        assert entries(page, "[data-facts]")["Units"] == "9"
        expect(page.locator(".badge:visible")).to_have_count(0)
        assert entries(page, "[data-series]") == {
            "Position from": "nothing",
            "Velocity from": "hand_vel (the hand's, as there is none of cursor_pos)",
            "Passed over": "eye_pos: the eye is no hand",
        }
        link = page.get_by_role("link", name="Explore this recording")
        expect(link).to_have_attribute("href", "/explore?recording=other")
        options(page)
        page.get_by_label("Recording", exact=True).last.select_option("other")
        page.get_by_role("button", name="New session", exact=True).click()
        page.wait_for_selector("text=other · 9 units")


def test_sessions_come_and_go_in_the_list(deck: Deck, visitor: Visitor) -> None:
    page = home(visitor, deck)
    expect(page.get_by_text("No session yet").last).to_be_visible()
    keep_screenshot(page, "home-empty")
    first = deck.store.create("first")
    first.replay.resume()
    deck.store.create("second")
    expect(row(page, "first").locator(".state")).to_have_text("playing")
    expect(row(page, "first")).to_contain_text("/ 01:40")
    expect(page.get_by_text("No session yet").and_(page.locator(":visible"))).to_have_count(0)
    expect(page.get_by_text("2 of at most 50")).to_be_visible()
    deck.store.delete("second")
    expect(row(page, "second")).to_have_count(0)

    recorded = row(page, "first").get_by_text("REC")
    expect(recorded).to_have_count(0)
    assert deck.archive is not None
    tape = deck.archive.start(first)
    expect(recorded).to_be_visible()
    expect(row(page, tape.name)).to_contain_text("not finished")
    tape.stop()
    expect(recorded).to_have_count(0)
    finished = row(page, tape.name).get_by_role("link", name="NWB")
    expect(finished).to_be_visible(timeout=90_000)  # its process has the lowest priority

    link = row(page, "first").get_by_role("link", name="first")
    link.focus()
    was = row(page, "first").locator("[data-label=Position]").inner_text()
    expect(row(page, "first").locator("[data-label=Position]")).not_to_have_text(was)
    expect(link).to_be_focused()
    link.press("Enter")
    page.wait_for_selector("body[data-session=first][data-connection=open]")


def test_states_are_told_apart(deck: Deck, visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    for code in ("idle", "paused", "stopped", "ended", "failed"):
        deck.store.create(code)
    sessions = deck.store.sessions
    sessions["paused"].replay.pause()
    sessions["stopped"].replay.stop()
    sessions["ended"].replay.set_loop(False)
    sessions["ended"].replay.seek(deck.store.recording.n_bins - 1)
    sessions["ended"].replay.resume()

    def fail(_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(sessions["failed"].ring, "publish_raw", fail)
    sessions["failed"].replay.resume()
    page = home(visitor, deck)
    marks = set()
    for code in sessions:
        state = row(page, code).locator(".state")
        expect(state).to_have_text(code)
        marks.add(state.evaluate("(e) => getComputedStyle(e, '::before').content"))
    assert len(marks) == 5
    failed = row(page, "failed").locator(".state")
    expect(failed).to_have_attribute("title", "OSError: no space left")
    keep_screenshot(page, "home-states")


def test_a_new_session_opens_its_page_before_panel_is_there_and_after(
    deck: Deck, visitor: Visitor, browser: Browser
) -> None:
    page = home(visitor, deck)
    page.get_by_role("button", name="New session", exact=True).click()
    page.wait_for_selector("body[data-connection=open]")
    [code] = deck.store.sessions
    assert page.url == deck.live(code)
    with browser.new_context() as context:
        context.route("**/panel.min.js*", lambda route: route.abort())
        page = context.new_page()
        page.goto(deck.url)
        page.get_by_role("button", name="New session", exact=True).click()
        page.wait_for_selector("body[data-connection=open]")
    assert len(deck.store.sessions) == 2


def test_a_new_session_has_the_options_that_were_chosen(deck: Deck, visitor: Visitor) -> None:
    page = home(visitor, deck)
    options(page)
    page.get_by_label("Code").fill("mine")
    page.get_by_label("Speed", exact=True).fill("2.5")
    page.get_by_role("switch", name="Loop").click()
    page.get_by_label("LSL").select_option("off")
    page.get_by_label("Perturbation").select_option("intense")
    page.get_by_label("Seed").fill("11")
    page.get_by_label("Trials, such as 1-20, 45").fill("0-9")
    page.get_by_label("Targets, such as 0, 3").fill("2, 1")
    page.get_by_role("button", name="New session", exact=True).click()
    page.wait_for_selector("body[data-session=mine][data-connection=open]")
    view = deck.api("GET", "/api/sessions/mine")
    assert (view["speed"], view["loop"], view["seed"]) == (2.5, False, 11)
    assert deck.store.get("mine").options.lsl is False
    assert deck.store.get("mine").maker == "127.0.0.1"
    selection = deck.api("GET", "/api/sessions/mine/selection")
    assert (selection["trial_ids"], selection["target_ids"]) == (list(range(10)), [1, 2])
    assert preset_of(deck.api("GET", "/api/sessions/mine/perturbation")) == "intense"
    page = home(visitor, deck)
    options(page)
    page.get_by_role("switch", name="Speed max").click()
    expect(page.get_by_label("Speed", exact=True)).to_be_disabled()
    page.get_by_label("Code").fill("fast")
    page.get_by_role("button", name="New session", exact=True).click()
    page.wait_for_selector("body[data-session=fast]")
    assert deck.api("GET", "/api/sessions/fast")["speed"] == "max"


def test_a_new_session_has_the_source_that_was_chosen(deck: Deck, visitor: Visitor) -> None:
    page = home(visitor, deck)
    options(page)
    page.get_by_label("Source").select_option("simulated user, naive")
    page.get_by_role("switch", name="Speed max").click()
    page.get_by_label("Code").fill("naive")
    page.get_by_role("button", name="New session", exact=True).click()
    page.wait_for_selector("body[data-session=naive]")
    told = deck.api("GET", "/api/sessions/naive")
    assert (told["source"], told["speed"], told["closed_loop"]["lockstep"]) == ("user", "max", True)
    assert not told["closed_loop"]["user"]["forward_model"]


def test_what_is_wrong_with_a_new_session_is_said(deck: Deck, visitor: Visitor) -> None:
    deck.store.create("taken")
    page = home(visitor, deck)
    options(page)
    says, button = refusal(page), page.get_by_role("button", name="New session", exact=True)
    trials = page.get_by_label("Trials, such as 1-20, 45")
    trials.fill("9-1")
    button.click()
    expect(says).to_contain_text("“9-1” is no number and no range.")
    trials.fill("41")
    button.click()
    expect(says).to_have_text("Unknown trial 41. This recording has trials 0 to 39.")
    trials.fill("")
    page.get_by_label("Code").fill("no code")
    button.click()
    expect(says).to_contain_text("code")
    page.get_by_label("Code").fill("taken")
    page.get_by_label("Seed").fill("3")
    button.click()
    expect(says).to_contain_text("Session taken was made with another seed.")
    assert list(deck.store.sessions) == ["taken"]
    deck.store.delete("taken")
    deck.store.limits.max_sessions = 0
    button.click()
    expect(says).to_contain_text("which is the limit")


def test_a_session_is_deleted_once_that_is_confirmed(deck: Deck, visitor: Visitor) -> None:
    deck.store.create("doomed")
    decoder = create_connection(f"ws://127.0.0.1:{deck.port}/stream/doomed", suppress_origin=True)
    page = home(visitor, deck)
    doomed = row(page, "doomed")
    expect(doomed).to_contain_text("1 decoder")
    page.get_by_role("button", name="Delete doomed").press("Enter")
    expect(doomed.get_by_role("alert")).to_contain_text("1 decoder will be cut off.")
    keep_screenshot(page, "home-delete")
    keep = doomed.get_by_role("button", name="Keep it")
    expect(keep).to_be_focused()
    keep.press("Enter")
    expect(doomed.get_by_role("alert")).to_have_count(0)
    assert list(deck.store.sessions) == ["doomed"]
    page.get_by_role("button", name="Delete doomed").click()
    doomed.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("No session yet").and_(page.locator(":visible"))).to_have_count(1)
    assert deck.store.sessions == {}
    decoder.shutdown()


def test_a_session_that_has_just_gone_is_refused_in_words(deck: Deck, visitor: Visitor) -> None:
    deck.store.create("gone")
    page = home(visitor, deck)
    page.get_by_role("button", name="Delete gone").click()
    button = row(page, "gone").get_by_role("button", name="Delete", exact=True)
    button.wait_for()
    deck.store.delete("gone")
    button.evaluate("(button) => button.click()")
    either = refusal(page).or_(page.get_by_text("No session yet"))
    expect(either.filter(visible=True).first).to_be_visible()
    expect(row(page, "gone")).to_have_count(0)


def test_an_unknown_code_offers_to_create_it(deck: Deck, visitor: Visitor) -> None:
    page = visitor.open(deck.live("not-there"))
    keep_screenshot(page, "unknown")
    page.get_by_role("button", name="Create not-there").click()
    page.wait_for_selector("body[data-connection=open]")
    assert list(deck.store.sessions) == ["not-there"]


@pytest.mark.parametrize(
    ("query", "says"), [("", "Which session?"), ("?session=<b>no</b>", "That is no session code")]
)
def test_an_address_without_a_code_says_so(deck: Deck, visitor: Visitor, query: str, says: str) -> None:
    page = visitor.open(f"{deck.url}/live{query}")
    expect(page.get_by_role("heading")).to_have_text(says)
    assert deck.store.sessions == {}


def test_a_lost_server_is_told_and_found_again(deck: Deck, visitor: Visitor) -> None:
    recording = deck.store.recording
    page = home(visitor, deck)
    deck.stop()
    expect(page.locator("#notice")).to_contain_text("Lost the server")
    deck.start(recording)
    expect(page.locator("#notice")).to_be_hidden()
    page.wait_for_selector("body[data-controls=ready]")
