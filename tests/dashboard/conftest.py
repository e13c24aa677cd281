"""A running dashboard with REST, and a real browser."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from dashboard import build_server, close_server
from engine.recording import Recording
from plotters import PLOTTERS
from plotters.base import Plotter
from sessions.rest import rest_rules
from sessions.store import Store
from tests.builders import small_recording

STREAM_PORT = 8000
SCREENSHOTS = Path(os.environ.get("PHANTOM_SCREENSHOTS", "/tmp/phantomdeck-screenshots"))


class Deck:
    """A dashboard in a thread; it can be stopped and started again on its port."""

    def __init__(self, recording: Recording, plotters: Sequence[type[Plotter]] = PLOTTERS) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.plotters = plotters
        self.start(recording)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def live(self, code: str) -> str:
        return f"{self.url}/live?session={code}"

    def start(self, recording: Recording) -> None:
        """Begin with no session."""
        self.store = Store({recording.name: recording})
        self._up, self._stopping = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="dashboard")
        self._thread.start()
        assert self._up.wait(20)

    def stop(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        server = build_server(
            self.store,
            port=self.port,
            address="127.0.0.1",
            stream_port=STREAM_PORT,
            plotters=self.plotters,
            extra_patterns=rest_rules(self.store, STREAM_PORT, self.port),
        )
        server.start()
        self._up.set()
        await self._stopping.wait()
        await self._loop.run_in_executor(None, self.store.close)
        await close_server(server)


MakeDeck = Callable[..., Deck]


@pytest.fixture
def make_deck() -> Iterator[MakeDeck]:
    made: list[Deck] = []

    def make(recording: Recording, plotters: Sequence[type[Plotter]] = PLOTTERS) -> Deck:
        made.append(Deck(recording, plotters))
        return made[-1]

    yield make
    for deck in made:
        deck.stop()


@pytest.fixture
def deck(make_deck: MakeDeck) -> Deck:
    """Replays 6 units for 100 s, with gaps."""
    return make_deck(small_recording(6, 4000, n_trials=40, gaps=True))


class Visitor:
    """Somebody with a browser, whose pages must not fail and must not ask other hosts."""

    def __init__(self, context: BrowserContext, own: str) -> None:
        self.context = context
        self.foreign: list[str] = []
        self.failures: list[str] = []

        def is_foreign(url: str) -> bool:
            return not url.startswith((own, own.replace("http", "ws"), "data:", "blob:"))

        def watch(page: Page) -> None:
            page.on("request", lambda request: self._note(request.url, is_foreign))
            page.on("websocket", lambda socket: self._note(socket.url, is_foreign))
            page.on("pageerror", lambda error: self.failures.append(str(error)))

        context.on("page", watch)
        context.route(is_foreign, lambda route: route.abort())

    def _note(self, url: str, is_foreign: Callable[[str], bool]) -> None:
        if is_foreign(url):
            self.foreign.append(url)

    def open(self, url: str) -> Page:
        page = self.context.new_page()
        page.set_default_timeout(10_000)
        page.goto(url)
        return page

    def watch(self, deck: Deck, code: str) -> Page:
        """Open a session's page and wait until its feed has come."""
        page = self.open(deck.live(code))
        page.wait_for_selector("body[data-connection=open]")
        return page


@pytest.fixture
def visitor(deck: Deck, browser: Browser) -> Iterator[Visitor]:
    with browser.new_context(color_scheme="dark") as context:
        visiting = Visitor(context, deck.url)
        yield visiting
        assert visiting.failures == []
        assert visiting.foreign == []
