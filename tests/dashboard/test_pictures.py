"""A picture that cannot be drawn yet is asked for again, without anybody's doing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Download, expect

from dashboard import theme
from plotters.arena import Arena
from sessions.studio import Studio
from tests.builders import small_recording
from tests.dashboard.conftest import Deck, Visitor, refusal
from tests.dashboard.test_connect import draw
from tests.sessions.test_studio import load_when_told


@pytest.fixture
def go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file without which the process that draws goes on loading."""
    path = tmp_path / "go"
    monkeypatch.setenv("STUDIO_MAY_LOAD", str(path))
    return path


@pytest.fixture
def deck(go: Path) -> Iterator[Deck]:
    studio = Studio(draw, theme.roles, load=load_when_told, starting=0.05)
    made = Deck(small_recording(6, 4000, n_trials=40), [Arena], studio=studio)
    yield made
    studio.close()
    made.stop()


def test_picture_that_cannot_be_drawn_yet_is_asked_for_again(
    deck: Deck, visitor: Visitor, go: Path
) -> None:
    session = deck.store.create("deck")
    page = visitor.watch(deck, session.code, "pictures")
    with page.expect_download() as download:
        page.locator("#pictures").get_by_role("button", name="Download").click()
        expect(page.get_by_text("Drawing")).to_be_visible()
        expect(page.locator("#pictures").get_by_role("progressbar")).to_be_visible()
        go.touch()
    assert download.value.path().read_text().startswith("<svg>")
    expect(page.get_by_text("Drawing")).to_be_hidden()
    expect(refusal(page)).to_be_empty()


def test_who_stops_waiting_gets_nothing(deck: Deck, visitor: Visitor, go: Path) -> None:
    page = visitor.watch(deck, deck.store.create("stopped").code, "pictures")
    downloads: list[Download] = []
    page.on("download", lambda each: downloads.append(each))
    card = page.locator("#pictures")
    card.get_by_role("button", name="Download").click()
    card.get_by_role("button", name="Stop").click()
    expect(card.get_by_role("progressbar")).to_be_hidden()
    go.touch()
    with page.expect_download() as download:
        card.get_by_label("Format").select_option("SVG")
        card.get_by_role("button", name="Download").click()
    assert [each.suggested_filename for each in downloads] == [download.value.suggested_filename]
