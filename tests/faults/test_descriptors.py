"""A server that runs out of descriptors goes on: it answers, streams are unmoved, and it says so once."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import msgpack
import pytest
from websocket import create_connection

from tests.benchmarks import free_port

ROOT = Path(__file__).parents[2]
DESCRIPTORS = 320
HALF_OPEN = 400
PATIENCE = 30.0


class Narrow:
    """A server that may have few descriptors."""

    def __init__(self, log: Path) -> None:
        self.port, self.dashboard_port = free_port(), free_port()
        self.log = log
        options = f"--port {self.port} --dashboard-port {self.dashboard_port} --no-lsl"
        command = f"ulimit -n {DESCRIPTORS}; exec {sys.executable} serve.py {options}"
        with log.open("wb") as said:
            self.process = subprocess.Popen(
                ["bash", "-c", command], cwd=ROOT, stdout=subprocess.PIPE, stderr=said, text=True
            )
        watchdog = threading.Timer(PATIENCE, self.process.kill)
        watchdog.start()
        assert self.process.stdout is not None
        while line := self.process.stdout.readline():
            if line.startswith("Streams"):
                break
        watchdog.cancel()
        assert line, log.read_text()

    def health(self, port: int) -> int:
        with urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            return int(answer.status)

    def warnings(self) -> list[str]:
        return [line for line in self.log.read_text().splitlines() if "WARNING" in line or "ERROR" in line]

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def close(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=PATIENCE)
        return self.process.returncode


@pytest.fixture
def narrow(tmp_path: Path) -> Iterator[Narrow]:
    made = Narrow(tmp_path / "log")
    yield made
    made.process.kill()
    made.process.communicate()


def half_open(port: int, said: bytes, stack: contextlib.ExitStack, n: int = HALF_OPEN) -> None:
    for _ in range(n):
        connection = stack.enter_context(socket.socket())
        connection.settimeout(5)
        connection.connect(("127.0.0.1", port))
        with contextlib.suppress(ConnectionError):
            connection.sendall(said)


@pytest.mark.parametrize("said", [b"", b"GET /health HTTP/1.1\r\nHost:"], ids=["silent", "half a request"])
def test_half_open_connections_cost_nobody_else_anything(narrow: Narrow, said: bytes) -> None:
    stream = create_connection(f"ws://127.0.0.1:{narrow.port}/stream/binary/demo?layout=compact", timeout=5)
    try:
        stream.recv()
        with contextlib.ExitStack() as stack:
            for port in (narrow.port, narrow.dashboard_port):
                half_open(port, said, stack)
                assert [narrow.health(port) for _ in range(5)] == [200] * 5
            assert narrow.descriptors() < DESCRIPTORS
            numbers = [int(msgpack.unpackb(stream.recv())["s"]) for _ in range(80)]
        assert numbers == list(range(numbers[0], numbers[0] + 80))
        assert len(narrow.warnings()) <= 2
    finally:
        stream.close()
    assert narrow.close() == 0


def test_server_whose_descriptors_others_have_taken_answers_all_the_same(narrow: Narrow) -> None:
    """It counts with more of them than it gets."""
    with contextlib.ExitStack() as stack:
        resource.prlimit(narrow.process.pid, resource.RLIMIT_NOFILE, (narrow.descriptors() + 10,) * 2)
        half_open(narrow.port, b"", stack, 60)
        began = time.monotonic()
        assert [narrow.health(narrow.port) for _ in range(5)] == [200] * 5
        assert time.monotonic() - began < 5.0
        told = [line for line in narrow.warnings() if "sessions.gate.admission" in line]
        assert len(told) == 1
        assert "Connections that asked nothing were closed (Too many open files)" in told[0]
        log = narrow.log.read_text()
        assert "Traceback" not in log, log


def test_port_full_of_clients_takes_no_more_and_says_so_once(narrow: Narrow) -> None:
    """They all have asked something, so that none of them is in the wrong."""
    with contextlib.ExitStack() as stack:
        refused = 0
        for _ in range(DESCRIPTORS // 2):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", narrow.port), 5))
            try:
                connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
                refused += connection.recv(100) == b""
            except ConnectionError:
                refused += 1
        assert refused > DESCRIPTORS // 4
        assert narrow.descriptors() < DESCRIPTORS
        (warning,) = narrow.warnings()
        assert "connections from 127.0.0.1 are open" in warning
        assert narrow.health(narrow.dashboard_port) == 200
    assert narrow.health(narrow.port) == 200
