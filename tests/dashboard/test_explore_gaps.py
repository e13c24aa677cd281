"""The Explore page of recordings that lack something, and of a server that is lost."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from engine.sources.recordings.recording import Recording
from plotters.arena import Arena
from tests.builders import small_recording
from tests.dashboard.conftest import Deck, Visitor
from tests.dashboard.test_explore import eventually, explore, shown

RECORDING = small_recording(6, 4000, n_trials=40, gaps=True)

WARNINGS = ("The spike times <b>end</b> late.", "20 trials have no stop.")


def without(field: str, value: float) -> Recording:
    """A recording whose bins lack something."""
    bins = RECORDING.bins.copy()
    bins[field] = value
    return dataclasses.replace(RECORDING, bins=bins)


def no_go_cue() -> Recording:
    trials = tuple(dataclasses.replace(trial, go_cue_time=np.nan) for trial in RECORDING.trials)
    return dataclasses.replace(RECORDING, trials=trials, warnings=WARNINGS)


@pytest.fixture(scope="module")
def deck() -> Iterator[Deck]:
    made = Deck(
        no_go_cue(),
        [Arena],
        [
            dataclasses.replace(without("trial", -1), name="trialless", trials=()),
            dataclasses.replace(without("kinematics", np.nan), name="still"),
            small_recording(1, 400, n_trials=4, name="one"),
            small_recording(1024, 400, n_trials=4, name="many"),
        ],
    )
    yield made
    made.stop()


def assert_says(page: Page, card: str, words: str) -> None:
    """Words stand in place of a plot."""
    expect(page.locator(f".card-{card}")).to_contain_text(words)
    expect(page.locator(f".card-{card} canvas").first).to_be_hidden()


def test_an_event_that_no_trial_has_is_told_in_place_and_what_is_doubtful_above(
    deck: Deck, visitor: Visitor
) -> None:
    page = explore(visitor, deck)
    expect(page.locator(".warnings li")).to_have_text(list(WARNINGS))
    page.get_by_label("Align to").select_option("Go cue: none")
    for card in ("raster", "psth"):
        assert_says(page, card, "No trial has a time for: go cue. Align to another event.")
    page.get_by_label("Align to").select_option("Target on")
    expect(page.locator(".card-psth canvas").first).to_be_visible()

    def check() -> None:
        assert shown(page, "psth", "MultiLine", "ys")[0]

    eventually(page, check)


def test_a_recording_without_trials_still_has_rates(deck: Deck, visitor: Visitor) -> None:
    page = explore(visitor, deck, "?recording=trialless")
    for card, words in (
        ("paths", "no trials"),
        ("raster", "no trials"),
        ("psth", "no trials"),
        ("tuning", "no tuning"),
        ("preferred", "No unit is tuned"),
    ):
        assert_says(page, card, words)
    assert sum(shown(page, "rates", "Quad", "top")[0]) == 6


def test_a_recording_without_positions_still_has_rasters(deck: Deck, visitor: Visitor) -> None:
    page = explore(visitor, deck, "?recording=still")
    assert_says(page, "paths", "no positions")
    assert_says(page, "tuning", "for want of targets or positions")
    assert np.isfinite(np.array(shown(page, "raster", "Image", "image")[0][0], float)).any()


@pytest.mark.parametrize(("name", "n_units"), [("one", 1), ("many", 1024)])
def test_one_unit_and_a_thousand_can_be_looked_at(
    deck: Deck, visitor: Visitor, name: str, n_units: int
) -> None:
    page = explore(visitor, deck, f"?recording={name}&unit={n_units - 1}")
    expect(page.get_by_label("Unit").locator("option")).to_have_count(n_units)
    expect(page.get_by_label("Unit")).to_have_value(f"unit {n_units - 1}")
    assert sum(shown(page, "rates", "Quad", "top")[0]) == n_units


def test_a_lost_server_is_told_the_plots_stay_and_the_page_finds_it_again(
    deck: Deck, visitor: Visitor
) -> None:
    page = explore(visitor, deck, "?recording=one&before=0.3")
    recordings = deck.store.recordings
    deck.stop()
    expect(page.locator("#notice")).to_contain_text("Lost the server")
    assert shown(page, "psth", "MultiLine", "ys")[0]
    deck.start(*recordings.values())
    expect(page.locator("#notice")).to_be_hidden()
    page.wait_for_selector("body[data-controls=ready]")
    expect(page.get_by_label("Before (s)")).to_have_value("0.3")
