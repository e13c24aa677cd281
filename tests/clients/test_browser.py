"""The example page in a real browser, served from elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.clients.conftest import CLIENTS, playing

RASTER = "[...document.querySelector('#raster').getContext('2d').getImageData(0, 0, 160, 5).data]"
ARENA = (
    "document.querySelector('#arena').getContext('2d').getImageData(0, 0, 1000, 1000).data.some(Boolean)"
)
ALPHAS = (0, 160, 210, 255)
"""Of 0 to 3 spikes."""


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *about: Any) -> None:
        pass


@pytest.fixture
def origin() -> Iterator[str]:
    """Where the page comes from."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=CLIENTS)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def look(browser: Browser, url: str, status: str) -> dict[str, Any]:
    """Open the page, wait for a pattern in its status line, and look at what it shows."""
    with browser.new_context(viewport={"width": 390, "height": 844}) as context:
        page = context.new_page()
        failures: list[str] = []
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.goto(url)
        condition = f"/{status}/.test(document.querySelector('#status').textContent)"
        page.wait_for_function(condition, timeout=20_000)
        return {
            "title": page.inner_text("#title"),
            "status": page.inner_text("#status"),
            "raster": page.evaluate(RASTER),
            "arena": page.evaluate(ARENA),
            "width": page.evaluate("document.documentElement.scrollWidth"),
            "failures": failures,
        }


def test_the_page_draws_counts_and_cursor(browser: Browser, origin: str) -> None:
    with playing(allowed=[origin]) as deck:
        seen = look(browser, f"{origin}/browser.html?url={deck.url}&session=demo", "Packet [3-9][0-9] ")
    assert seen["failures"] == []
    assert seen["title"] == "small, 5 units"
    assert "0 missed" in seen["status"]
    assert seen["arena"]
    assert seen["width"] == 390
    newest = [seen["raster"][4 * (160 * unit + 159) + 3] for unit in range(5)]
    counts = [ALPHAS.index(alpha) for alpha in newest]
    assert counts == [(counts[0] + unit) % 4 for unit in range(5)]


def test_the_page_says_which_origin_the_server_must_allow(browser: Browser, origin: str) -> None:
    with playing() as deck:
        seen = look(browser, f"{origin}/browser.html?url={deck.url}", "No answer")
    assert f"--allow-origin {origin}?" in seen["status"]
