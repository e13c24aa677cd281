"""Pages that follow the server or a session: they are told of changes, and show them in their documents."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, Protocol, TypeVar

from bokeh.document import Document
from panel.io.state import set_curdoc, state

from sessions.session import Session
from sessions.watching import Watchers, watchers

T = TypeVar("T")


class Followed(Protocol):
    """What tells pages of changes, on their event loop."""

    def add(self, tell: Callable[[], None]) -> None:
        """Call `tell` after changes."""

    def remove(self, tell: Callable[[], None]) -> None:
        """Call it no more."""

    def hurry(self) -> None:
        """Look at once: somebody has changed something."""


class Following(Generic[T]):
    """Reads something again and again, one look for all open pages, and tells them when it has changed.

    All methods are for the thread of the pages' event loop.

    Parameters
    ----------
    read : function
        Called in a thread of its own; what it returns is compared.
    period : float
        Seconds between two looks.
    """

    def __init__(self, read: Callable[[], T], period: float) -> None:
        self._read = read
        self._period = period
        self._pages: set[Callable[[], None]] = set()
        self._hurried = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._latest: T | None = None

    @property
    def latest(self) -> T | None:
        """What was read last, while pages are open."""
        return self._latest

    def now(self) -> T:
        """What there is now; may take a moment."""
        return self._read()

    def add(self, tell: Callable[[], None]) -> None:
        """Call `tell` after changes."""
        self._pages.add(tell)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.get_running_loop().create_task(self._look())

    def remove(self, tell: Callable[[], None]) -> None:
        """Call it no more."""
        self._pages.discard(tell)
        if not self._pages and self._looking is not None:
            self._looking.cancel()
            self._looking = self._latest = None

    def hurry(self) -> None:
        """Look at once: somebody has changed something."""
        self._hurried.set()

    async def _look(self) -> None:
        while True:
            now = await asyncio.to_thread(self._read)
            if now != self._latest:
                self._latest = now
                for tell in tuple(self._pages):
                    tell()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._hurried.wait(), self._period)
            self._hurried.clear()


class FollowingSession:
    """Tells pages of a session's changes, by whomever.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._watchers: Watchers | None = None

    def add(self, tell: Callable[[], None]) -> None:
        """Call `tell` after changes."""
        self._watchers = watchers(self._session, asyncio.get_running_loop())
        self._watchers.add(tell)

    def remove(self, tell: Callable[[], None]) -> None:
        """Call it no more."""
        if self._watchers is not None:
            self._watchers.remove(tell)

    def hurry(self) -> None:
        """Nothing: a session tells by itself, at once."""


class FollowingPage:
    """One open page; lives as long as its document.

    Parameters
    ----------
    *followed : Followed
        What it shows.
    """

    def __init__(self, *followed: Followed) -> None:
        self._followed = followed
        self._document: Document | None = None
        self._waiting = False

    def follow(self) -> None:
        """Show what there is now; called with the document's lock."""
        raise NotImplementedError

    def join(self, document: Document) -> None:
        """Follow from now on; on the document's event loop."""
        self._document = document
        for each in self._followed:
            each.add(self._tell)
        self._tell()

    def leave(self) -> None:
        """Follow no more."""
        for each in self._followed:
            each.remove(self._tell)

    def hurry(self) -> None:
        """Have all pages look at once."""
        for each in self._followed:
            each.hurry()

    def _tell(self) -> None:
        if self._document is not None and not self._waiting:
            self._waiting = True
            self._document.add_next_tick_callback(self._follow)

    def _follow(self) -> None:
        self._waiting = False
        with set_curdoc(self._document):
            if state.loaded:
                self.follow()
            else:  # what a page is told before it has loaded, Panel loses
                state.onload(self._tell)
