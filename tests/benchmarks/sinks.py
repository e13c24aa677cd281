"""What sinks cost: from a bin's being due to a client's reading it from Redis and Kafka; time per bin.

Usage: python -m tests.benchmarks.sinks [SECONDS]; prints JSON lines, each beside the machine's floor.
`read` is the client: python -m tests.benchmarks.sinks read redis|kafka ADDRESS SECONDS.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgpack
import numpy as np
import redis
from confluent_kafka import Consumer, TopicPartition

from engine import scheduling
from engine.brokers.kafka import BINS, KafkaPlace
from engine.brokers.redis import SESSIONS, RedisPlace, stream_key
from engine.sinks.base import Sink, Subject
from engine.sinks.kafka import KafkaSink, Undelivered
from engine.sinks.lsl import LslNames, LslSink
from engine.sinks.redis import RedisSink
from engine.sources.recordings.readers import read
from tests.benchmarks import ROOT, emit, server, sleep_floor, spread
from tests.brokers import KafkaCluster, RedisServer
from tests.builders import play

SESSION_COUNTS = (1, 10, 50)
WARM_UP = 2.0
N_BINS = 2000


def read_redis(url: str, seconds: float) -> list[float]:
    """Seconds from due to read, of all sessions of the registry."""
    delays: list[float] = []
    with redis.Redis.from_url(url) as client:
        after: dict[Any, Any] = {stream_key(c.decode(), "bins"): "0-0" for c in client.hkeys(SESSIONS)}
        began = time.monotonic()
        while time.monotonic() < began + WARM_UP + seconds:
            for stream, entries in client.xread(after, block=200) or ():
                now = time.time()
                after[stream.decode()] = entries[-1][0]
                delays += [now - float(fields[b"t"]) for _, fields in entries if _warm(began)]
    return delays


def read_kafka(servers: str, seconds: float) -> list[float]:
    """The same of all sessions' topic."""
    delays: list[float] = []
    consumer = Consumer(
        {
            "bootstrap.servers": servers,
            "group.id": secrets.token_hex(4),
            "fetch.wait.max.ms": 2,  # a waiting client gets nothing from librdkafka's broker before that
            "log_level": 0,
        }
    )
    partitions = consumer.list_topics(BINS, timeout=5).topics[BINS].partitions
    ends = [
        TopicPartition(BINS, i, consumer.get_watermark_offsets(TopicPartition(BINS, i))[1])
        for i in partitions
    ]
    consumer.assign(ends)
    began = time.monotonic()
    while time.monotonic() < began + WARM_UP + seconds:
        message = consumer.poll(0.2)
        if message is not None and message.error() is None and _warm(began):
            delays.append(time.time() - msgpack.unpackb(message.value())["t"])
    consumer.close()
    return delays


def _warm(began: float) -> bool:
    return time.monotonic() > began + WARM_UP


def deliver(kind: str, address: str, seconds: float) -> None:
    """From due to read, by the number of sessions, with a server and a client in processes of their own."""
    for n in SESSION_COUNTS:
        with server(f"--{kind}", address, "--no-lsl", "--max-sessions", str(n)) as deck:
            for i in range(n):
                deck.ask("POST", f"/api/sessions/create?custom_code=s{i}")
                deck.ask("POST", f"/api/control/s{i}/resume")
            time.sleep(WARM_UP)
            command = [sys.executable, "-m", "tests.benchmarks.sinks", "read", kind, address, str(seconds)]
            done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
            delays = json.loads(done.stdout)
            measured = deck.get("/metrics")["metrics"]["sessions"].values()
        emit(
            "due to read",
            sink=kind,
            sessions=n,
            ms=spread(delays),
            bins=len(delays),
            lost=sum(sink["lost"] for each in measured for sink in each["sinks"]),
            late_ticks=sum(each["late_ticks"] for each in measured),
            tick_p99_ms=max(each["timing_error_ms"]["p99"] for each in measured),
            sleep_floor_ms=sleep_floor(),
        )


@contextlib.contextmanager
def sinks(redis_url: str, kafka_servers: str) -> Iterator[dict[str, Callable[[Subject], Sink]]]:
    """What makes one of each kind, for any session."""
    kafka = KafkaPlace(kafka_servers)
    producer = kafka.producer()
    yield {
        "lsl, nobody listening": lambda subject: LslSink(subject, LslNames()),
        "redis": lambda subject: RedisSink(subject, RedisPlace(redis_url)),
        "kafka": lambda subject: KafkaSink(subject, kafka, producer, Undelivered()),
    }
    producer.flush(5)


def cost(redis_url: str, kafka_servers: str) -> None:
    """Time of a push of one bin: by the clock, and of the processor in its thread."""
    from engine.sources.recordings.synthetic import default_recording

    recording = read(default_recording(ROOT / "data"), bin_rate=40.0)
    with sinks(redis_url, kafka_servers) as kinds:
        for name, make in kinds.items():
            sink = make(Subject("cost", recording, recording.bin_rate))
            took, used = [], 0.0
            for i in range(N_BINS):
                rows = play(recording, [i])
                begin, before = time.perf_counter(), time.thread_time()
                sink.push(rows)
                used += time.thread_time() - before
                took.append(time.perf_counter() - begin)
                sink.wanted()
            sink.close()
            emit("cost per bin", sink=name, us=spread(took, 1e6), processor_us=1e6 * used / N_BINS)


def main(seconds: float) -> None:
    with RedisServer().running() as redis_server, KafkaCluster().running() as kafka:
        cost(redis_server.url, kafka.servers)
        deliver("redis", redis_server.url, seconds)
        deliver("kafka", kafka.servers, seconds)


if __name__ == "__main__":
    if sys.argv[1:2] == ["read"]:
        scheduling.real_time()  # where it can be had: what is late is then not the measurer
        heard = {"redis": read_redis, "kafka": read_kafka}[sys.argv[2]](sys.argv[3], float(sys.argv[4]))
        print(json.dumps([float(np.round(each, 6)) for each in heard]))
    else:
        main(float(sys.argv[1]) if len(sys.argv) > 1 else 10.0)
