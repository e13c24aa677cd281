"""One page's connection to the feed of a session: frames go out, confirmations come in."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable
from contextlib import suppress
from functools import partial
from typing import Any

from tornado.iostream import IOStream, StreamBufferFullError, StreamClosedError
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from sessions.awaited import StillWaits
from sessions.gate.looking import HEADER
from sessions.links import Links
from sessions.refusals import UnknownSession
from sessions.session import MakeAudience, Session
from sessions.store import Store
from sessions.streams.feed import Feed
from sessions.streams.group import stream_of

UNKNOWN = 4404
"""Close code for a session that does not exist; a page cannot see the status of a refused upgrade."""

REVOKED = 4403
"""Close code for who looked by a link that was revoked."""

FULL = 1013
"""Close code: try again later."""

MAX_MESSAGE = 1024

MOST_WAITING = 16 * 1024 * 1024
"""Bytes that may wait for a page before it is cut off: many times what an honest one leaves unconfirmed."""


class FeedHandler(WebSocketHandler):
    """One page's connection. Frames go out; confirmations and clock questions come in."""

    def initialize(self, store: Store, make_feed: MakeAudience[Feed], links: Links) -> None:
        self._links = links
        self._release = links.hold(None, self.close)
        self._store = store
        self._make_feed = make_feed
        self._feed: Feed | None = None
        self._session: Session | None = None  # kept for as long as it is watched
        self.unseen = 0
        self.behind_since: float | None = None

    def open(self, code: str) -> None:
        self.set_nodelay(True)
        self.stream.max_write_buffer_size = MOST_WAITING
        try:
            session = self._store.get(code)
            feed = session.audience(self._make_feed, asyncio.get_running_loop())
        except (UnknownSession, StillWaits) as error:
            self.close(UNKNOWN, str(error)[:120])
            return
        if feed.size >= self._store.limits.max_clients:
            self.close(FULL, f"More pages watch session {code} than may.")
            return
        self._feed, self._session = feed, session
        self._feed.join(self)
        loop = asyncio.get_running_loop()
        end = partial(loop.call_soon_threadsafe, self._revoked)
        self._release = self._links.hold(self.request.headers.get(HEADER), end)

    def send(self, data: bytes) -> None:
        """Write a whole WebSocket frame; `Feed` bounds how many may wait of a page that is honest."""
        try:
            self.stream.write(data)
        except StreamBufferFullError:
            self.stream.close()  # it says that it sees what it does not read
        except StreamClosedError:  # on_close follows
            pass

    @property
    def stream(self) -> IOStream:
        return stream_of(self)

    @property
    def max_message_size(self) -> int:
        return MAX_MESSAGE

    def on_message(self, message: str | bytes) -> Awaitable[None] | None:
        """``{"seen": true}`` for every 20th frame; ``{"clock": t}`` asks for the server's time."""
        try:
            asked: Any = json.loads(message)
        except (ValueError, RecursionError):
            asked = None
        if not isinstance(asked, dict):
            self.close(1008, "Send small JSON objects.")
        elif "clock" in asked:
            return self._tell_time(asked["clock"])
        elif "seen" in asked and self._feed is not None:
            self._feed.confirm(self)
        return None

    async def _tell_time(self, clock: Any) -> None:
        # Awaited, so that a page that does not read the answers is not read from either.
        with suppress(WebSocketClosedError, StreamBufferFullError, asyncio.CancelledError):
            await self.write_message({"clock": clock, "now": time.time()})

    def on_close(self) -> None:
        self._release()
        self._leave()

    def _revoked(self) -> None:
        self._leave()  # at once, whether the other end answers the close or not
        self.close(REVOKED, "This link has ended.")

    def _leave(self) -> None:
        if self._feed is not None:
            self._feed.leave(self)
        self._feed = self._session = None
