"""Who wants to know when something of a session has been changed, by whomever: the open pages."""

from __future__ import annotations

import asyncio
import math
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from sessions.audience import Decoder, Latencies
from sessions.electrodes import detected
from sessions.session import Session

LOOK = 0.5
"""Seconds between looks at what changes without a word, such as the state of a record."""

Tell = Callable[[], None]


class Watchers:
    """The pages of one session on one event loop: an `Audience` that gets no packets.

    They are told, on that loop, after whatever they could show has changed; several changes may be one to
    them. All methods but `wake`, `floor` and `close` are for the loop's thread.

    Parameters
    ----------
    session : Session
    loop : AbstractEventLoop
    """

    size = 0
    """They hold no session alive: the feed of each page does."""
    dropped = 0
    latency = math.nan
    decoders: tuple[Decoder, ...] = ()

    def __init__(self, session: Session, loop: asyncio.AbstractEventLoop) -> None:
        self._session: Session = weakref.proxy(session)  # it holds this: no cycle
        self._replay = session.replay
        self._loop = loop
        self._pages: set[Tell] = set()
        self._seen: Any = None
        self._woken = False
        self._timer: asyncio.TimerHandle | None = None

    @property
    def latencies(self) -> Latencies:
        return np.empty(0)

    def add(self, tell: Tell) -> None:
        """Call `tell` after changes."""
        if not self._pages:
            self._seen = self._quick(), self._slow()
            self._replay.add_listener(self)
            self._timer = self._loop.call_later(LOOK, self._look)
        self._pages.add(tell)

    def remove(self, tell: Tell) -> None:
        """Call it no more."""
        self._pages.discard(tell)
        if not self._pages and self._timer is not None:
            self._replay.remove_listener(self)
            self._timer.cancel()
            self._timer = None

    def wake(self) -> None:
        """Look whether something has changed; called with every bin."""
        if not self._woken and self._pages and self._quick() != self._seen[0]:
            self._woken = True
            self._loop.call_soon_threadsafe(self._look)

    def floor(self) -> int:
        """A page never holds the replay up."""
        return self._replay.ring.head

    def close(self, code: int, reason: str) -> None:
        """Nothing: the feed tells the pages."""

    def _look(self) -> None:
        self._woken = False  # before anything is read, so that later changes wake again
        if self._timer is None:
            return
        self._timer.cancel()
        try:
            now = self._quick(), self._slow()
        except ReferenceError:  # the session has ended
            return
        self._timer = self._loop.call_later(LOOK, self._look)
        if now != self._seen:
            self._seen = now
            for tell in tuple(self._pages):
                tell()

    def _quick(self) -> tuple[Any, ...]:
        """What is compared with every bin, without a lock."""
        session, replay = self._session, self._replay
        return replay.changes, replay.state, session.view, session.safety.limits, session.safety.stopped

    def _slow(self) -> tuple[Any, ...]:
        tape, launched = self._session.tape, self._session.launched.decoders
        scores = self._session.scores.latest().decoders
        return (
            tape and (tape.name, tape.state),
            (self._session.scores.driver, len(self._session.predictions.names)),
            {name: each.trials[-1].sequence_number for name, each in scores.items() if each.trials},
            [(name, each.state, each.line) for name, each in launched.items()],
            detected(self._replay.source),
        )


def watchers(session: Session, loop: asyncio.AbstractEventLoop) -> Watchers:
    """Those of a session on a loop."""
    return session.audience(Watchers, loop)
