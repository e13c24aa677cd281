"""Real brokers for tests: Debian's redis-server on a port of its own."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis

from tests.benchmarks import free_port

REDIS = shutil.which("redis-server")
STARTED_WITHIN = 10.0


class RedisServer:
    """A Redis that keeps nothing on disk, and may be killed and started again on its port.

    Parameters
    ----------
    password : str, optional
    host : str
        To listen on.
    prefix : str
        Of the command that starts it.
    """

    def __init__(self, password: str | None = None, host: str = "127.0.0.1", prefix: str = "") -> None:
        self.port = free_port()
        self.host = host
        self.password = password
        self._prefix = prefix.split()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        known = f":{self.password}@" if self.password else ""
        return f"redis://{known}{self.host}:{self.port}/0"

    @property
    def client(self) -> redis.Redis:
        """A new one, as any program's."""
        return redis.Redis.from_url(self.url)

    def start(self) -> None:
        command = [*self._prefix, REDIS or "redis-server", "--port", str(self.port), "--save", ""]
        command += ["--appendonly", "no", "--bind", self.host]
        if self.password:
            command += ["--requirepass", self.password]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        until = time.monotonic() + STARTED_WITHIN
        while not self._answers():
            assert time.monotonic() < until
            time.sleep(0.01)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    @contextmanager
    def running(self) -> Iterator[RedisServer]:
        self.start()
        try:
            yield self
        finally:
            self.kill()

    def entries(self, key: str) -> list[dict[bytes, Any]]:
        """All that a stream holds."""
        with self.client as client:
            return [fields for _, fields in client.xrange(key)]

    def _answers(self) -> bool:
        if self._prefix:  # it may be where only its neighbours reach it
            return self._process is not None and self._process.poll() is None
        try:
            with self.client as client:
                return bool(client.ping())
        except redis.ConnectionError:
            return False
