"""The cards that tune a session, against what the API says: perturbation, view, limits of cursors."""

from __future__ import annotations

from typing import Any

import param
import pytest
from playwright.sync_api import Locator, Page, expect

from engine.stages.perturb import MODELS, PRESETS
from engine.stages.perturb.base import Model
from engine.view import PLAIN
from sessions.options import Options
from sessions.session import Session
from tests.dashboard.conftest import Deck, Visitor, asked, quick_deck, refusal

deck = pytest.fixture(scope="module")(quick_deck)


@pytest.fixture
def session(deck: Deck, request: pytest.FixtureRequest) -> Session:
    return deck.store.create(request.node.name.partition("[")[0][:64], Options(seed=42))


@pytest.fixture
def page(deck: Deck, visitor: Visitor, session: Session) -> Page:
    return visitor.watch(deck, session.code, "perturbation", "view", "safety")


def perturbation(deck: Deck, session: Session) -> Any:
    return deck.api("GET", f"/api/sessions/{session.code}/perturbation")


def label(model: type[Model]) -> str:
    return model.key.replace("_", " ").capitalize()


def number(page: Page, text: str) -> Locator:
    """The field of a parameter, by the text beside it."""
    return page.locator("#perturbation .tuning").get_by_role("textbox", name=text)


def tunable(model: type[Model]) -> dict[str, Any]:
    return {name: model.param[name] for name in model.param if name not in ("name", "enabled")}


def test_presets_set_every_control(deck: Deck, page: Page, session: Session) -> None:
    card = page.locator("#perturbation")
    for name, models in reversed(PRESETS.items()):
        with asked(session):
            card.get_by_role("radio", name=name.capitalize()).check()
        now = perturbation(deck, session)
        for model, values in models.items():
            assert now[model].items() >= values.items()
        for switch in ("Noise", "Drift"):
            expect(page.get_by_role("switch", name=switch)).to_be_checked(
                checked=now[switch.lower()]["enabled"]
            )
        if now["noise"]["enabled"]:
            expect(number(page, "Standard deviation per count")).to_have_value(f"{now['noise']['sd']:g}")
            expect(number(page, "Depth A, per count")).to_have_value(f"{now['drift']['amplitude']:g}")
    expect(page.locator("[data-value=perturbed]")).to_have_text("off \N{MIDDLE DOT} seed 42")


def test_a_model_is_switched_and_tuned_while_playing(deck: Deck, page: Page, session: Session) -> None:
    session.replay.resume()
    with asked(session):
        page.get_by_role("switch", name="Noise").locator(".bk-knob").press("Space")
    expect(page.locator("[data-value=perturbed]")).to_contain_text("noise")
    with asked(session):
        number(page, "Standard deviation per count").fill("0.75")
        page.keyboard.press("Enter")
    expect(number(page, "Period T, in seconds")).to_be_hidden()
    with asked(session):
        page.get_by_role("switch", name="Drift").locator(".bk-knob").press("Space")
    with asked(session):
        page.locator("#perturbation .tight .tight", has_text="Period T").locator(".noUi-handle").press(
            "End"
        )
    expect(number(page, "Period T, in seconds")).to_have_value("600")
    now = perturbation(deck, session)
    assert now["noise"] == {"enabled": True, "sd": 0.75}
    assert (now["drift"]["enabled"], now["drift"]["period"]) == (True, 600)
    expect(page.locator("#perturbation").get_by_role("radio", checked=True)).to_have_count(0)
    for name in ("Noise", "Drift"):
        with asked(session):
            page.get_by_role("switch", name=name).click()
    expect(page.locator("#perturbation").get_by_role("radio", name="None")).to_be_checked()


def test_every_model_has_its_controls(deck: Deck, page: Page, session: Session) -> None:
    page.get_by_role("button", name="As in recordings").click()
    for model in MODELS:
        with asked(session):
            page.get_by_role("switch", name=label(model), exact=True).click()
        for parameter in tunable(model).values():
            if not isinstance(parameter, param.Number):
                continue
            field = number(page, (parameter.doc or parameter.label).rstrip(".")).last
            expect(field).to_have_value(f"{parameter.default:g}")
            with asked(session):
                field.fill(f"{parameter.bounds[1]:.9g}")
                page.keyboard.press("Enter")
    now = perturbation(deck, session)
    for model in MODELS:
        highest = {name: p.bounds[1] for name, p in tunable(model).items() if isinstance(p, param.Number)}
        assert now[model.key].items() >= {"enabled": True, **highest}.items()
    expect(refusal(page)).to_be_empty()


