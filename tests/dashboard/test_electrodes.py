"""The card of electrodes: what is set there and elsewhere, and how well spikes are found."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import expect

from dashboard.live.electrodes import choose_electrode, drag_threshold, in_all, worst
from dashboard.live.ids import parse_levels, parse_pairs, spell_levels, spell_pairs
from engine.errors import BadSetting
from engine.sources.electrodes.judge import Detected
from engine.sources.electrodes.truth import Matched
from plotters.arena import Arena
from sessions.archive import Archive
from sessions.options import Options
from tests.builders import small_recording
from tests.dashboard.conftest import Deck, Visitor, asked, keep_screenshot, refusal, resize

FOUND = Detected(
    thresholds=np.array([-40.0, -48.0, -44.0], np.float32),
    noise=np.array([10.0, 12.0, np.inf], np.float32),
    matched=Matched(
        n_true=np.array([10, 10, 0]),
        n_found=np.array([10, 0, 0]),
        n_hits=np.array([8, 0, 0]),
        errors=np.full(8, 2),
        channels=np.zeros(8, np.int32),
    ),
)


@pytest.fixture(scope="module")
def deck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deck]:
    archive = Archive(tmp_path_factory.mktemp("records"))
    made = Deck(small_recording(6, 4000, n_trials=40), [Arena], archive=archive)
    yield made
    made.stop()


def test_pairs_are_read_as_they_are_spelled() -> None:
    assert parse_pairs("4-5, 9-8") == [(4, 5), (9, 8)]
    assert spell_pairs([(4, 5), (9, 8)]) == "4-5, 9-8"
    assert parse_pairs("") == []
    with pytest.raises(BadSetting, match="is no pair"):
        parse_pairs("4-5, 6")


def test_levels_are_read_as_they_are_spelled() -> None:
    assert parse_levels("3: -60, 8:-52.5;") == [(3, -60.0), (8, -52.5)]
    assert spell_levels([(3, -60.0), (8, -52.5)]) == "3: -60, 8: -52.5"
    assert parse_levels("") == []
    with pytest.raises(BadSetting, match="is no channel with a number"):
        parse_levels("3-60")


def test_what_is_found_is_spelled_in_all_and_of_the_worst_channels() -> None:
    assert [row.cells for row in in_all(FOUND)] == [
        ("Recall", "0.40"),
        ("Precision", "0.80"),
        ("Lateness", "67 us"),
        ("Noise, median", "12.0 uV"),
        ("Threshold, median", "−44.0 uV"),
    ]
    assert [row.cells for row in worst(FOUND)] == [
        ("Ch. 1", "0.00", "–", "12.0"),
        ("Ch. 0", "0.80", "0.80", "10.0"),
    ]


def test_bad_channels_and_the_threshold_are_set_on_the_page_and_elsewhere(
    deck: Deck, visitor: Visitor
) -> None:
    session = deck.store.create("wired", Options(source="electrodes:6", speed=4.0, detection={"k": 4.5}))
    page = visitor.watch(deck, session.code)
    card = page.locator("#electrodes")
    dead = card.get_by_label("Dead channels")
    expect(card.get_by_text("Threshold, times the noise: 4.5")).to_be_visible()
    with asked(session):
        dead.fill("1-2, 5")
        dead.press("Enter")
    path = f"/api/sessions/{session.code}"
    assert deck.api("GET", f"{path}/electrodes")["dead"] == [1, 2, 5]
    expect(dead).to_have_value("1, 2, 5")  # as the server spells it: else that would come while one types
    dead.fill("9")
    dead.press("Enter")
    expect(refusal(page)).to_have_text("Unknown channel 9. There are 0 to 5.")
    expect(dead).to_have_value("1, 2, 5")
    with asked(session):
        card.get_by_role("switch", name="Common average reference").click()
    assert deck.api("GET", f"{path}/detection")["reference"] is True
    by_hand = card.get_by_label("Thresholds by hand, uV")
    with asked(session):
        by_hand.fill("3: -60, 0: -52.5")
        by_hand.press("Enter")
    assert deck.api("GET", f"{path}/detection")["thresholds"] == [[3, -60], [0, -52.5]]
    deck.api("PUT", f"{path}/detection", {"thresholds": [[2, -61]]})
    expect(by_hand).to_have_value("2: -61")
    deck.api("PUT", f"{path}/electrodes", {"dead": [], "shorted": [[3, 4]]})
    deck.api("PUT", f"{path}/detection", {"k": 4.2})
    expect(dead).to_have_value("")
    expect(card.get_by_label("Shorted pairs")).to_have_value("3-4")
    expect(card.get_by_text("Threshold, times the noise: 4.2")).to_be_visible()
    session.replay.resume()
    expect(card.get_by_role("row")).to_have_count(1 + 5 + 1 + 5)
    for theme in ("dark", "light"):
        for width in (1440, 390):
            resize(page, width)
            card.scroll_into_view_if_needed()
            keep_screenshot(page, f"electrodes-{theme}-{width}")
        page.get_by_role("button", name="Switch between dark and light").click()


def test_what_a_page_drags_or_clicks_beside_all_electrodes_changes_nothing(deck: Deck) -> None:
    wired = deck.store.create("dragged", Options(source="electrodes:6"))
    plain = deck.store.create("flat")
    wired.change_view({"scope_channels": [4, 1], "scope_microvolts": 50})
    drag_threshold(wired, 1, -2.5)
    assert wired.replay.source.implant.tuning.by_hand == {1: -75.0}
    drag_threshold(wired, 0, -1.0)
    assert wired.replay.source.implant.tuning.by_hand == {1: -75.0, 4: -50.0}
    with pytest.raises(BadSetting, match="A threshold is below 0 uV, not 25"):
        drag_threshold(wired, 1, -0.5)
    before = wired.replay.changes, plain.replay.changes, wired.view, plain.view
    drag_threshold(wired, 2, -2.5)
    drag_threshold(wired, -1, None)
    drag_threshold(plain, 0, -0.5)
    choose_electrode(wired, 9.0, 0.0)
    choose_electrode(plain, 0.0, 0.0)
    assert before == (wired.replay.changes, plain.replay.changes, wired.view, plain.view)
    drag_threshold(wired, 1, None)
    assert wired.replay.source.implant.tuning.by_hand == {4: -50.0}


def test_sessions_of_a_recording_have_no_such_card(deck: Deck, visitor: Visitor) -> None:
    page = visitor.watch(deck, deck.store.create("plain").code)
    expect(page.locator("#perturbation")).to_be_attached()
    expect(page.locator("#electrodes")).to_have_count(0)
    expect(page.get_by_role("button", name="Record", exact=True)).to_be_visible()
    expect(page.get_by_role("switch", name="With voltages")).to_have_count(0)


def test_voltages_are_recorded_where_somebody_wants_them(deck: Deck, visitor: Visitor) -> None:
    session = deck.store.create("taped", Options(source="electrodes:6"))
    page = visitor.watch(deck, session.code)
    switch = page.get_by_role("switch", name="With voltages")
    switch.click()
    page.get_by_role("button", name="Record", exact=True).click()
    expect(page.get_by_role("button", name="Stop recording")).to_be_visible()
    expect(switch).to_have_class(re.compile("bk-disabled"))
    assert session.tape is not None
    assert session.tape.voltages
    keep_screenshot(page, "record-with-voltages")
    page.get_by_role("button", name="Stop recording").click()
    expect(switch).not_to_have_class(re.compile("bk-disabled"))
    expect(switch).to_be_checked()
