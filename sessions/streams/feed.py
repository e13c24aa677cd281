"""`/feed/{code}`: what the dashboard shows of a session, one binary frame for all who watch."""

from __future__ import annotations

import asyncio
import logging
import math
import weakref
from collections.abc import Callable
from typing import Protocol

import numpy as np

from engine.bins.schema import Rows
from engine.deck.replay import Replay
from sessions.audience import Decoder, Latencies
from sessions.session import MakeAudience, Session
from sessions.streams.packets import BINARY, as_message

log = logging.getLogger(__name__)

PERIOD = 1 / 45
"""Least seconds between frames: a bin of 25 ms never waits, faster ones share a frame."""

HEARTBEAT = 0.5
"""Seconds of silence after which a frame without bins tells that the session is alive."""

MAX_UNSEEN = 80
"""Frames that a page may leave unconfirmed, 2 s at 40 Hz. Then it gets none until it catches up."""

SEEN = 20
"""A page confirms every so many frames (`resources/feed.js`)."""

CUT_OFF = 30.0
"""Seconds without any confirmation, while it gets none, after which a viewer is closed."""


class FrameMaker(Protocol):
    """Turns the bins of one session into frames."""

    bins_per_column: int
    """It is given whole columns, so a multiple of so many bins."""

    n_bins: int
    """What it remembers. It is never given more."""

    def begin(self) -> None:
        """Somebody looks."""
        ...

    def end(self) -> None:
        """Nobody looks any more."""
        ...

    def renew(self) -> bool:
        """Take over what people have changed; true if everyone must start anew."""
        ...

    def update(self, rows: Rows) -> bytes:
        """The frame for those who have seen everything before `rows`."""
        ...

    def start(self) -> bytes:
        """The frame for those who have seen nothing, of all that is on screen."""
        ...


class Viewer(Protocol):
    """One connected page, as the feed sees it."""

    unseen: int
    """Frames sent and not confirmed."""
    behind_since: float | None
    """When it stopped getting frames."""

    def send(self, data: bytes) -> None: ...

    def close(self, code: int | None = None, reason: str | None = None) -> None: ...


class Feed:
    """The viewers of one session on one event loop: an `Audience` that lives on that loop.

    It listens to the replay while anyone watches. All methods but `wake`, `floor` and `close` are
    for the loop's thread.

    Parameters
    ----------
    replay : Replay
    loop : AbstractEventLoop
    frames : FrameMaker
    """

    def __init__(self, replay: Replay, loop: asyncio.AbstractEventLoop, frames: FrameMaker) -> None:
        self._replay = replay
        self._loop = loop
        self._frames = frames
        self._viewers: set[Viewer] = set()
        self._joining: set[Viewer] = set()
        self._cursor = 0
        self._last = 0.0
        self._woken = False
        self._timer: asyncio.TimerHandle | None = None

    # As an audience

    @property
    def size(self) -> int:
        return len(self._viewers)

    @property
    def dropped(self) -> int:
        """Pages skip frames, never packets."""
        return 0

    @property
    def latencies(self) -> Latencies:
        return np.empty(0)

    @property
    def latency(self) -> float:
        return math.nan

    @property
    def decoders(self) -> tuple[Decoder, ...]:
        return ()

    def close(self, code: int, reason: str) -> None:
        self._loop.call_soon_threadsafe(self._close, code, reason)

    # As a listener of the replay

    def wake(self) -> None:
        if not self._woken:
            self._woken = True
            self._loop.call_soon_threadsafe(self._on_wake)

    def floor(self) -> int:
        """A page never holds the replay up: what it missed has left the screen."""
        return self._replay.ring.head

    # What pages do

    def join(self, viewer: Viewer) -> None:
        """Send everything on screen, and from then on what is new."""
        if not self._viewers:
            self._replay.add_listener(self)
            self._frames.begin()
        self._viewers.add(viewer)
        self._joining.add(viewer)
        self._send()

    def leave(self, viewer: Viewer) -> None:
        self._viewers.discard(viewer)
        self._joining.discard(viewer)
        if not self._viewers:
            self._replay.remove_listener(self)
            self._frames.end()
            self._set_timer(None)

    def confirm(self, viewer: Viewer) -> None:
        """Note that a viewer has seen `SEEN` more frames, and take it back if it was behind."""
        viewer.unseen = max(viewer.unseen - SEEN, 0)
        if viewer.behind_since is not None:
            viewer.behind_since = self._loop.time()
            if viewer.unseen <= SEEN:
                viewer.behind_since = None
                self._joining.add(viewer)

    # On the loop

    def _on_wake(self) -> None:
        self._woken = False  # before the ring is read, so that later bins wake again
        wait = self._last + PERIOD - self._loop.time()
        if wait <= 0:
            self._send()
        else:
            self._set_timer(wait)

    def _set_timer(self, seconds: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if seconds is None else self._loop.call_later(seconds, self._send)

    def _send(self) -> None:
        """Make the frame of this moment and hand it to everyone."""
        self._set_timer(HEARTBEAT if self._viewers else None)
        if not self._viewers:
            return
        self._last = self._loop.time()
        try:
            if self._frames.renew():
                self._joining |= self._viewers
            news = as_message(BINARY, self._frames.update(self._new_rows()))
            start = as_message(BINARY, self._frames.start()) if self._joining else b""
        except Exception:  # whatever it is, the pages must know, and the next frame may be luckier
            log.exception("A frame has failed")
            self._close(1011, "The dashboard has failed. The server's log tells why.")
            return
        for viewer in list(self._viewers):
            if viewer.behind_since is not None:
                if self._last - viewer.behind_since > CUT_OFF:
                    viewer.close(1013, "The page did not keep up.")
                continue
            viewer.send(start if viewer in self._joining else news)
            viewer.unseen += 1
            if viewer.unseen >= MAX_UNSEEN:
                viewer.behind_since = self._last
        self._joining.clear()

    def _new_rows(self) -> Rows:
        """Whole columns that came since the last frame, at most as many as are remembered."""
        k = self._frames.bins_per_column
        end = self._replay.ring.head // k * k
        first = max(self._cursor, end - self._frames.n_bins)
        self._cursor = end
        rows, _ = self._replay.ring.since(first, limit=end - first)
        return rows[len(rows) % k :]  # the ring's end is far away, but may be reached at speed max

    def _close(self, code: int, reason: str) -> None:
        for viewer in list(self._viewers):
            viewer.close(code, reason)


def feeds(make_frames: Callable[[Session], FrameMaker]) -> MakeAudience[Feed]:
    """What makes the feed of a session: one function for all handlers of a server."""

    def make(session: Session, loop: asyncio.AbstractEventLoop) -> Feed:
        # Its handlers hold the session: were it held here as well, it would hold itself.
        return Feed(session.replay, loop, make_frames(weakref.proxy(session)))

    return make
