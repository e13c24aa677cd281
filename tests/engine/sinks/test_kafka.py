"""What any client of Kafka reads of a session, and what becomes of a session whose Kafka is in trouble."""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import msgpack
import numpy as np
import pytest
from confluent_kafka import Consumer, Message

from engine.bins import clock
from engine.brokers.kafka import BINS, EVENTS, KafkaPlace
from engine.deck.replay import Replay
from engine.errors import BadSetting, BrokerFault
from engine.sinks.base import Subject
from engine.sinks.feeder import Feeder
from engine.sinks.kafka import KafkaSink, Undelivered
from tests.brokers import KafkaCluster
from tests.builders import play, replay_of, small_recording
from tests.certificates import self_signed
from tests.engine.deck.test_replay import assert_unbroken
from tests.engine.listening import Keeper, wait_until

Publish = Callable[..., tuple[Replay, Keeper, Feeder]]
IMPATIENT = {"message.timeout.ms": 1000}


@pytest.fixture
def publish() -> Iterator[Publish]:
    """Makes a session `deck` that goes to Kafka."""
    made: list[tuple[Feeder, Replay]] = []

    def make(servers: str, recording: Any = None, **options: Any) -> tuple[Replay, Keeper, Feeder]:
        recording = recording or small_recording()
        replay = replay_of(recording, **options)
        place, subject = KafkaPlace(servers), Subject("deck", recording, recording.bin_rate)
        producer, undelivered = place.producer(IMPATIENT), Undelivered()
        feeder = Feeder("kafka of deck", lambda: KafkaSink(subject, place, producer, undelivered), replay)
        made.append((feeder, replay))
        return replay, Keeper(replay), feeder

    yield make
    for feeder, replay in made:
        feeder.close(within=2.0)
        replay.close()


@pytest.fixture
def read(kafka_cluster: KafkaCluster) -> Iterator[Callable[[str, int], list[Message]]]:
    """The first messages of a topic."""
    consumers: list[Consumer] = []

    def take(topic: str, n: int) -> list[Message]:
        options = {"bootstrap.servers": kafka_cluster.servers, "group.id": topic, "log_level": 0}
        consumer = Consumer({**options, "auto.offset.reset": "earliest"})
        consumers.append(consumer)
        consumer.subscribe([topic])
        found: list[Message] = []

        def come() -> bool:
            messages = consumer.consume(n - len(found), 0.2)
            found.extend(each for each in messages if each.error() is None)  # before there is a topic
            return len(found) >= n

        wait_until(come)
        return found

    yield take
    for consumer in consumers:
        consumer.close()


def test_messages_are_the_compact_layout_under_the_code_of_their_session(
    kafka_cluster: KafkaCluster, publish: Publish, read: Callable[[str, int], list[Message]]
) -> None:
    replay, keeper, feeder = publish(kafka_cluster.servers, small_recording(gaps=True), speed=8.0)
    assert feeder.made.wait(10)
    replay.start()
    rows = keeper.wait_rows(60)
    messages = read(BINS, 60)

    for row, message in zip(rows, messages, strict=True):
        packet = msgpack.unpackb(message.value())
        assert message.key() == b"deck"
        assert message.timestamp()[1] == int(1000 * row["timestamp"])
        assert list(packet) == list("sptckgrmfd")
        assert (packet["s"], packet["p"]) == (row["sequence_number"], row["packet_id"])
        assert packet["t"] == row["timestamp"]
        assert packet["c"] == row["counts"].tobytes()
        assert np.array_equal(np.frombuffer(packet["k"], "<f4"), row["kinematics"], equal_nan=True)
        assert packet["r"] == (row["trial"] if row["trial"] >= 0 else None)
        assert (packet["f"], packet["d"]) == (int(row["observed"]), 0)
    assert feeder.status.lost == 0


def test_events_are_text_with_their_time(
    kafka_cluster: KafkaCluster, publish: Publish, read: Callable[[str, int], list[Message]]
) -> None:
    replay, _, feeder = publish(kafka_cluster.servers)
    assert feeder.made.wait(10)
    before = clock.unix(clock.now())
    replay.pause()
    (message,) = read(EVENTS, 1)

    assert (message.key(), message.value()) == (b"deck", b"pause")
    assert abs(message.timestamp()[1] / 1000 - before) < 5.0


def test_kafka_that_answers_nobody_moves_nobody_and_is_used_again_within_seconds(
    kafka_cluster: KafkaCluster, publish: Publish, caplog: pytest.LogCaptureFixture
) -> None:
    replay, keeper, feeder = publish(kafka_cluster.servers, speed=4.0)
    assert feeder.made.wait(10)
    replay.start()
    keeper.wait_rows(20)
    kafka_cluster.freeze()
    wait_until(lambda: feeder.status.state == "failed")
    at = len(keeper.rows)
    rows = keeper.wait_rows(at + 80)[at:]
    arrivals = np.array(keeper.arrivals[at : at + 80])
    lost = feeder.status.lost
    kafka_cluster.thaw()
    thawed = clock.now()
    wait_until(lambda: feeder.status.state == "running")

    assert clock.now() - thawed < 5.0
    assert np.median(arrivals - rows["due"]) < 0.025
    assert_unbroken(keeper.rows)
    assert lost >= 80
    lines = [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]
    assert len(lines) == 1
    assert "cannot be reached. Start it" in lines[0]


