"""The card of perturbations over time, against what the API says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from dashboard.live.marks import marks
from dashboard.live.schedule import asked as step_of
from dashboard.live.schedule import parse_clock, spell_clock, spell_step, strength_of
from engine.errors import BadSetting
from engine.stages.perturb import MODELS
from engine.stages.perturb.timetable import Step
from sessions.session import Session
from tests.dashboard.conftest import Deck, Visitor, asked, quick_deck, refusal
from tests.engine.listening import wait_until

deck = pytest.fixture(scope="module")(quick_deck)

DRIFT = {"drift": {"enabled": True, "amplitude": 0.3}}


@pytest.fixture
def session(deck: Deck, request: pytest.FixtureRequest) -> Session:
    return deck.store.create(request.node.name.partition("[")[0][:64])


@pytest.fixture
def page(deck: Deck, visitor: Visitor, session: Session) -> Page:
    return visitor.watch(deck, session.code, "schedule")


def steps(deck: Deck, session: Session) -> Any:
    return deck.api("GET", f"/api/sessions/{session.code}/timetable")["steps"]


@pytest.mark.parametrize(
    ("text", "seconds"), [("0:00", 0.0), ("2:30", 150.0), ("10:05.25", 605.25), ("166:40", 10_000.0)]
)
def test_times_are_read_as_they_are_spelled(text: str, seconds: float) -> None:
    assert parse_clock(text) == seconds
    assert spell_clock(seconds) == text


def test_no_time_is_rounded_to_a_sixtieth_second() -> None:
    assert spell_clock(59.9999) == "1:00"


@pytest.mark.parametrize("text", ["", "2", "1:60", "-1:00", "a:b"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(BadSetting, match="is no time"):
        parse_clock(text)


def test_a_step_says_what_and_how_strongly() -> None:
    assert step_of("drift", "0.3") == DRIFT
    assert spell_step(DRIFT) == ("Drift", "amplitude 0.3")
    assert spell_step(step_of("unit_loss", "0")) == ("Unit loss", "off")
    assert spell_step(step_of("light", "")) == ("Light", "")
    assert {model.key: strength_of(model) for model in MODELS}["lost_packets"] == "probability"
    with pytest.raises(BadSetting, match="its own strength"):
        step_of("light", "2")
    with pytest.raises(BadSetting, match="is no strength"):
        step_of("drift", "nan")


def test_a_scenario_adds_its_days(deck: Deck, page: Page, session: Session) -> None:
    card = page.locator("#schedule")
    card.get_by_label("At, minute:second").fill("1:00")
    card.get_by_label("Preset or model").select_option("Day 0 to day 30 (scenario)")
    card.get_by_label("Strength").fill("30")
    with asked(session):
        card.get_by_role("button", name="Add").click()
    assert [(step["at"], step["perturbation"]["preset"]) for step in steps(deck, session)] == [
        (60.0, "day-0"), (90.0, "day-1"), (120.0, "day-7"), (150.0, "day-15"), (180.0, "day-30"),
    ]  # fmt: skip
    asked_again = {"scenario": "days", "pace": 30}
    deck.api("PUT", f"/api/sessions/{session.code}/timetable", asked_again)
    assert [step["at"] for step in steps(deck, session)] == [0, 30, 60, 90, 120]


def test_steps_are_marked_where_they_come(session: Session) -> None:
    replay = session.replay
    replay.set_timetable([Step(10.0, DRIFT), Step(500.0, {"preset": "none"})])
    assert marks(session) == [[400, "Drift", "decoder-1"], [0, "None", "decoder-1"]]
    replay.set_loop(False)
    replay.seek(1000)
    assert marks(session) == [[1400, "Drift", "decoder-1"]]
    replay.step()
    wait_until(lambda: replay.n_played == 1)
    assert marks(session) == [[1400, "Drift", "decoder-1"]]


def test_a_schedule_is_made_step_by_step_and_as_json(deck: Deck, page: Page, session: Session) -> None:
    card = page.locator("#schedule")
    card.get_by_label("At, minute:second").fill("0:20")
    card.get_by_label("Preset or model").select_option("Drift")
    card.get_by_label("Strength").fill("0.3")
    with asked(session):
        card.get_by_role("button", name="Add").click()
    assert steps(deck, session) == [{"at": 20.0, "perturbation": DRIFT}]
    expect(card.get_by_role("row").nth(1)).to_contain_text("0:20Driftamplitude 0.3")
    later = [{"at": 30.0, "perturbation": {"preset": "none"}}]
    deck.api("PUT", f"/api/sessions/{session.code}/timetable", {"steps": later})
    text = card.get_by_label("As JSON")
    expect(text).to_have_value(json.dumps(later, indent=1))
    text.fill(json.dumps([*later, {"at": 40, "perturbation": {"noise": {"enabled": True}}}]))
    with asked(session):
        card.get_by_role("button", name="Apply").click()
    expect(card.get_by_role("row")).to_have_count(3)
    with asked(session):
        card.get_by_role("button", name="Remove the step at 0:30").click()
    assert [step["at"] for step in steps(deck, session)] == [40.0]
    session.replay.step()
    wait_until(lambda: session.replay.n_played == 1)
    with asked(session):
        card.get_by_role("button", name="Restart from zero").click()
    assert session.replay.n_played < session.ring.head
    wait_until(lambda: session.replay.state == "playing")


def test_what_cannot_be_is_said_and_nothing_changes(deck: Deck, page: Page, session: Session) -> None:
    card = page.locator("#schedule")
    add, apply = card.get_by_role("button", name="Add"), card.get_by_role("button", name="Apply")
    card.get_by_label("At, minute:second").fill("soon")
    add.click()
    expect(refusal(page)).to_have_text("'soon' is no time. Write minute:second, such as 2:30.")
    card.get_by_label("At, minute:second").fill("0:20")
    card.get_by_label("Preset or model").select_option("Unit loss")
    card.get_by_label("Strength").fill("2")
    add.click()
    expect(refusal(page)).to_contain_text("unit_loss.fraction' is 2")
    card.get_by_label("As JSON").fill("[{")
    apply.click()
    expect(refusal(page)).to_contain_text("That is no JSON.")
    card.get_by_label("As JSON").fill('[{"at": -1, "perturbation": {}}]')
    apply.click()
    expect(refusal(page)).to_contain_text("at' is -1")
    assert steps(deck, session) == []
