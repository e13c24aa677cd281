"""Many light decoders in one process: bare sockets that read compact packets, and nothing else.

A full client costs more than the server's own work for it; these leave the machine to the server. One
whose address names a decoder answers every packet with the true position and some noise.

Usage: python -m tests.benchmarks.listeners SECONDS OUT.npz URL [URL ...]; prints a line when all are
connected, and writes what was heard, the first second aside.
"""

from __future__ import annotations

import contextlib
import json
import random
import selectors
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import msgpack
import numpy as np

from tests.benchmarks import ROOT

WARM_UP = 1.0
PER_PROCESS = 100
HEAD = struct.Struct(">4xQ10xd")
"""Of a compact packet: sequence_number and timestamp."""
BINARY, PING = 0x2, 0x9
PONG = b"\x8a\x80\0\0\0\0"
NOISE = 12.0
"""Of an answer, in the recording's length unit."""


def prediction(packet: bytes) -> bytes:
    """A masked WebSocket message that answers a compact packet; nothing if that has no position."""
    told = msgpack.unpackb(packet)
    x, y, *_ = struct.unpack("<4f", told["k"])
    if x != x:
        return b""
    x, y = random.gauss(x, NOISE), random.gauss(y, NOISE)
    said = json.dumps({"type": "prediction", "sequence_number": told["s"], "x": x, "y": y}).encode()
    assert len(said) < 126
    return bytes((0x81, 0x80 | len(said), 0, 0, 0, 0)) + said


@dataclass
class Listener:
    """One connection, and what it heard."""

    url: str
    rest: bytes = b""
    last: int | None = None
    gaps: int = 0
    arrivals: list[float] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)

    def connect(self) -> socket.socket:
        address = urlsplit(self.url)
        made = socket.create_connection((address.hostname, address.port), timeout=30)
        path = f"{address.path}?{address.query}"
        made.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        while b"\r\n\r\n" not in self.rest:
            self.rest += made.recv(65536)
        head, _, self.rest = self.rest.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101"), head
        return made

    def read(self, connection: socket.socket, counts: bool) -> None:
        """Take what has come; note it if it counts."""
        data = self.rest + connection.recv(262_144)
        now, at = time.time(), 0
        while len(data) - at >= 10:
            size, begin = data[at + 1], at + 2
            if size == 126:
                size, begin = int.from_bytes(data[at + 2 : at + 4]), at + 4
            elif size == 127:
                size, begin = int.from_bytes(data[at + 2 : at + 10]), at + 10
            if len(data) < begin + size:
                break
            opcode, at = data[at] & 0xF, begin + size
            if opcode == BINARY and data[begin] == 0x8A:
                number, timestamp = HEAD.unpack_from(data, begin)
                if counts:
                    self.gaps += 0 if self.last is None else number - self.last - 1
                    self.arrivals.append(now)
                    self.delays.append(now - timestamp)
                self.last = number
                if "decoder=" in self.url:
                    connection.sendall(prediction(data[begin:at]))
            elif opcode == PING:
                connection.sendall(PONG)
        self.rest = data[at:]


@dataclass(frozen=True)
class Heard:
    """What all of them heard: delays after the timestamps in s, gaps, and rates by connection."""

    delays: np.ndarray
    gaps: int
    rates: np.ndarray


def main(seconds: float, out: str, urls: Sequence[str]) -> None:
    listeners = [Listener(url) for url in urls]
    with selectors.EpollSelector() as ready:
        for listener in listeners:
            ready.register(listener.connect(), selectors.EVENT_READ, listener)
        print("open", flush=True)
        start = time.monotonic()
        while (now := time.monotonic()) < start + WARM_UP + seconds:
            for key, _ in ready.select(0.1):
                key.data.read(key.fileobj, now > start + WARM_UP)
    rates = [(len(each.arrivals) - 1) / (each.arrivals[-1] - each.arrivals[0]) for each in listeners]
    delays = np.concatenate([each.delays for each in listeners])
    np.savez(out, delays=delays, gaps=sum(each.gaps for each in listeners), rates=rates)


@contextlib.contextmanager
def listening(seconds: float, urls: Sequence[str]) -> Iterator[list[Heard]]:
    """Decoders in as many processes as are good for them; the list has what they heard after the block."""
    heard: list[Heard] = []
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as running:
        parts = [urls[i : i + PER_PROCESS] for i in range(0, len(urls), PER_PROCESS)]
        outs = [Path(folder) / f"{i}.npz" for i in range(len(parts))]
        processes = []
        for part, out in zip(parts, outs, strict=True):
            command = [sys.executable, "-m", "tests.benchmarks.listeners", str(seconds), str(out), *part]
            made = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
            processes.append(running.enter_context(made))
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "open\n"
        yield heard
        for process in processes:
            assert process.wait() == 0
        found = [np.load(out) for out in outs]
        heard.append(
            Heard(
                np.concatenate([each["delays"] for each in found]),
                int(sum(each["gaps"] for each in found)),
                np.concatenate([each["rates"] for each in found]),
            )
        )


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2], sys.argv[3:])
