"""Predictions that come back by Kafka."""

from __future__ import annotations

import json
import logging

import msgpack
import pytest
from confluent_kafka import Producer

from engine.answers.intake import Intake
from engine.brokers.kafka import PREDICTIONS
from sessions.brokers.kafka import KafkaBroker
from sessions.store import Store
from tests.brokers import KafkaCluster
from tests.builders import small_recording
from tests.engine.listening import wait_until

BAD = (
    b"",
    b"{",
    b"[1]",
    b"\xc1",
    b"{}",
    b"[" * 100_000,
    json.dumps({"sequence_number": 1, "x": 1}).encode(),
)


def test_predictions_go_to_their_session_and_bad_ones_are_counted_and_told_once(
    kafka_cluster: KafkaCluster, caplog: pytest.LogCaptureFixture
) -> None:
    broker = KafkaBroker(kafka_cluster.servers)
    store = Store({"small": small_recording()}, make_sinks={"kafka": broker.sink})
    broker.start(store)
    session = store.create("demo")
    session.replay.resume()
    decoder = Producer({"bootstrap.servers": kafka_cluster.servers, "log_level": 0})
    values = {"decoder": "kalman", "x": 1.5, "y": -3.0}
    try:
        assert broker.predictions is not None
        assert broker.predictions.ready.wait(20)
        wait_until(lambda: session.ring.head > 3)
        for content in BAD:
            decoder.produce(PREDICTIONS, content, b"demo")
        decoder.produce(PREDICTIONS, json.dumps({"sequence_number": 1, **values}), b"demo")
        decoder.produce(PREDICTIONS, msgpack.packb({"sequence_number": 2, **values}), b"demo")
        decoder.produce(PREDICTIONS, json.dumps({"sequence_number": 1, **values}), b"nobody")
        decoder.produce(PREDICTIONS, json.dumps({"sequence_number": 1, **values}))
        decoder.flush(10)
        wait_until(lambda: session.predictions.ring.head == 2)
        taken, refused = session.predictions.ring.snapshot(), broker.refused
    finally:
        store.close()
        broker.close()

    assert session.predictions.names == ["kalman"]
    assert taken["sequence_number"].tolist() == [1, 2]
    assert taken["values"][:, :2].tolist() == [[1.5, -3.0]] * 2
    assert refused == {"demo": len(BAD)}
    lines = [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]
    assert [line.startswith("Kafka brought a bad prediction for demo (1 so far)") for line in lines] == [
        True
    ]


def test_predictions_are_taken_again_after_kafka_was_killed_and_after_a_fault_that_nobody_foresaw(
    kafka_cluster: KafkaCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = KafkaBroker(kafka_cluster.servers)
    store = Store({"small": small_recording()}, make_sinks={"kafka": broker.sink})
    broker.start(store)
    session = store.create("demo")
    session.replay.resume()
    decoder = Producer({"bootstrap.servers": kafka_cluster.servers, "log_level": 0})

    def answer(number: int) -> None:
        decoder.produce(PREDICTIONS, json.dumps({"sequence_number": number, "x": 1, "y": 1}), b"demo")
        decoder.flush(10)

    try:
        assert broker.predictions is not None
        assert broker.predictions.ready.wait(20)
        wait_until(lambda: session.ring.head > 9)
        with monkeypatch.context() as broken:
            broken.setattr(Intake, "take", lambda *_: 1 / 0)
            answer(1)
            wait_until(lambda: "It has failed (ZeroDivisionError)" in str(broker.fault))
        answer(2)
        wait_until(lambda: session.predictions.ring.head >= 1)
        wait_until(lambda: broker.fault is None)
        kafka_cluster.go_down()
        wait_until(lambda: "cannot be reached" in str(broker.fault))
        kafka_cluster.come_up()
        wait_until(lambda: broker.fault is None)
        answer(3)
        wait_until(lambda: session.predictions.ring.head >= 2)
    finally:
        store.close()
        broker.close()
