"""The perturbation's panel and the view's, against what the API says."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from dashboard.perturbation import panel
from engine.stages.perturb import MODELS, PRESETS
from sessions.options import Options
from sessions.session import Session
from tests.dashboard.conftest import Deck, Visitor, quick_deck
from tests.dashboard.test_transport import asked

deck = pytest.fixture(scope="module")(quick_deck)


@pytest.fixture
def session(deck: Deck, request: pytest.FixtureRequest) -> Session:
    return deck.store.create(request.node.name.partition("[")[0][:64], Options(seed=42))


@pytest.fixture
def page(deck: Deck, visitor: Visitor, session: Session) -> Page:
    return visitor.watch(deck, session.code)


def perturbation(deck: Deck, session: Session) -> Any:
    return deck.api("GET", f"/api/sessions/{session.code}/perturbation")


def test_presets_set_every_control(deck: Deck, page: Page, session: Session) -> None:
    panel = page.locator("#perturbation")
    for name, models in reversed(PRESETS.items()):
        with asked(page, "/perturbation"):
            panel.get_by_role("button", name=name.capitalize()).click()
        expect(panel.locator("[aria-pressed=true]")).to_have_text(name.capitalize())
        now = perturbation(deck, session)
        for model, values in models.items():
            assert now[model].items() >= values.items()
        for label in ("Noise", "Drift"):
            expect(page.get_by_role("switch", name=label)).to_be_checked(
                checked=now[label.lower()]["enabled"]
            )
        expect(page.get_by_label("Noise, Sd")).to_have_value(f"{now['noise']['sd']:g}")
        expect(page.get_by_label("Drift, Amplitude")).to_have_value(f"{now['drift']['amplitude']:g}")
    expect(page.locator("#perturbed")).to_have_text("off")
    expect(page.locator("#seed")).to_have_text("42")


def test_a_model_is_switched_and_tuned_while_playing(deck: Deck, page: Page, session: Session) -> None:
    session.replay.resume()
    with asked(page, "/perturbation"):
        page.get_by_role("switch", name="Noise").press("Space")
    expect(page.locator("#perturbed")).to_have_text("noise")
    with asked(page, "/perturbation"):
        page.get_by_label("Noise, Sd").fill("0.75")
        page.keyboard.press("Enter")
    expect(page.get_by_label("Drift, Period")).to_be_hidden()
    with asked(page, "/perturbation"):
        page.get_by_role("switch", name="Drift").press("Space")
    with asked(page, "/perturbation"):
        page.get_by_label("Period T, in seconds.").press("End")
    expect(page.get_by_label("Drift, Period")).to_have_value("600")
    now = perturbation(deck, session)
    assert now["noise"] == {"enabled": True, "sd": 0.75}
    assert (now["drift"]["enabled"], now["drift"]["period"]) == (True, 600)
    expect(page.locator("#presets [aria-pressed=true]")).to_have_count(0)
    page.wait_for_selector("body[data-state=playing]")
    for label in ("Noise", "Drift"):
        with asked(page, "/perturbation"):
            page.get_by_role("switch", name=label).click()
    expect(page.locator("#presets [aria-pressed=true]")).to_have_text("None")


def test_every_model_has_its_controls(deck: Deck, page: Page, session: Session) -> None:
    for model in MODELS:
        label = panel(model).label
        with asked(page, "/perturbation"):
            page.get_by_role("switch", name=label).click()
        for control in panel(model).controls:
            number = page.get_by_label(f"{label}, {control.label}")
            expect(number).to_have_value(f"{control.value:g}")
            with asked(page, "/perturbation"):
                number.fill(f"{control.high:g}")
                page.keyboard.press("Enter")
    now = perturbation(deck, session)
    for model in MODELS:
        highest = {control.name: control.high for control in panel(model).controls}
        assert now[model.key] == {"enabled": True, **highest}
    expect(page.locator("#perturbation .refusal")).to_have_text("")


def test_a_number_out_of_bounds_is_not_sent_and_stays_to_be_mended(
    deck: Deck, page: Page, session: Session
) -> None:
    with asked(page, "/perturbation"):
        page.get_by_role("switch", name="Noise").press("Space")
    page.get_by_label("Noise, Sd").fill("11")
    page.keyboard.press("Enter")
    with asked(page, "/perturbation"):
        page.get_by_role("switch", name="Drift").press("Space")
    expect(page.get_by_role("switch", name="Drift")).to_be_checked()
    deck.api("PUT", f"/api/sessions/{session.code}/perturbation", {"drift": {"amplitude": 0.3}})
    expect(page.get_by_label("Drift, Amplitude")).to_have_value("0.3")  # a frame has told all settings
    expect(page.get_by_label("Noise, Sd")).to_have_value("11")
    assert page.get_by_label("Noise, Sd").evaluate("(input) => input.validity.rangeOverflow")
    assert perturbation(deck, session)["noise"]["sd"] == 0.2
    with asked(page, "/perturbation"):
        page.get_by_label("Noise, Sd").fill("3")
        page.keyboard.press("Enter")
    assert perturbation(deck, session)["noise"]["sd"] == 3


def test_the_view_is_shared(deck: Deck, page: Page, visitor: Visitor, session: Session) -> None:
    other = visitor.watch(deck, session.code)
    with asked(page, "/view"):
        page.get_by_label("Order of units").select_option("by preferred direction")
    with asked(page, "/view"):
        page.get_by_label("unit 3").uncheck()
    with asked(page, "/view"):
        page.get_by_label("Hit radius, mm").fill("12.5")
        page.keyboard.press("Enter")
    view = {"order": "direction", "hidden_units": [3], "hit_radius": 12.5}
    assert deck.api("GET", f"/api/sessions/{session.code}/view") == view
    expect(other.get_by_label("Order of units")).to_have_value("direction")
    expect(other.get_by_label("unit 3")).not_to_be_checked()
    expect(other.get_by_label("Hit radius, mm")).to_have_value("12.5")
    expect(other.locator("#viewed")).to_have_text("1 of 6 units hidden")
    with asked(other, "/view"):
        other.get_by_role("button", name="Hide all").click()
    expect(page.locator("#viewed")).to_have_text("6 of 6 units hidden")
    with asked(other, "/view"):
        other.get_by_role("button", name="Show all").click()
    expect(page.locator("#viewed")).to_have_text("all units")


def test_what_a_view_cannot_be_is_said(page: Page) -> None:
    with asked(page, "/view"):
        page.get_by_label("Hit radius, mm").fill("0")
        page.keyboard.press("Enter")
    expect(page.locator("#view .refusal")).to_contain_text("hit_radius")