def test_kafka_that_is_killed_moves_nobody_and_is_used_again_when_it_is_back(
    kafka_cluster: KafkaCluster, publish: Publish, read: Callable[[str, int], list[Message]]
) -> None:
    replay, keeper, feeder = publish(kafka_cluster.servers, speed=4.0)
    assert feeder.made.wait(10)
    replay.start()
    keeper.wait_rows(20)
    kafka_cluster.go_down()
    wait_until(lambda: feeder.status.state == "failed")
    at = len(keeper.rows)
    rows = keeper.wait_rows(at + 80)[at:]
    arrivals = np.array(keeper.arrivals[at : at + 80])
    kafka_cluster.come_up()
    came = clock.now()
    wait_until(lambda: feeder.status.state == "running")
    took, lost = clock.now() - came, feeder.status.lost
    first = keeper.wait_rows(len(keeper.rows) + 40)[-1]["sequence_number"]

    assert took < 5.0
    assert lost >= 40
    assert np.median(arrivals - rows["due"]) < 0.025
    assert_unbroken(keeper.rows)
    numbers = [msgpack.unpackb(message.value())["s"] for message in read(BINS, int(first) - lost)]
    assert numbers[0] == 0
    assert max(numbers) > rows[-1]["sequence_number"]


def test_kafka_that_is_away_is_told_and_every_bin_is_counted(publish: Publish) -> None:
    replay, keeper, feeder = publish("127.0.0.1:1")
    assert feeder.made.wait(10)
    replay.start()
    keeper.wait_rows(20)

    assert feeder.status.error == (
        "Kafka at 127.0.0.1:1 cannot be reached. Start it, or give its addresses with --kafka."
    )
    assert feeder.status.lost >= 20


def test_queue_that_is_full_is_a_fault_and_is_not_waited_for(kafka_cluster: KafkaCluster) -> None:
    recording = small_recording()
    place = KafkaPlace(kafka_cluster.servers)
    producer = place.producer({"queue.buffering.max.messages": 50, **IMPATIENT})
    sink = KafkaSink(Subject("deck", recording, 40.0), place, producer, Undelivered())
    kafka_cluster.freeze()
    began = clock.now()
    with pytest.raises(BrokerFault, match="takes too little"):
        sink.push(play(recording, range(100)))
    assert clock.now() - began < 0.5

    def lost() -> int:
        try:
            return int(sink.wanted())
        except BrokerFault as fault:
            return fault.lost

    wait_until(lambda: lost() > 0)  # what had been queued is counted when its time is over
    kafka_cluster.thaw()


@pytest.mark.parametrize(
    "servers", ["", "rig1", "rig1:9092,", "http://rig1:9092", "sasl_ssl://a:s3cret@rig1"]
)
def test_addresses_that_cannot_be_read_are_refused_without_their_password(servers: str) -> None:
    with pytest.raises(BadSetting, match="The addresses of Kafka cannot be read") as refused:
        KafkaPlace(servers)

    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    ("servers", "told"),
    [
        (
            "ssl://rig1:9093?ssl.ca.location=/no/such.crt",
            "no file /no/such.crt, which ssl.ca",
        ),
        ("ssl://rig1:9093?enable.ssl.certificate.verification=false", "Unknown option 'enable.ssl"),
        ("ssl://rig1:9093?ssl.ca.location={}", "cannot be used with these options"),
        ("sasl_ssl://me:s3cret@rig1:9093?sasl.mechanism=ROT13", "cannot be used with these options"),
    ],
)
def test_options_that_cannot_be_are_refused_at_once(servers: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "rig.crt").write_text("no certificate")
    with pytest.raises(BadSetting, match=told):
        KafkaPlace(servers.format(tmp_path / "rig.crt"))


@pytest.mark.parametrize("trusted", [True, False])
def test_an_authority_of_ones_own_is_trusted_if_it_is_named(tmp_path: Path, trusted: bool) -> None:
    certificate, key = self_signed(tmp_path, "127.0.0.1")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    query = f"?ssl.ca.location={certificate}" if trusted else ""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(20)
        producer = KafkaPlace(f"ssl://127.0.0.1:{listening.getsockname()[1]}{query}").producer()
        connection, _ = listening.accept()
        with connection, nullcontext() if trusted else pytest.raises((ssl.SSLError, OSError)):
            connection.settimeout(20)
            with server.wrap_socket(connection, server_side=True) as shaken:
                assert shaken.recv(1)  # the first request: the client has taken the certificate
        del producer


def test_password_is_no_part_of_the_name() -> None:
    assert KafkaPlace("sasl_ssl://me:s3cret@rig1:9093,rig2:9093").name == "rig1:9093,rig2:9093"
