"""A session's bins and events as messages of two Kafka topics, with its code as their key."""

from __future__ import annotations

import threading

from confluent_kafka import KafkaError, Message, Producer

from engine.bins import clock
from engine.bins.compact import Body, compact, compact_body
from engine.bins.schema import Rows
from engine.brokers.kafka import ANSWER_WITHIN, BINS, EVENTS, KafkaPlace
from engine.errors import BrokerFault
from engine.sinks.base import Subject


class Undelivered:
    """Bins of a session that brokers have not taken in time. May be used from any thread."""

    def __init__(self) -> None:
        self._n = 0
        self._why: KafkaError | None = None
        self._lock = threading.Lock()  # guards the two above

    def add(self, error: KafkaError | None, _: Message) -> None:
        """Called for every bin that was handed over, when it is known what became of it."""
        if error is not None:
            with self._lock:
                self._n, self._why = self._n + 1, error

    def take(self) -> tuple[int, KafkaError | None]:
        """How many there were since the last call, and why the last one was."""
        with self._lock:
            found = self._n, self._why
            self._n, self._why = 0, None
        return found


class KafkaSink:
    """Hands bins to a producer, which waits for nobody.

    Parameters
    ----------
    subject : Subject
    place : KafkaPlace
    producer : confluent_kafka.Producer
        Of all sessions.
    undelivered : Undelivered
        Of this session, of sinks that were made before too.

    Raises
    ------
    BrokerFault
        If no broker answers.
    """

    def __init__(
        self, subject: Subject, place: KafkaPlace, producer: Producer, undelivered: Undelivered
    ) -> None:
        self._key = subject.code.encode()
        self._place = place
        self._producer = producer
        self._undelivered = undelivered
        self._trial_ids = subject.description.trial_ids
        self._body: Body | None = None
        with place.faults():
            producer.list_topics(timeout=ANSWER_WITHIN)

    def wanted(self) -> bool:
        """Kafka tells nobody who reads: a session is started otherwise."""
        self._look()
        return False

    def push(self, rows: Rows) -> None:
        if self._body is None:
            self._body = compact_body(self._trial_ids, rows.dtype["counts"])
        stamps = (1000.0 * rows["timestamp"]).astype(int).tolist()
        with self._place.faults():
            for message, at in zip(compact(rows, self._body), stamps, strict=True):
                self._producer.produce(
                    BINS, message, self._key, timestamp=at, on_delivery=self._undelivered.add
                )

    def event(self, text: str, due: float) -> None:
        with self._place.faults():
            self._producer.produce(EVENTS, text.encode(), self._key, timestamp=int(1000 * clock.unix(due)))

    def close(self) -> None:
        """What has been handed over goes its way."""

    def _look(self) -> None:
        self._producer.poll(0)
        n, why = self._undelivered.take()
        if why is not None:
            raise BrokerFault(self._place.meaning(why), lost=n)
