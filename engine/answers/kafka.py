"""Predictions from Kafka: one thread that reads the topic of all sessions."""

from __future__ import annotations

import json
import logging
import threading
from contextlib import suppress
from typing import Any, Final

import msgpack
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from engine.answers.intake import Intake
from engine.brokers.complaints import Complaints
from engine.brokers.kafka import ANSWER_WITHIN, PREDICTIONS, KafkaPlace
from engine.errors import BadPrediction, BrokerFault

log = logging.getLogger(__name__)

WAIT: Final = 0.2
"""Seconds for which a message is waited for."""
AGAIN_AFTER: Final = 0.5
"""Seconds before the topic is looked for again."""
CLOSED_WITHIN: Final = 1.5


class KafkaPredictions:
    """Reads ``phantomdeck.predictions`` from now on: the key is a session's code, the value a prediction.

    Parameters
    ----------
    place : KafkaPlace
    group : str
        Of this server alone.
    intake : Intake
        Where predictions go.
    """

    def __init__(self, place: KafkaPlace, group: str, intake: Intake) -> None:
        self.error: str | None = None
        self.ready = threading.Event()  # set when it has begun to hear
        self._place = place
        self._group = group
        self._intake = intake
        self._complaints = Complaints(log, "Predictions")
        self._doubted = True  # whether the topic is there
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kafka predictions", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Read no more. A second call does nothing."""
        self._closing.set()
        self._thread.join(CLOSED_WITHIN)

    def _run(self) -> None:
        consumer, subscribed = self._place.consumer(self._group, self._doubt), False
        while not self._closing.is_set():
            try:
                if self._doubted and not self._finds(consumer):
                    self._closing.wait(AGAIN_AFTER)
                    continue
                self._doubted = False
                if not subscribed:
                    consumer.subscribe([PREDICTIONS], on_assign=self._assign)
                    subscribed = True
                self._read(consumer)
                self._intake.tidy()
            except Exception as error:  # whatever it is, it ends this message alone, and visibly
                self.error, self._doubted = self._complaints.fail(error), True
                self._closing.wait(AGAIN_AFTER)
        consumer.close()

    def _doubt(self, _: KafkaError) -> None:
        """Look whether Kafka is there: the library tells when connections end, not when one is back."""
        self._doubted = True

    def _finds(self, consumer: Consumer) -> bool:
        """Whether the topic is there; asking for it makes it, where brokers make topics by themselves."""
        try:
            with self._place.faults():
                found = consumer.list_topics(PREDICTIONS, timeout=ANSWER_WITHIN).topics[PREDICTIONS]
        except BrokerFault as fault:
            self.error = str(fault)
            self._complaints.tell(self.error)
            return False
        self.error = None
        self._complaints.over("Kafka is back.")
        return found.error is None

    def _assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Begin at the end as it is now: "latest" would be the end as it is found some time later."""
        for each in partitions:
            with suppress(KafkaException):  # then it is found later
                _, each.offset = consumer.get_watermark_offsets(each, timeout=ANSWER_WITHIN)
        consumer.assign(partitions)
        self.ready.set()

    def _read(self, consumer: Consumer) -> None:
        """Take the next message; the library finds brokers again by itself."""
        message = consumer.poll(WAIT)
        if message is None:
            return
        error = message.error()
        if error is None:
            self._take(message)
        elif error.code() != KafkaError.UNKNOWN_TOPIC_OR_PART:  # it is being made
            self.error, self._doubted = self._place.meaning(error), True
            self._complaints.tell(self.error)

    def _take(self, message: Message) -> None:
        code = (message.key() or b"").decode(errors="replace")
        try:
            self._intake.take(code, prediction(message.value() or b""))
        except BadPrediction as refused:
            self._intake.refuse(code, str(refused))


def prediction(content: bytes) -> dict[str, Any]:
    """A message, JSON or MessagePack, as on the WebSocket.

    Raises
    ------
    BadPrediction
    """
    try:
        found = json.loads(content) if content[:1] == b"{" else msgpack.unpackb(content)
    except (ValueError, RecursionError, msgpack.UnpackException):
        found = None
    if not isinstance(found, dict):
        raise BadPrediction("The message is no object. Send JSON or MessagePack, as on the WebSocket.")
    return found
