"""Real brokers for tests: Debian's redis-server on a port of its own, and librdkafka's own of Kafka."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
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
    certificate : (Path, Path), optional
        It speaks TLS alone, with this certificate and key.
    """

    def __init__(
        self,
        password: str | None = None,
        host: str = "127.0.0.1",
        prefix: str = "",
        certificate: tuple[Path, Path] | None = None,
    ) -> None:
        self._certificate = certificate
        self.port = free_port()
        self.host = host
        self.password = password
        self._prefix = prefix.split()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        known = f":{self.password}@" if self.password else ""
        if self._certificate:
            return f"rediss://{known}{self.host}:{self.port}/0?ssl_ca_certs={self._certificate[0]}"
        return f"redis://{known}{self.host}:{self.port}/0"

    @property
    def client(self) -> redis.Redis:
        """A new one, as any program's."""
        return redis.Redis.from_url(self.url)

    def start(self) -> None:
        command = [*self._prefix, REDIS or "redis-server", "--save", ""]
        if self._certificate:
            certificate, key = map(str, self._certificate)
            command += ["--port", "0", "--tls-port", str(self.port), "--tls-auth-clients", "no"]
            command += ["--tls-cert-file", certificate, "--tls-key-file", key]
            command += ["--tls-ca-cert-file", certificate]
        else:
            command += ["--port", str(self.port)]
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


CLUSTER = """import ctypes, os, sys
from glob import glob
import confluent_kafka
beside = os.path.join(os.path.dirname(confluent_kafka.__file__), os.pardir, "confluent_kafka.libs")
(library,) = glob(os.path.join(beside, "librdkafka*.so*"))
kafka = ctypes.CDLL(library)
for make in (kafka.rd_kafka_conf_new, kafka.rd_kafka_new, kafka.rd_kafka_mock_cluster_new):
    make.restype = ctypes.c_void_p
kafka.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
settings = ctypes.c_void_p(kafka.rd_kafka_conf_new())
kafka.rd_kafka_conf_set(settings, b"log_level", b"0", None, 0)
client = ctypes.c_void_p(kafka.rd_kafka_new(0, settings, None, 0))
cluster = ctypes.c_void_p(kafka.rd_kafka_mock_cluster_new(client, 1))
print(kafka.rd_kafka_mock_cluster_bootstraps(cluster).decode(), flush=True)
tell = {"down": kafka.rd_kafka_mock_broker_set_down, "up": kafka.rd_kafka_mock_broker_set_up}
for line in sys.stdin:
    tell[line.strip()](cluster, 1)
    print("done", flush=True)
"""
"""Python's binding can make such a cluster, but cannot let its broker go and come."""


class KafkaCluster:
    """librdkafka's own broker, in a process that may be stopped."""

    def __init__(self) -> None:
        command = [sys.executable, "-c", CLUSTER]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
        assert self._process.stdout is not None
        self.servers = self._process.stdout.readline().strip()

    def go_down(self) -> None:
        """Cut all connections and take none, as a broker that was killed; what it has, it keeps."""
        self._tell("down")

    def come_up(self) -> None:
        """Be there again, at the same address."""
        self._tell("up")

    def _tell(self, what: str) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{what}\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "done\n"

    def freeze(self) -> None:
        """Answer nobody, once this returns."""
        self._process.send_signal(signal.SIGSTOP)
        os.waitpid(self._process.pid, os.WUNTRACED)  # until then its threads may go on

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()

    @contextmanager
    def running(self) -> Iterator[KafkaCluster]:
        """Until the block ends."""
        try:
            yield self
        finally:
            self.kill()
