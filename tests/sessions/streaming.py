"""A stream port on a free socket, and decoders that connect to it: an ordinary one, and a plain socket."""

from __future__ import annotations

import base64
import json
import socket
import struct
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import msgpack
import websocket
from tornado.netutil import bind_sockets

from sessions.gate import Origins, Rate, Rules
from sessions.server import StreamServer, stream_rules
from sessions.store import Store
from tests.builders import small_recording
from tests.sessions.frames import BINARY, CLOSE, PING, TEXT, Frame, parse

PATIENCE = 20.0
"""Seconds after which a test gives up on what it waits for."""

Packet = dict[str, Any]


def message(opcode: int, payload: bytes) -> Any:
    """What a decoder's library makes of a frame."""
    return json.loads(payload) if opcode == TEXT else msgpack.unpackb(payload)


def data_of(packet: Packet) -> Packet:
    """The fields of ``data``, wherever the layout has them."""
    assert packet["type"] == "data"
    data: Packet = packet.get("data", packet)
    return data


def closing_code(payload: bytes) -> int:
    return int.from_bytes(payload[:2], "big")


class Decoder:
    """A WebSocket client as published ones are, with the first message read."""

    def __init__(self, url: str, **options: Any) -> None:
        self.socket = websocket.create_connection(url, timeout=PATIENCE, **options)
        self.metadata = self.read()

    def frame(self) -> Frame:
        opcode, payload = self.socket.recv_data()
        return opcode, payload

    def read(self) -> Packet:
        """The next message."""
        opcode, payload = self.frame()
        assert opcode in (TEXT, BINARY), f"closed with {closing_code(payload)}"
        read: Packet = message(opcode, payload)
        return read

    def data(self, n: int) -> list[Packet]:
        """The fields of ``data`` of the next `n` packets."""
        return [data_of(self.read()) for _ in range(n)]

    def until(self, met: Callable[[Packet], bool]) -> list[Packet]:
        """Packets up to the first of which something holds."""
        packets = self.data(1)
        while not met(packets[-1]):
            packets += self.data(1)
        return packets

    def closed(self) -> int:
        """The code with which the server closes, after whatever packets come before."""
        opcode = TEXT
        while opcode != CLOSE:
            opcode, payload = self.frame()
        self.socket.shutdown()
        return closing_code(payload)

    def close(self) -> None:
        """Say goodbye and wait for the answer."""
        self.socket.close(timeout=PATIENCE)
        self.socket.shutdown()


class PlainDecoder:
    """A bare socket that reads nothing until it is told to, and then as fast as it can.

    Parameters
    ----------
    port : int
    path : str
    slow : bool
        With a small buffer, so that little is on its way to it.
    """

    def __init__(self, port: int, path: str, slow: bool) -> None:
        self.socket = socket.socket()
        if slow:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(("127.0.0.1", port))
        key, host = base64.b64encode(bytes(16)).decode(), f"127.0.0.1:{port}"
        self.socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        self._rest = b""
        self._read: deque[Frame] = deque()

    def wait_open(self) -> None:
        """Read the answer to the upgrade."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.socket.recv(1)
        assert head.startswith(b"HTTP/1.1 101"), head

    def frames(self, pings: bool = False) -> Iterator[Frame]:
        """Every frame while the connection holds; pings are answered, and given if asked for."""
        while True:
            while self._read:
                opcode, payload = self._read.popleft()
                if opcode == PING:
                    with suppress(ConnectionError):  # the other end may have gone meanwhile
                        self.socket.sendall(bytes((0x8A, 0x80 | len(payload), 0, 0, 0, 0)) + payload)
                if opcode != PING or pings:
                    yield opcode, payload
            chunk = self.socket.recv(65536)
            if not chunk:
                return
            found, self._rest = parse(self._rest + chunk)
            self._read.extend(found)

    def until(self, met: Callable[[Packet], bool]) -> list[Packet]:
        """Packets up to the first of which something holds."""
        packets = []
        for opcode, payload in self.frames():
            assert opcode in (TEXT, BINARY), f"closed with {closing_code(payload)}"
            read = message(opcode, payload)
            if read["type"] == "data":
                packets.append(data_of(read))
                if met(packets[-1]):
                    return packets
        raise AssertionError("The connection has ended.")

    def rest(self) -> tuple[list[Packet], int]:
        """All packets up to the goodbye, which is answered, and its code; 0 if there was none."""
        packets, code = [], 0
        for opcode, payload in self.frames():
            assert not code, "A frame follows the goodbye."
            if opcode == CLOSE:
                code = closing_code(payload)
                self.socket.sendall(b"\x88\x82\0\0\0\0" + payload[:2])
            elif (read := message(opcode, payload))["type"] == "data":
                packets.append(data_of(read))
        return packets, code

    def send(self, text: str) -> None:
        """Send a short message."""
        size = len(text)
        assert size < 126
        self.socket.sendall(bytes((0x81, 0x80 | size, 0, 0, 0, 0)) + text.encode())

    def close(self) -> None:
        self.socket.close()

    def vanish(self) -> None:
        """End the connection at once, without a word."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


@dataclass
class Served:
    """A running stream port, and who has connected to it."""

    store: Store
    port: int
    server: StreamServer
    connected: list[Decoder | PlainDecoder] = field(default_factory=list)

    def decoder(self, path: str = "/stream/deck", /, *, origin: str | None = None, **query: Any) -> Decoder:
        """Connect; a list in the query repeats its key."""
        asked = f"?{urlencode(query, doseq=True)}" if query else ""
        made = Decoder(f"ws://127.0.0.1:{self.port}{path}{asked}", origin=origin)
        self.connected.append(made)
        return made

    def slow_decoder(self, path: str = "/stream/deck") -> PlainDecoder:
        made = PlainDecoder(self.port, path, slow=True)
        self.connected.append(made)
        made.wait_open()
        return made

    def quick_decoder(self, path: str = "/stream/binary/deck?layout=flat") -> PlainDecoder:
        made = PlainDecoder(self.port, path, slow=False)
        self.connected.append(made)
        made.wait_open()
        return made

    def refused(
        self, path: str = "/stream/deck", /, *, origin: str | None = None, **query: Any
    ) -> tuple[int, Packet]:
        """The status and the body with which an upgrade is refused."""
        try:
            self.decoder(path, origin=origin, **query)
        except websocket.WebSocketBadStatusException as error:
            return error.status_code, json.loads(error.resp_body or b"null")
        raise AssertionError("The server has let it in.")


@contextmanager
def streaming(store: Store | None = None, origins: Origins | None = None) -> Iterator[Served]:
    """Serve a store's streams as the stream port does; a small recording if there is none."""
    store = store or Store({"small": small_recording()})
    sockets = bind_sockets(0, "127.0.0.1")
    port = sockets[0].getsockname()[1]
    gate = Rules(origins or Origins((port,)), rate=Rate(1e6))  # tests are quicker than people
    server = StreamServer(store, stream_rules(store), sockets, gate)
    server.start()
    served = Served(store, port, server)
    try:
        yield served
    finally:
        for each in served.connected:
            each.close()
        store.close()
        server.stop()
