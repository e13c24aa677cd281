"""A running dashboard with REST, and a real browser."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from dashboard import build_server, close_server
from engine.sources.recordings.recording import Recording
from engine.sources.user.fitting import Fits
from plotters import PLOTTERS
from plotters.arena import Arena
from plotters.base import Plotter
from sessions.archive import Archive
from sessions.brokers.elsewhere import Broker
from sessions.calibrations import Calibrations
from sessions.gate import Origins, Rate, Rules, Token
from sessions.launcher import Launcher
from sessions.rest.context import Context
from sessions.rest.handler import rest_rules
from sessions.runs import Runs
from sessions.server import stream_rules
from sessions.session import Session
from sessions.sources import Sources
from sessions.store import Store
from sessions.studio import Studio
from tests.benchmarks import free_port
from tests.builders import small_recording
from tests.engine.listening import wait_until

SCREENSHOTS = os.environ.get("PHANTOM_SCREENSHOTS")
"""A folder for pictures of what the tests see."""

expect.set_options(timeout=30_000)  # ms: what is shown at once may take long on a busy machine


class Deck:
    """A dashboard with REST and streams in a thread; it can be stopped and started again on its port."""

    def __init__(
        self,
        recording: Recording,
        plotters: Sequence[type[Plotter]] = PLOTTERS,
        others: Sequence[Recording] = (),
        studio: Studio | None = None,
        token: str | None = None,
        calibrations: Calibrations | None = None,
        archive: Archive | None = None,
        brokers: Sequence[Broker] = (),
        runs: Runs | None = None,
        launches: bool = True,
        fits: Fits | None = None,
    ) -> None:
        self.launches = launches
        self.fits = fits
        self.brokers = brokers
        self.runs = runs
        self.port = free_port()
        shown, rate = Token(token) if token else None, Rate(1e6)  # tests are quicker than people
        self.gate = Rules(Origins((self.port,)), token=shown, rate=rate)
        self.plotters = plotters
        self.studio = studio
        self.calibrations = calibrations
        self.archive = archive
        self.start(recording, *others)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def live(self, code: str) -> str:
        return f"{self.url}/live?session={code}"

    def api(self, method: str, path: str, body: Any = None) -> Any:
        """What REST answers; raises HTTPError for a refusal."""
        data = None if body is None else json.dumps(body).encode()
        request = Request(self.url + path, data, {"Content-Type": "application/json"}, method=method)
        with urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def start(self, *recordings: Recording) -> None:
        """Begin with no session."""
        keep = self.runs.keep if self.runs else None
        known = {recording.name: recording for recording in recordings}
        self.store = Store(known, keep=keep, sources=Sources(fits=self.fits))
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
        context = Context(
            self.store,
            self.port,
            self.port,
            studio=self.studio,
            archive=self.archive,
            runs=self.runs,
            launcher=Launcher(f"ws://127.0.0.1:{self.port}") if self.launches else None,
            calibrations=self.calibrations,
            brokers=self.brokers,
            links=self.gate.links,
        )
        self.server = server = build_server(
            context,
            port=self.port,
            address="127.0.0.1",
            gate=self.gate,
            plotters=self.plotters,
            extra_patterns=[*stream_rules(self.store), *rest_rules(context)],
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

    def make(
        recording: Recording,
        plotters: Sequence[type[Plotter]] = PLOTTERS,
        others: Sequence[Recording] = (),
        brokers: Sequence[Broker] = (),
    ) -> Deck:
        made.append(Deck(recording, plotters, others, brokers=brokers))
        return made[-1]

    yield make
    for deck in made:
        deck.stop()


@pytest.fixture
def deck(make_deck: MakeDeck) -> Deck:
    """Replays 6 units for 100 s, with gaps."""
    return make_deck(small_recording(6, 4000, n_trials=40, gaps=True))


def quick_deck() -> Iterator[Deck]:
    """A deck that draws the arena alone, for modules that try controls: one for all of their tests."""
    made = Deck(small_recording(6, 4000, n_trials=40, gaps=True), [Arena])
    yield made
    made.stop()


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

        # Nothing is intercepted: whatever a page asks for would wait for a test that waits for it.
        context.on("page", watch)

    def _note(self, url: str, is_foreign: Callable[[str], bool]) -> None:
        if is_foreign(url):
            self.foreign.append(url)

    def open(self, url: str) -> Page:
        page = self.context.new_page()
        page.set_default_timeout(30_000)
        page.goto(url)
        return page

    def watch(self, deck: Deck, code: str, *cards: str) -> Page:
        """Open a session's page, and more of its cards than open by themselves, when all has come."""
        page = self.open(deck.live(code))
        page.wait_for_selector("body[data-connection=open][data-state]")
        page.wait_for_selector("body[data-controls=ready]")
        open_cards(page, *cards)
        return page


def open_cards(page: Page, *names: str) -> None:
    """Open cards of a session's page."""
    for name in names:
        page.evaluate("(name) => (document.getElementById(name).open = true)", name)


@contextmanager
def asked(session: Session) -> Iterator[None]:
    """Wait until the session has changed as the block asks for."""

    def now() -> tuple[Any, ...]:
        return session.replay.changes, session.view, session.safety.limits

    before = now()
    yield
    wait_until(lambda: now() != before)


def refusal(page: Page) -> Locator:
    """The line that tells this visitor what was refused."""
    return page.locator("#refusal span")


def resize(page: Page, width: int, height: int = 844) -> None:
    """Look at a page in another size; it must not scroll sideways, once its plots have followed."""
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_function("(width) => document.documentElement.scrollWidth <= width", arg=width)


def keep_screenshot(page: Page, name: str) -> None:
    """For people to look at, if they have named a folder."""
    if SCREENSHOTS:
        page.screenshot(path=Path(SCREENSHOTS) / f"{name}.png", full_page=True)


@pytest.fixture
def visitor(deck: Deck, browser: Browser) -> Iterator[Visitor]:
    with browser.new_context(color_scheme="dark") as context:
        visiting = Visitor(context, deck.url)
        yield visiting
        assert visiting.failures == []
        assert visiting.foreign == []
