"""Bins for decoders that ask for them, call by call: what is there at once, or the next when they come."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np

from engine.answers.callers import Caller
from engine.bins import clock
from engine.bins.delivery import Delivery
from engine.bins.source import Moved
from engine.errors import BadSetting, DeckError, NotNow
from sessions.audience import Decoder, Latencies
from sessions.refusals import Busy, UnknownSession
from sessions.session import DELETED, Session
from sessions.streams.delivered import PLAIN, Delivered
from sessions.streams.packets import Encoder

MOST: Final = 400
"""Bins in one answer."""
FEW: Final = 20
"""Bins that are encoded at once; more are by another thread, so that streams have their turns."""
PUMPED: Final = 128
"""Bins looked at before others have their turn."""
WATCH: Final = 1.0
"""Seconds between two looks whether anybody still asks."""


class Polls:
    """Those who ask for the bins of one session on one event loop: an `Audience` of the session.

    A call that waits is one future. The replay waits for none of them, at speed max neither. All methods
    but `wake`, `floor` and `close` are for the loop's thread.

    Parameters
    ----------
    session : Session
    loop : asyncio event loop
    """

    latency = math.nan

    def __init__(self, session: Session, loop: asyncio.AbstractEventLoop) -> None:
        self._code = session.code
        self._replay = session.replay
        self._callers = session.callers
        self._loop = loop
        self._encoder = Encoder(session.description, "json", "flat")
        self._delivery = Delivery(self._replay.ring)
        self._waiting: set[asyncio.Future[None]] = set()
        self._readers: dict[Caller, str] = {}
        self._lost_by_gone = 0
        self._watcher: asyncio.TimerHandle | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._pending = False
        self._goodbye: Callable[[], DeckError] | None = None

    async def bins(
        self,
        asked: str | None,
        address: str,
        since: int | None,
        within: float,
        delivered: Delivered = PLAIN,
    ) -> bytes:
        """The bins from a number on, as soon as there is one.

        Parameters
        ----------
        asked : str or None
            What the decoder calls itself.
        address : str
        since : int or None
            Sequence number of the first; that of the next bin to be sent, if None.
        within : float
            Seconds after which the answer has no bins.
        delivered : Delivered

        Returns
        -------
        bytes
            JSON, as `sessions.rest.models.bins.BinsAnswer` has it.

        Raises
        ------
        BadSetting
            If the bin has not been sent and is not the next one.
        BadPrediction
            If too many decoders ask.
        NotNow, UnknownSession, Busy
            If the session has failed or been deleted, or the server is going down.
        """
        self._listen()
        ring = self._replay.ring
        if since is not None and since > ring.head:
            raise BadSetting(f"Bin {since} has not been sent. Ask for bins since {ring.head} at most.")
        at = first = ring.head if since is None else since
        until, lost = clock.now() + within, 0
        caller, new = self._callers.called(asked, address, truth=delivered.truth)
        self._readers[caller] = ", ".join(("json, flat", *delivered.names))
        if new:
            if isinstance(self._replay.source, Moved):
                self._replay.source.attend(caller.name)
            self._replay.start()
        with self._callers.waiting(caller):
            while True:
                if self._goodbye is not None:
                    raise self._goodbye()
                if self._replay.state == "failed":
                    raise NotNow(f"Session {self._code} has failed. Delete it, or ask another.")
                raw, gone = ring.raw_since(at, min(max(self._delivery.cursor - at, 0), MOST))
                lost += gone
                at += gone + len(raw) // ring.dtype.itemsize
                rows = await self._encoded(raw, delivered)
                if rows or clock.now() >= until:
                    break
                await self._news(until)
        self._callers.read(caller, first + lost, at)
        return b'{"bins": [%b], "lost": %d, "next": %d, "decoder": %b}' % (
            b", ".join(rows),
            lost,
            at,
            json.dumps(caller.name).encode(),
        )

    # As a listener of the replay

    def wake(self) -> None:
        if not self._pending:
            self._pending = True
            self._loop.call_soon_threadsafe(self._pump)

    def floor(self) -> int:
        return self._replay.ring.head

    # As an audience of the session

    @property
    def size(self) -> int:
        return len(self._waiting)

    @property
    def dropped(self) -> int:
        return self._lost_by_gone + sum(caller.lost for caller in list(self._readers))

    @property
    def latencies(self) -> Latencies:
        return np.empty(0)

    @property
    def decoders(self) -> list[Decoder]:
        readers = list(self._readers.items())
        return [Decoder(c.name or "", c.address, layout, "asks", 0, c.lost) for c, layout in readers]

    def close(self, code: int, reason: str) -> None:
        deleted = partial(UnknownSession, f"Session {self._code} has just been deleted.")
        self._loop.call_soon_threadsafe(self._close, deleted if code == DELETED else partial(Busy, reason))

    # On the loop

    async def _encoded(self, raw: bytearray, delivered: Delivered) -> list[bytes]:
        def encode() -> list[bytes]:
            delivered.change(raw, self._replay.description)
            return [packet.payload(0) for packet in self._encoder.encode(raw)]

        if len(raw) <= FEW * self._replay.ring.dtype.itemsize:
            return encode()
        return await self._loop.run_in_executor(None, encode)

    async def _news(self, until: float) -> None:
        """Wait until there may be something to tell."""
        news = self._loop.create_future()
        self._waiting.add(news)
        timer = self._loop.call_later(until - clock.now(), _settle, news)
        try:
            await news
        finally:
            timer.cancel()
            self._waiting.discard(news)

    def _listen(self) -> None:
        if self._watcher is None and self._goodbye is None:
            self._delivery.skip_to(max(self._replay.ring.head - MOST, 0))  # some may be held back
            self._replay.add_listener(self)
            self._watch()
            self._pump()

    def _watch(self) -> None:
        """Forget those who ask no more, and listen no longer than anybody does."""
        for caller in [each for each in self._readers if not each.is_there()]:
            self._lost_by_gone += caller.lost
            del self._readers[caller]
        if self._readers or self._watcher is None:
            self._watcher = self._loop.call_later(WATCH, self._watch)
        else:
            self._stop()

    def _stop(self) -> None:
        self._replay.remove_listener(self)
        for timer in (self._watcher, self._timer):
            if timer is not None:
                timer.cancel()
        self._watcher = self._timer = None

    def _pump(self) -> None:
        """Let those know who wait for bins that have come, and may be told."""
        self._pending = False
        if self._watcher is None:
            return
        self._delivery.take(clock.now(), PUMPED)
        if self._timer is not None:
            self._timer.cancel()
        at = self._delivery.next
        self._timer = None if at == math.inf else self._loop.call_later(at - clock.now(), self._pump)
        for each in self._waiting:
            _settle(each)

    def _close(self, goodbye: Callable[[], DeckError]) -> None:
        self._goodbye = goodbye
        self._stop()
        for each in self._waiting:
            _settle(each)


def _settle(news: asyncio.Future[None]) -> None:
    if not news.done():
        news.set_result(None)
