"""Packets of one layout in one row, and the clients that are further or less far along it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Literal, Protocol

from tornado.iostream import IOStream, StreamClosedError
from tornado.websocket import WebSocketHandler

from engine.bins import clock
from sessions.streams.pace import Pace
from sessions.streams.packets import Encoder, Packet

Queue = Literal["latest", "drop-oldest", "lossless"]


def send(stream: IOStream, data: bytes) -> asyncio.Future[None] | None:
    """Write into a socket, straight away as far as it takes it: nearly always whole.

    Returns
    -------
    asyncio.Future or None
        Resolves when the rest has been written; None if there is none.

    Raises
    ------
    StreamClosedError
    """
    if not (stream.closed() or stream.writing()):
        with suppress(OSError):  # it is full; or it is broken, and the stream finds that out
            data = data[stream.write_to_fd(memoryview(data)) :]
        if not data:
            return None
    rest: asyncio.Future[None] = stream.write(data)
    return rest


def stream_of(socket: WebSocketHandler) -> IOStream:
    """What a WebSocket writes to.

    Raises
    ------
    StreamClosedError
        If it is closed, or the goodbye has been said: nothing may follow that.
    """
    if socket.ws_connection is None or socket.ws_connection.stream is None:
        raise StreamClosedError
    return socket.ws_connection.stream


class Connection(Protocol):
    """A WebSocket, as far as the fan-out needs it."""

    @property
    def stream(self) -> IOStream: ...

    @property
    def name(self) -> str:
        """Of the decoder, or of those that predict through it."""
        ...

    @property
    def address(self) -> str:
        """Of the other end."""
        ...

    def close(self, code: int, reason: str) -> None: ...

    def lost(self, first: int, end: int) -> None:
        """Hear that the client will never get the rows from `first` on, before `end`."""
        ...


class Group:
    """The packets of one layout, from the oldest that a client still wants to the newest.

    They are counted from the group's own beginning; a packet that was lost on purpose is never in it.
    """

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder
        self.packets: deque[Packet] = deque()
        self.head = 0
        self.clients: list[Client] = []

    @property
    def first(self) -> int:
        """Number of the oldest packet."""
        return self.head - len(self.packets)

    def trim(self) -> None:
        """Forget what every client has had."""
        wanted = min((client.cursor for client in self.clients), default=self.head)
        for _ in range(min(wanted, self.head) - self.first):
            self.packets.popleft()


class Client:
    """One decoder: a cursor into its group, and what it lost.

    Its queue is the distance from its cursor to the group's head: nothing is stored per client.
    """

    def __init__(
        self,
        connection: Connection,
        group: Group,
        queue: Callable[[], Queue],
        drained: Callable[[], None],
        credit: int | None = None,
    ) -> None:
        self.connection = connection
        self._pace = Pace(credit)
        self._held_since: float | None = None  # when packets began to wait for an answer
        self._lane = group
        self._queue = queue
        self._drained = drained
        self._write_began: float | None = None
        self.cursor = group.head
        self.dropped = 0

    @property
    def queue(self) -> Queue:
        """The policy in force."""
        return self._queue()

    @property
    def waiting(self) -> int:
        """Packets that wait for this client."""
        return self._lane.head - self.cursor

    @property
    def row(self) -> int:
        """Of the oldest packet that waits, of which there must be one."""
        return self._lane.packets[self.cursor - self._lane.first].row

    def push(self) -> None:
        """Write what waits, as far as the client's pace allows and the socket takes it."""
        fresh = self._pace.credit is None and self.queue == "latest"
        while self.waiting and self._write_began is None:
            room = self._pace.room(fresh)
            if room <= 0:
                self._held_since = self._held_since or clock.now()
                return
            start = self.cursor - self._lane.first
            packets = self._lane.packets
            stop = min(start + room, len(packets))
            data = b"".join([packets[i].message(self.dropped) for i in range(start, stop)])
            data += self._pace.sent([packets[i].row for i in range(start, stop)], fresh)
            self._held_since = None
            try:
                rest = send(self.connection.stream, data)
            except StreamClosedError:
                self.cursor = self._lane.head  # its handler is about to hear of it
                return
            self.cursor += stop - start
            if rest is not None:
                self._write_began = clock.now()
                rest.add_done_callback(self._on_written)

    def lose(self, n: int) -> None:
        """Skip the oldest `n` packets that wait."""
        start = self.cursor - self._lane.first
        if n:
            packets = self._lane.packets
            self._miss(packets[start].row, packets[start + n - 1].row + 1, n)

    def miss(self, first: int, n: int) -> None:
        """Skip `n` rows from `first` on, of which there are no packets."""
        self._miss(first, first + n, n)

    def _miss(self, first: int, end: int, n: int) -> None:
        self.connection.lost(first, end)
        self.cursor += n
        self.dropped += n

    def answered(self, number: int) -> None:
        """Hear that the client has answered the packet of this row, and with it all before."""
        self._pace.answered(number)
        self._go_on()

    def ponged(self, data: bytes) -> None:
        """Hear that the client has read as far as a ping."""
        self._pace.ponged(data)
        self._go_on()

    def stalled_for(self, now: float) -> float:
        """Seconds for which the client has taken nothing, though there was something to take.

        Who has credit may take as long as it likes, unless the replay waits for it.
        """
        if self._write_began is not None and self._pace.credit is None:
            return now - self._write_began
        if self._held_since is None or (self._pace.credit is not None and self.queue != "lossless"):
            return 0.0
        return now - self._held_since

    def _on_written(self, written: asyncio.Future[None]) -> None:
        self._write_began = None
        if written.exception() is None:
            self._go_on()

    def _go_on(self) -> None:
        if self in self._lane.clients:
            self.push()
            self._drained()
