"""A server's part in Kafka: one producer for all sessions, and the predictions for them."""

from __future__ import annotations

import secrets
import socket
import threading
from collections.abc import Sequence
from typing import Final

from engine.answers.intake import Intake
from engine.answers.kafka import KafkaPredictions
from engine.answers.predictions import Predictions
from engine.brokers.kafka import KafkaPlace
from engine.sinks.base import Subject
from engine.sinks.kafka import KafkaSink, Undelivered
from sessions.brokers.elsewhere import Elsewhere
from sessions.store import Store

SENT_WITHIN: Final = 0.5
"""Seconds that the last messages get at the end."""


class KafkaBroker:
    """Publishes the sessions of a server. Its methods may be called from any thread.

    Parameters
    ----------
    servers : str
    """

    name = "kafka"
    others: Sequence[Elsewhere] = ()

    def __init__(self, servers: str) -> None:
        self.place = KafkaPlace(servers)
        self.predictions: KafkaPredictions | None = None
        self._intake: Intake | None = None
        self._producer = self.place.producer()
        self._undelivered: dict[str, tuple[Subject, Undelivered]] = {}
        self._store: Store | None = None
        self._lock = threading.Lock()  # guards the two above

    @property
    def fault(self) -> str | None:
        return None if self.predictions is None else self.predictions.error

    @property
    def refused(self) -> dict[str, int]:
        """Bad predictions by session."""
        return {} if self._intake is None else self._intake.refused

    def sink(self, subject: Subject) -> KafkaSink:
        """Make the sink of a session."""
        return KafkaSink(subject, self.place, self._producer, self._undelivered_of(subject))

    def start(self, store: Store) -> None:
        """Take predictions until `close`."""

        def find(code: str) -> Predictions | None:
            session = store.sessions.get(code)
            return None if session is None else session.predictions

        group = f"phantomdeck-{socket.gethostname()}-{secrets.token_hex(4)}"
        self._intake = Intake("Kafka", find, store.touch)
        self.predictions = KafkaPredictions(self.place, group, self._intake)
        self._store = store

    def close(self) -> None:
        """Leave: close the store before. A second call does nothing."""
        if self.predictions is not None:
            self.predictions.close()
        self._producer.flush(SENT_WITHIN)

    def _undelivered_of(self, subject: Subject) -> Undelivered:
        """The same for all sinks of a session."""
        with self._lock:
            known, undelivered = self._undelivered.get(subject.code, (None, Undelivered()))
            if known is not subject:
                undelivered = Undelivered()
                here = self._store.sessions if self._store else self._undelivered
                self._undelivered = {code: each for code, each in self._undelivered.items() if code in here}
                self._undelivered[subject.code] = subject, undelivered
            return undelivered
