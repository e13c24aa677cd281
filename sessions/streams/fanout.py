"""Packets to any number of decoders: encoded once per layout, bounded per client, on one event loop."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from functools import partial

import numpy as np

from engine.bins import clock
from engine.bins.delivery import Delivery
from engine.deck.replay import Replay
from sessions.audience import Decoder
from sessions.session import MakeAudience, Session
from sessions.streams.delivered import PLAIN, Delivered
from sessions.streams.group import Client, Connection, Group, Queue
from sessions.streams.loop_calls import LoopCalls
from sessions.streams.packets import Encoder, Format, Layout

QUEUE_LIMITS: dict[Queue, int] = {"latest": 1, "drop-oldest": 40, "lossless": 2400}
"""Packets that may wait for a client."""
STALLED_AFTER = 10.0
"""Seconds without taking anything after which a client is cut off."""
TOO_SLOW = 1013
PUMPED = 128
"""Bins encoded before others have their turn."""
LATENCIES_KEPT = 2400


class Fanout:
    """Decoders of one session, delivered to in one way on one event loop: an audience of the session.

    The replay's thread wakes the loop, which reads the ring as far as nothing is held back, encodes, and
    lets each client write. Whenever a cursor has moved, the floor rises to the oldest row that the fan-out
    or a lossless client still wants, and the replay is told that there is `more` room: at speed max it
    waits for nothing else.

    `wake`, `floor` and `close` may be called from any thread, all else from the loop's.

    Parameters
    ----------
    replay : Replay
    loop : asyncio event loop
    delivered : Delivered
    calls : LoopCalls, optional
        Those of the loop, if it has others, too.
    """

    def __init__(
        self,
        replay: Replay,
        loop: asyncio.AbstractEventLoop,
        delivered: Delivered = PLAIN,
        calls: LoopCalls | None = None,
    ) -> None:
        self._replay = replay
        self._loop = loop
        self._calls = calls or LoopCalls(loop)
        self._delivered = delivered
        self._delivery = Delivery(replay.ring, delayed=not delivered.clean)
        self._timer: asyncio.TimerHandle | None = None
        self._groups: dict[tuple[Format, Layout], Group] = {}
        self._connections: dict[Connection, Client] = {}
        self._floor = 0
        self._pending = False
        self._dropped_by_gone = 0
        self._latencies: deque[float] = deque(maxlen=LATENCIES_KEPT)

    def join(
        self,
        connection: Connection,
        format: Format,  # noqa: A002
        layout: Layout,
        queue: Queue | None,
        credit: int | None = None,
    ) -> Client:
        """Send a client every bin from the next one on, and start a session that has waited for it."""
        if not self._connections:
            self._delivery.skip()
            self._floor = self._delivery.cursor
            self._replay.add_listener(self)
            self._watch()
        self._pump()  # so that the newcomer begins where the others stand
        group = self._groups.get((format, layout))
        if group is None:
            group = Group(Encoder(self._replay.description, format, layout))
            self._groups[format, layout] = group
        client = Client(
            connection, group, partial(self._policy, queue), partial(self._settle, group), credit
        )
        group.clients.append(client)
        self._connections[connection] = client
        self._replay.start()
        return client

    def leave(self, connection: Connection) -> None:
        """Forget a client. A second call does nothing."""
        client = self._connections.pop(connection, None)
        if client is None:
            return
        self._dropped_by_gone += client.dropped
        for key, group in list(self._groups.items()):
            if client in group.clients:
                group.clients.remove(client)
                group.trim()
                if not group.clients:
                    del self._groups[key]
        if not self._connections:
            self._watcher.cancel()
            self._set_timer(math.inf)
            self._replay.remove_listener(self)
        self._raise_floor()

    # As a listener of the replay

    def wake(self) -> None:
        if not self._pending:
            self._pending = True
            self._calls.ring(self._pump)

    def floor(self) -> int:
        return self._floor

    # As an audience of the session

    @property
    def size(self) -> int:
        return len(self._connections)

    @property
    def dropped(self) -> int:
        return self._dropped_by_gone + sum(c.dropped for c in list(self._connections.values()))

    @property
    def latencies(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.fromiter(self._latencies.copy(), np.float64)

    @property
    def latency(self) -> float:
        return self._latencies[-1] if self._connections and self._latencies else math.nan

    @property
    def decoders(self) -> list[Decoder]:
        names = self._delivered.names
        return [
            Decoder(
                c.connection.name,
                c.connection.address,
                ", ".join((*key, *names)),
                c.queue,
                max(c.waiting, 0),
                c.dropped,
            )
            for key, group in list(self._groups.items())
            for c in group.clients.copy()
        ]

    def close(self, code: int, reason: str) -> None:
        self._loop.call_soon_threadsafe(self._close, code, reason)

    # On the loop

    def _pump(self) -> None:
        self._pending = False
        first = self._delivery.cursor
        raw, lapped = self._delivery.take(clock.now(), PUMPED)
        self._delivered.change(raw, self._replay.description)
        for group in list(self._groups.values()):
            if lapped:
                self._skip(group, first, lapped)
            packets = group.encoder.encode(raw)
            group.packets.extend(packets)
            group.head += len(packets)
            for client in group.clients.copy():
                client.push()
                if client.waiting:
                    self._bound(client)
            self._settle(group)
        if raw:
            self._latencies.append(clock.now() - self._delivery.latest)
        self._set_timer(self._delivery.next if self._connections else math.inf)

    def _set_timer(self, at: float) -> None:
        """Read on at a time of the engine's clock, or not before the next wake if it is infinite."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if at == math.inf else self._loop.call_later(at - clock.now(), self._pump)

    def _bound(self, client: Client) -> None:
        """Drop what waits beyond the limit, as the client's policy has it."""
        excess = client.waiting - QUEUE_LIMITS[client.queue]
        if excess <= 0:
            return
        if client.queue != "lossless":
            client.lose(excess)
        elif self._replay.speed != "max":  # there it is the replay that waits
            self._cut(client, "The queue is full.")

    def _settle(self, group: Group) -> None:
        """Forget what all have had, and let the replay write over it."""
        group.trim()
        self._raise_floor()

    def _raise_floor(self) -> None:
        held = [c.row for c in self._connections.values() if c.waiting and c.queue == "lossless"]
        self._floor = min([self._delivery.cursor, *held])
        self._replay.more()

    def _policy(self, asked: Queue | None) -> Queue:
        return asked or ("lossless" if self._replay.speed == "max" else "drop-oldest")

    def _skip(self, group: Group, first: int, n: int) -> None:
        """The ring has lapped this loop: what it lost is lost to every client."""
        for client in group.clients:
            client.lose(client.waiting)
        group.packets.clear()
        group.head += n
        for client in group.clients:
            client.miss(first, n)

    def _watch(self) -> None:
        """Once a second, while anybody is there: cut off those that take nothing."""
        self._watcher = self._loop.call_later(1.0, self._watch)
        now = clock.now()
        for client in list(self._connections.values()):
            if client.stalled_for(now) > STALLED_AFTER:
                self._cut(client, f"Nothing was taken for {STALLED_AFTER:g} s.")

    def _cut(self, client: Client, reason: str) -> None:
        """Close a connection that is too slow, and wait for it no longer."""
        self.leave(client.connection)
        client.connection.close(TOO_SLOW, reason)

    def _close(self, code: int, reason: str) -> None:
        for connection in list(self._connections):
            connection.close(code, reason)


class Fanouts:
    """Makes the fan-outs of one application, which share its event loop."""

    def __init__(self) -> None:
        self._calls: LoopCalls | None = None
        # One each, by which a session knows the fan-outs that it has.
        self._makers: dict[Delivered, MakeAudience[Fanout]] = {}

    def of(self, delivered: Delivered) -> MakeAudience[Fanout]:
        """What makes a session's fan-out for one way of delivery; the same one each time."""
        return self._makers.setdefault(delivered, partial(self._make, delivered))

    def _make(self, delivered: Delivered, session: Session, loop: asyncio.AbstractEventLoop) -> Fanout:
        if self._calls is None or self._calls.loop is not loop:
            self._calls = LoopCalls(loop)
        return Fanout(session.replay, loop, delivered, self._calls)
