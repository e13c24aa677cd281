"""A picture that cannot be drawn yet is asked for again, without anybody's doing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import expect

from dashboard import theme
from plotters.arena import Arena
from sessions.errors import Busy
from sessions.rest.pictures import moment_of
from sessions.studio import Studio
from tests.builders import small_recording
from tests.dashboard.conftest import Deck, Visitor
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
    page = visitor.watch(deck, session.code)
    page.clock.install()
    with page.expect_download() as download:
        with page.expect_response(lambda answer: "snapshot" in answer.url) as refused:
            page.locator("#pictures").get_by_role("button", name="Download").click()
        assert (refused.value.status, refused.value.headers["retry-after"]) == (503, "5")
        expect(page.locator("#drawing")).to_be_visible()
        go.touch()
        loaded = False
        while not loaded:
            with suppress(Busy):
                loaded = bool(
                    deck.studio and deck.studio.draw(moment_of(session, 5.0), [], "svg", "dark", 300)
                )
        page.clock.fast_forward(5000)
    assert download.value.path().read_text().startswith("<svg>")
    expect(page.locator("#pictures .refusal")).to_be_hidden()
