"""`/wall/feed`: one WebSocket for all sessions of a wall, told five times a second what has changed."""

from __future__ import annotations

import asyncio
import json
import logging
from functools import partial
from typing import Any, Final

from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketHandler

from dashboard.wall.cells import Cell, cell, total
from dashboard.wall.choice import chosen, fits
from sessions.gate.looking import HEADER
from sessions.links import Links
from sessions.refusals import UnknownSession
from sessions.store import Store
from sessions.streams.feed_socket import FULL, REVOKED
from sessions.streams.group import stream_of
from sessions.streams.packets import TEXT, as_message

log = logging.getLogger(__name__)

PERIOD: Final = 0.2
"""Seconds between looks at the sessions."""
HEARTBEAT: Final = 5
"""Looks after which pages are told that there is nothing new."""
AT_ONCE: Final = 8
"""Sessions that are looked at before others have the loop."""
CUT_OFF: Final = 30.0
"""Seconds in which a page must take what it is sent."""
TOTAL: Final = ""
"""Stands for the line above all cells: no session has this code."""

Cells = dict[str, Cell | None]
"""By code; None for one that has gone."""


class WallFeed:
    """The walls that are open on one event loop; it looks at sessions while there are any.

    Parameters
    ----------
    store : Store
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._walls: set[WallHandler] = set()
        self._joining: set[WallHandler] = set()
        self._cells: dict[str, Cell] = {}
        self._looking: asyncio.Task[None] | None = None

    @property
    def size(self) -> int:
        return len(self._walls)

    def join(self, wall: WallHandler) -> None:
        """Tell a wall everything with the next look, and from then on what is new."""
        self._walls.add(wall)
        self._joining.add(wall)
        if self._looking is None:
            self._looking = asyncio.get_running_loop().create_task(self._look())

    def leave(self, wall: WallHandler) -> None:
        self._walls.discard(wall)
        self._joining.discard(wall)
        if not self._walls and self._looking is not None:
            self._looking.cancel()
            self._looking, self._cells = None, {}

    async def _look(self) -> None:
        loop = asyncio.get_running_loop()
        due, n = loop.time(), 0
        while True:
            try:
                self._tell(await self._changes(), beat=n % HEARTBEAT == 0)
            except Exception:  # whatever it is, the pages must know, and the next look may be luckier
                log.exception("The wall has failed")
                for wall in list(self._walls):
                    wall.close(1011, "The wall has failed. The server's log tells why.")
            n += 1
            due = max(due + PERIOD, loop.time())
            await asyncio.sleep(due - loop.time())

    async def _changes(self) -> Cells:
        """What is new since the last look."""
        entries = self.store.entries
        changed: Cells = dict.fromkeys(self._cells.keys() - entries.keys())
        for n, (code, entry) in enumerate(entries.items(), start=1):
            if n % AT_ONCE == 0:
                await asyncio.sleep(0)
            if not any(fits(code, wall.prefix) for wall in self._walls):
                continue
            entry.touch()
            try:
                now = cell(entry)
            except UnknownSession:  # it ends just now
                continue
            if now != self._cells.get(code):
                changed[code] = now
        for code, now_or_gone in changed.items():
            if now_or_gone is None:
                self._cells.pop(code, None)
            else:
                self._cells[code] = now_or_gone
        return changed

    def _tell(self, changed: Cells, *, beat: bool) -> None:
        """Send each wall what it has to know; one text for all that show the same."""
        texts: dict[tuple[str, bool], bytes] = {}
        for wall in list(self._walls):
            asked = wall.prefix, wall in self._joining
            news = bool(changed) or wall in self._joining
            if not (news or beat):
                continue
            if asked not in texts:
                texts[asked] = self._text(*asked, changed)
            if wall.send(texts[asked]):
                self._joining.discard(wall)
            elif news:
                self._joining.add(wall)  # it has missed something

    def _text(self, prefix: str, everything: bool, changed: Cells) -> bytes:
        own = {code: self._cells[code] for code in chosen(self._cells, prefix)}
        told: dict[str, Any] = dict(own) if everything else chosen_of(changed, prefix)
        return as_message(TEXT, json.dumps({TOTAL: total(own.values()), **told}).encode())


def chosen_of(changed: Cells, prefix: str) -> Cells:
    return {code: each for code, each in changed.items() if fits(code, prefix)}


class WallHandler(WebSocketHandler):
    """One wall's connection. Nothing comes in."""

    def initialize(self, feed: WallFeed, links: Links) -> None:
        self._feed = feed
        self._links = links
        self._release = links.hold(None, self.close)
        self.prefix = ""
        self._behind_since: float | None = None

    def open(self) -> None:
        if self._feed.size >= self._feed.store.limits.max_clients:
            self.close(FULL, "More pages show the wall than may.")
            return
        self.set_nodelay(True)
        self.prefix = self.request.query_arguments.get("prefix", [b""])[-1].decode(errors="replace")
        self._feed.join(self)
        end = partial(asyncio.get_running_loop().call_soon_threadsafe, self._revoked)
        self._release = self._links.hold(self.request.headers.get(HEADER), end)

    def send(self, message: bytes) -> bool:
        """Write a whole WebSocket frame, unless the page has not taken the last one yet."""
        now = asyncio.get_running_loop().time()
        try:
            stream = stream_of(self)
            if not stream.writing():
                self._behind_since = None
                stream.write(message)
                return True
        except StreamClosedError:  # on_close follows
            return False
        self._behind_since = self._behind_since or now
        if now - self._behind_since > CUT_OFF:
            stream.close()
        return False

    @property
    def max_message_size(self) -> int:
        return 1024

    def on_message(self, message: str | bytes) -> None:  # noqa: ARG002
        self.close(1008, "Nothing is asked here.")

    def on_close(self) -> None:
        self._release()
        self._feed.leave(self)

    def _revoked(self) -> None:
        self._feed.leave(self)
        self.close(REVOKED, "This link has ended.")