def test_days_and_what_changes_in_recordings_are_behind_a_button(
    deck: Deck, page: Page, visitor: Visitor, session: Session
) -> None:
    card = page.locator("#perturbation")
    expect(page.get_by_role("switch", name="Gain walk")).to_have_count(0)
    card.get_by_role("button", name="As in recordings: more").click()
    with asked(session):
        card.get_by_role("radio", name="Day 15").check()
    expect(card.get_by_role("button", name="As in recordings, 2 on: less")).to_be_visible()
    other = visitor.watch(deck, session.code, "perturbation").locator("#perturbation")
    expect(other.get_by_role("button", name="As in recordings, 2 on: more")).to_be_visible()
    expect(other.get_by_role("radio", checked=True)).to_have_count(0)
    expect(page.get_by_role("switch", name="Turnover")).to_be_checked()
    now = perturbation(deck, session)
    assert (now["turnover"]["fraction"], now["gain_walk"]["enabled"]) == (0.33, True)
    with asked(session):
        card.get_by_role("radio", name="Light").check()
    expect(card.get_by_role("radio", name="Day 15")).not_to_be_checked()
    card.get_by_role("button", name="As in recordings: less").click()
    expect(page.get_by_role("switch", name="Gain walk")).to_have_count(0)


def test_a_number_out_of_bounds_is_not_sent_and_the_field_goes_back(
    deck: Deck, page: Page, session: Session
) -> None:
    with asked(session):
        page.get_by_role("switch", name="Noise").click()
    field = number(page, "Standard deviation per count")
    field.fill("11")
    page.keyboard.press("Enter")
    with asked(session):
        page.get_by_role("switch", name="Drift").click()  # whatever was sent before is there by then
    expect(field).to_have_value("0.2")
    assert perturbation(deck, session)["noise"]["sd"] == 0.2
    with asked(session):
        field.fill("3")
        page.keyboard.press("Enter")
    assert perturbation(deck, session)["noise"]["sd"] == 3


def test_an_empty_field_is_refused(deck: Deck, page: Page, session: Session) -> None:
    with asked(session):
        page.get_by_role("switch", name="Noise").click()
    field = number(page, "Standard deviation per count")
    field.fill("")
    page.keyboard.press("Enter")
    expect(refusal(page)).to_contain_text("is a number, such as 0.2.")
    expect(field).to_have_value("0.2")
    assert perturbation(deck, session)["noise"]["sd"] == 0.2


def test_what_the_api_changes_shows_and_is_not_sent_back(deck: Deck, page: Page, session: Session) -> None:
    settings = {"noise": {"enabled": True, "sd": 1.25}, "drift": {"enabled": True}}
    deck.api("PUT", f"/api/sessions/{session.code}/perturbation", settings)
    changes = session.replay.changes
    expect(number(page, "Standard deviation per count")).to_have_value("1.25")
    deck.api("PUT", f"/api/sessions/{session.code}/perturbation", {"drift": {"amplitude": 0.3}})
    expect(number(page, "Depth A, per count")).to_have_value("0.3")
    assert session.replay.changes == changes + 1


def test_the_view_is_shared(deck: Deck, page: Page, visitor: Visitor, session: Session) -> None:
    other = visitor.watch(deck, session.code, "perturbation", "view", "safety")
    with asked(session):
        page.get_by_label("Order of units").select_option("by preferred direction")
    with asked(session):
        page.get_by_role("checkbox", name="unit 3").uncheck()
    with asked(session):
        page.get_by_label("Hit radius, mm").fill("12.5")
        page.keyboard.press("Enter")
    view = PLAIN.settings | {"order": "direction", "hidden_units": [3], "hit_radius": 12.5}
    assert deck.api("GET", f"/api/sessions/{session.code}/view") == view
    expect(other.get_by_label("Order of units")).to_have_value("by preferred direction")
    expect(other.get_by_role("checkbox", name="unit 3")).not_to_be_checked()
    expect(other.get_by_label("Hit radius, mm")).to_have_value("12.5")
    expect(other.locator("[data-value=viewed]")).to_have_text("1 of 6 units hidden")
    with asked(session):
        other.get_by_role("button", name="Hide all").click()
    expect(page.locator("[data-value=viewed]")).to_have_text("6 of 6 units hidden")
    with asked(session):
        other.get_by_role("button", name="Show all").click()
    expect(page.locator("[data-value=viewed]")).to_have_text("all units")


def test_limits_are_set_and_what_they_cannot_be_is_refused_to_who_asked(
    deck: Deck, page: Page, visitor: Visitor, session: Session
) -> None:
    other = visitor.watch(deck, session.code, "perturbation", "view", "safety")
    with asked(session):
        page.get_by_label("Speed, mm/s").fill("123")
        page.keyboard.press("Enter")
    assert session.safety.limits.max_speed == 123
    expect(other.get_by_label("Speed, mm/s")).to_have_value("123")
    page.get_by_label("Speed, mm/s").fill("0")
    page.keyboard.press("Enter")
    expect(refusal(page)).to_contain_text("max_speed")
    expect(page.get_by_label("Speed, mm/s")).to_have_value("123")
    assert session.safety.limits.max_speed == 123
    expect(refusal(other)).to_be_empty()


def test_what_a_view_cannot_be_is_said(page: Page, session: Session) -> None:
    page.get_by_label("Hit radius, mm").fill("0")
    page.keyboard.press("Enter")
    expect(refusal(page)).to_contain_text("hit_radius")
    assert session.view.hit_radius == 10
