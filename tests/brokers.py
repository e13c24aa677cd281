"""Real brokers for tests: Debian's redis-server on a port of its own, and librdkafka's own of Kafka."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
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


CLUSTER = """import time
from confluent_kafka import Producer
cluster = Producer({"bootstrap.servers": "none", "test.mock.num.brokers": 1, "log_level": 0})
(broker,) = cluster.list_topics(timeout=10).brokers.values()
print(f"{broker.host}:{broker.port}", flush=True)
time.sleep(3600)
"""


class KafkaCluster:
    """librdkafka's own broker, in a process that may be stopped."""

    def __init__(self) -> None:
        command = [sys.executable, "-c", CLUSTER]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.servers = self._process.stdout.readline().strip()
        self._process.stdout.close()

    def freeze(self) -> None:
        """Answer nobody."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    @contextmanager
    def running(self) -> Iterator[KafkaCluster]:
        """Until the block ends."""
        try:
            yield self
        finally:
            self.kill()
