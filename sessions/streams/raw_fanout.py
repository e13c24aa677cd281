"""Voltages to any number of clients: each reads the session's ring at its own pace, on one event loop."""

from __future__ import annotations

import asyncio
import math
from typing import Final, Protocol

import numpy as np
from tornado.iostream import IOStream, StreamClosedError

from engine.bins import clock
from engine.bins.voltages import VoltageRing
from engine.deck.replay import Replay
from sessions.audience import Decoder, Latencies
from sessions.session import Session
from sessions.streams.fanout import STALLED_AFTER, TOO_SLOW
from sessions.streams.group import send
from sessions.streams.loop_calls import LoopCalls
from sessions.streams.raw_blocks import Channels, raw_message

AT_ONCE: Final = 8
"""Blocks written to one client before others have their turn."""


class RawConnection(Protocol):
    """A WebSocket, as far as the fan-out needs it."""

    @property
    def stream(self) -> IOStream: ...

    @property
    def name(self) -> str: ...

    @property
    def address(self) -> str:
        """Of the other end."""
        ...

    def close(self, code: int, reason: str) -> None: ...


class RawClient:
    """One client: a cursor into the ring of blocks, and what it lost.

    At most one block lies in its socket's buffer; what waits beside that waits in the ring, for as long as
    the ring keeps it.

    Parameters
    ----------
    connection : RawConnection
    ring : VoltageRing
    row : int
        Of the first block that it gets.
    channels : tuple of int, optional
        Those that it gets; all if None.
    """

    def __init__(
        self, connection: RawConnection, ring: VoltageRing, row: int, channels: Channels | None
    ) -> None:
        self.connection = connection
        self._dropped = 0
        self._ring = ring
        self._row = row
        self._channels = channels
        self._lost = False  # whether blocks were lost before the next
        self._write_began: float | None = None

    @property
    def waiting(self) -> int:
        """Blocks that wait for this client."""
        return min(self._ring.head - self._row, self._ring.capacity)

    @property
    def dropped(self) -> int:
        """Blocks that it lost, those included of which it will hear with the next."""
        return self._dropped + max(self._ring.head - self._ring.capacity - self._row, 0)

    @property
    def layout(self) -> str:
        n = self._ring.n_channels if self._channels is None else len(self._channels)
        return f"voltages, {n} channel{'s' * (n != 1)}"

    def push(self) -> bool:
        """Write what waits, as far as the socket takes it; whether more could be written at once."""
        for _ in range(AT_ONCE):
            if self._write_began is not None:
                return False
            blocks, lost = self._ring.since(self._row, limit=1)
            self._dropped += lost
            self._lost |= lost > 0
            self._row += lost + len(blocks)
            if not blocks:
                return False
            try:
                rest = send(self.connection.stream, raw_message(blocks[0], self._channels, self._lost))
            except StreamClosedError:
                return False  # its handler is about to hear of it
            self._lost = False
            if rest is not None:
                self._write_began = clock.now()
                rest.add_done_callback(self._on_written)
        return self.waiting > 0

    def stalled_for(self, now: float) -> float:
        """Seconds for which it has taken nothing."""
        return 0.0 if self._write_began is None else now - self._write_began

    def _on_written(self, written: asyncio.Future[None]) -> None:
        if written.exception() is None:
            self._write_began = None
            self.push()


class RawFanout:
    """Those who get the voltages of one session on one event loop: an audience of the session.

    `wake` and `close` may be called from any thread, all else from the loop's.

    Parameters
    ----------
    replay : Replay
        One with voltages.
    calls : LoopCalls
    """

    def __init__(self, replay: Replay, calls: LoopCalls) -> None:
        assert replay.voltages is not None
        self._replay = replay
        self._voltages = replay.voltages
        self._calls = calls
        self._loop = calls.loop
        self._clients: dict[RawConnection, RawClient] = {}
        self._pending = False
        self._dropped_by_gone = 0

    def join(self, connection: RawConnection, channels: Channels | None) -> None:
        """Send a client every block from the next one on, and start a session that has waited for it."""
        if not self._clients:
            self._voltages.join(self.wake)
            self._watch()
        self._clients[connection] = RawClient(connection, self._voltages, self._voltages.head, channels)
        self._replay.start()

    def leave(self, connection: RawConnection) -> None:
        """Forget a client. A second call does nothing."""
        client = self._clients.pop(connection, None)
        if client is None:
            return
        self._dropped_by_gone += client.dropped
        if not self._clients:
            self._watcher.cancel()
            self._voltages.leave(self.wake)

    # As a reader of the voltages

    def wake(self) -> None:
        if not self._pending:
            self._pending = True
            self._calls.ring(self._pump)

    # As an audience of the session

    @property
    def size(self) -> int:
        return len(self._clients)

    @property
    def dropped(self) -> int:
        return self._dropped_by_gone + sum(client.dropped for client in list(self._clients.values()))

    @property
    def latencies(self) -> Latencies:
        """None: they are of bins."""
        return np.empty(0)

    @property
    def latency(self) -> float:
        return math.nan

    @property
    def decoders(self) -> list[Decoder]:
        return [
            Decoder(c.connection.name, c.connection.address, c.layout, "drop-oldest", c.waiting, c.dropped)
            for c in list(self._clients.values())
        ]

    def close(self, code: int, reason: str) -> None:
        self._loop.call_soon_threadsafe(self._close, code, reason)

    # On the loop

    def _pump(self) -> None:
        self._pending = False
        more = [client.push() for client in list(self._clients.values())]
        if any(more):
            self.wake()

    def _watch(self) -> None:
        """Once a second, while anybody is there: cut off those that take nothing."""
        self._watcher = self._loop.call_later(1.0, self._watch)
        now = clock.now()
        for client in list(self._clients.values()):
            if client.stalled_for(now) > STALLED_AFTER:
                self.leave(client.connection)
                client.connection.close(TOO_SLOW, f"Nothing was taken for {STALLED_AFTER:g} s.")

    def _close(self, code: int, reason: str) -> None:
        for connection in list(self._clients):
            connection.close(code, reason)


class RawFanouts:
    """Makes the fan-outs of one application, which share its event loop."""

    def __init__(self) -> None:
        self._calls: LoopCalls | None = None

    def make(self, session: Session, loop: asyncio.AbstractEventLoop) -> RawFanout:
        """That of a session."""
        if self._calls is None or self._calls.loop is not loop:
            self._calls = LoopCalls(loop)
        return RawFanout(session.replay, self._calls)
