"""Packets to any number of decoders: encoded once per layout, bounded per client, on one event loop."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Literal, Protocol

import numpy as np
from tornado.iostream import IOStream, StreamClosedError

from engine import clock
from engine.replay import Replay
from sessions.packets import Encoder, Format, Layout, Packet
from sessions.session import Decoder

Queue = Literal["latest", "drop-oldest", "lossless"]

QUEUE_LIMITS: dict[Queue, int] = {"latest": 1, "drop-oldest": 40, "lossless": 2400}
"""Packets that may wait for a client."""
STALLED_AFTER = 10.0
"""Seconds without taking anything after which a client is cut off."""
TOO_SLOW = 1013
PUMPED, WRITTEN = 128, 64
"""Bins encoded, and packets written to one client, before others have their turn."""
LATENCIES_KEPT = 2400


class Connection(Protocol):
    """A WebSocket, as far as the fan-out needs it."""

    @property
    def stream(self) -> IOStream: ...

    @property
    def address(self) -> str:
        """Of the other end."""
        ...

    def close(self, code: int, reason: str) -> None: ...

    def lost(self, first: int, n: int) -> None:
        """Hear that the client will never get `n` packets from row `first` on."""
        ...


class Lane:
    """The packets of one layout, from the oldest that a client still wants to the newest."""

    def __init__(self, encoder: Encoder, head: int) -> None:
        self.encoder = encoder
        self.packets: deque[Packet] = deque()
        self.head = head
        self.clients: list[Client] = []

    @property
    def first(self) -> int:
        """Row of the oldest packet."""
        return self.head - len(self.packets)

    def trim(self) -> None:
        """Forget what every client has had."""
        wanted = min((client.cursor for client in self.clients), default=self.head)
        for _ in range(min(wanted, self.head) - self.first):
            self.packets.popleft()


class Client:
    """One decoder: a cursor into its lane, and what it lost.

    Its queue is the distance from its cursor to the lane's head: nothing is stored per client.
    """

    def __init__(
        self, connection: Connection, lane: Lane, queue: Callable[[], Queue], drained: Callable[[], None]
    ) -> None:
        self.connection = connection
        self._lane = lane
        self._queue = queue
        self._drained = drained
        self._write_began: float | None = None
        self.cursor = lane.head
        self.dropped = 0

    @property
    def queue(self) -> Queue:
        """The policy in force."""
        return self._queue()

    @property
    def waiting(self) -> int:
        """Packets that wait for this client."""
        return self._lane.head - self.cursor

    def push(self) -> None:
        """Write what waits, as far as the socket takes it."""
        while self.waiting and self._write_began is None:
            start = self.cursor - self._lane.first
            packets = self._lane.packets
            stop = min(start + WRITTEN, len(packets))
            data = b"".join([packets[i].framed(self.dropped) for i in range(start, stop)])
            try:
                written = self.connection.stream.write(data)
            except StreamClosedError:
                self.cursor = self._lane.head  # its handler is about to hear of it
                return
            self.cursor += stop - start
            if self.connection.stream.writing():
                self._write_began = clock.now()
                written.add_done_callback(self._on_written)

    def lose(self, n: int) -> None:
        """Skip the oldest `n` packets that wait."""
        self.connection.lost(self.cursor, n)
        self.cursor += n
        self.dropped += n

    def stalled_for(self, now: float) -> float:
        """Seconds for which the socket has taken nothing."""
        return 0.0 if self._write_began is None else now - self._write_began

    def _on_written(self, written: asyncio.Future[None]) -> None:
        self._write_began = None
        if written.exception() is None and self in self._lane.clients:
            self.push()
            self._drained()


class Fanout:
    """The decoders of one session on one event loop: an audience of its `sessions.session.Session`.

    The replay's thread wakes the loop, which reads the ring up to its cursor, encodes, and lets each
    client write. Whenever a cursor has moved, the floor rises to the oldest row that the fan-out or a
    lossless client still wants, and the replay is told that there is `more` room: at speed max it waits
    for nothing else.

    `wake`, `floor` and `close` may be called from any thread, all else from the loop's.

    Parameters
    ----------
    replay : Replay
    loop : asyncio event loop
    """

    def __init__(self, replay: Replay, loop: asyncio.AbstractEventLoop) -> None:
        self._replay = replay
        self._loop = loop
        self._lanes: dict[tuple[Format, Layout], Lane] = {}
        self._connections: dict[Connection, Client] = {}
        self._cursor = 0
        self._floor = 0
        self._pending = False
        self._dropped_by_gone = 0
        self._latencies: deque[float] = deque(maxlen=LATENCIES_KEPT)

    def join(self, connection: Connection, format: Format, layout: Layout, queue: Queue | None) -> Client:  # noqa: A002
        """Send a client every bin from the next one on, and start a session that has waited for it."""
        if not self._connections:
            self._cursor = self._floor = self._replay.ring.head
            self._replay.add_listener(self)
            self._watch()
        self._pump()  # so that the newcomer begins where the others stand
        lane = self._lanes.get((format, layout))
        if lane is None:
            lane = Lane(Encoder(self._replay.recording, format, layout), self._cursor)
            self._lanes[format, layout] = lane
        client = Client(connection, lane, partial(self._policy, queue), partial(self._settle, lane))
        lane.clients.append(client)
        self._connections[connection] = client
        self._replay.start()
        return client

    def leave(self, connection: Connection) -> None:
        """Forget a client. A second call does nothing."""
        client = self._connections.pop(connection, None)
        if client is None:
            return
        self._dropped_by_gone += client.dropped
        for key, lane in list(self._lanes.items()):
            if client in lane.clients:
                lane.clients.remove(client)
                lane.trim()
                if not lane.clients:
                    del self._lanes[key]
        if not self._connections:
            self._watcher.cancel()
            self._replay.remove_listener(self)
        self._raise_floor()

    # As a listener of the replay

    def wake(self) -> None:
        if not self._pending:
            self._pending = True
            self._loop.call_soon_threadsafe(self._pump)

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
        return [
            Decoder(c.connection.address, ", ".join(key), c.queue, max(c.waiting, 0), c.dropped)
            for key, lane in list(self._lanes.items())
            for c in lane.clients.copy()
        ]

    def close(self, code: int, reason: str) -> None:
        self._loop.call_soon_threadsafe(self._close, code, reason)

    # On the loop

    def _pump(self) -> None:
        self._pending = False
        rows, lost = self._replay.ring.since(self._cursor, PUMPED)
        self._cursor += lost + len(rows)
        for lane in list(self._lanes.values()):
            if lost:
                self._skip(lane, lost)
            lane.packets.extend(lane.encoder.encode(rows))
            lane.head += len(rows)
            for client in lane.clients.copy():
                client.push()
                self._bound(client)
            self._settle(lane)
        if len(rows):
            self._latencies.append(clock.now() - float(rows["due"][-1]))
        if len(rows) == PUMPED:
            self.wake()

    def _bound(self, client: Client) -> None:
        """Drop what waits beyond the limit, as the client's policy has it."""
        excess = client.waiting - QUEUE_LIMITS[client.queue]
        if excess <= 0:
            return
        if client.queue != "lossless":
            client.lose(excess)
        elif self._replay.speed != "max":  # there it is the replay that waits
            self._cut(client, "The queue is full.")

    def _settle(self, lane: Lane) -> None:
        """Forget what all have had, and let the replay write over it."""
        lane.trim()
        self._raise_floor()

    def _raise_floor(self) -> None:
        held = [c.cursor for c in self._connections.values() if c.queue == "lossless"]
        self._floor = min([self._cursor, *held])
        self._replay.more()

    def _policy(self, asked: Queue | None) -> Queue:
        return asked or ("lossless" if self._replay.speed == "max" else "drop-oldest")

    def _skip(self, lane: Lane, lost: int) -> None:
        """The ring has lapped this loop: what it lost is lost to every client."""
        lane.packets.clear()
        lane.head += lost
        for client in lane.clients:
            client.lose(lane.head - client.cursor)

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
