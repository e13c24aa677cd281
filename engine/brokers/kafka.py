"""Kafka: where its brokers are, what the topics are called, and what its faults mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import parse_qsl

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer

from engine.brokers.files import check_file
from engine.errors import BadSetting, BrokerFault

BINS: Final = "phantomdeck.bins"
EVENTS: Final = "phantomdeck.events"
PREDICTIONS: Final = "phantomdeck.predictions"

ANSWER_WITHIN: Final = 1.0
"""Seconds in which brokers must say that they are there."""
QUEUED: Final = 10_000
"""Messages that wait for the brokers, at most, of all sessions together."""
DELIVERED_WITHIN: Final = 5.0
"""Seconds after which a message that has not been delivered is lost."""

SERVERS = re.compile(
    r"((?P<protocol>ssl|sasl_ssl|sasl_plaintext)://)?((?P<user>[^:@/,]+):(?P<password>[^@/,]+)@)?"
    r"(?P<hosts>[^@/,:?]+:\d{1,5}(,[^@/,:?]+:\d{1,5})*)(\?(?P<options>.+))?"
)
FILES: Final = ("ssl.ca.location", "ssl.certificate.location", "ssl.key.location")
OPTIONS: Final = (*FILES, "sasl.mechanism")
"""Of librdkafka's, those that an address may have: the first is for an authority of one's own."""


class KafkaPlace:
    """Brokers of a Kafka cluster, which may be away.

    Parameters
    ----------
    servers : str
        Such as ``rig1:9092,rig2:9092``, ``sasl_ssl://USER:PASSWORD@rig1:9093`` or
        ``ssl://rig1:9093?ssl.ca.location=FILE``, with any of `OPTIONS`.

    Attributes
    ----------
    name : str
        Hosts and ports, for messages.

    Raises
    ------
    BadSetting
        If it is no such list.
    """

    def __init__(self, servers: str) -> None:
        found = SERVERS.fullmatch(servers)
        if found is None:
            raise BadSetting(
                "The addresses of Kafka cannot be read. Send HOST:PORT,HOST:PORT or "
                "sasl_ssl://USER:PASSWORD@HOST:PORT, and ?ssl.ca.location=FILE for your own authority."
            )
        self.name = found["hosts"]
        self._options: dict[str, Any] = {
            "bootstrap.servers": found["hosts"],
            "log_level": 0,  # the library's own lines: what matters of them is told here
            "reconnect.backoff.max.ms": 1000,
        }
        if found["user"]:
            self._options |= {
                "security.protocol": found["protocol"] or "sasl_ssl",
                "sasl.mechanism": "PLAIN",
                "sasl.username": found["user"],
                "sasl.password": found["password"],
            }
        elif found["protocol"]:
            self._options["security.protocol"] = found["protocol"]
        self._options |= _asked(found["options"] or "")
        try:
            self.producer({"bootstrap.servers": ""})  # which knows what cannot be, and connects to nobody
        except KafkaException:
            raise BadSetting(
                f"Kafka at {self.name} cannot be used with these options. Look to the certificate and key: "
                "both are PEM, and belong together."
            ) from None

    def producer(self, options: Mapping[str, Any] | None = None) -> Producer:
        """What sends messages at once, and keeps few of those that it cannot."""
        return Producer(
            {
                **self._options,
                "linger.ms": 0,
                "acks": 1,
                "queue.buffering.max.messages": QUEUED,
                "message.timeout.ms": round(1000 * DELIVERED_WITHIN),
                **(options or {}),
            }
        )

    def consumer(self, group: str, on_trouble: Callable[[KafkaError], None]) -> Consumer:
        """What reads messages from now on; each group gets all of them.

        Parameters
        ----------
        group : str
        on_trouble : function
            Called while reading when there is trouble with brokers, which may be over soon.
        """
        return Consumer(
            {
                **self._options,
                "error_cb": on_trouble,
                "group.id": group,
                "auto.offset.reset": "latest",
                "enable.auto.commit": False,
                "allow.auto.create.topics": True,
                "topic.metadata.refresh.interval.ms": 5000,
            }
        )

    @contextmanager
    def faults(self) -> Iterator[None]:
        """Turn what goes wrong in the block into a `BrokerFault`."""
        try:
            yield
        except KafkaException as error:
            raise BrokerFault(self.meaning(error.args[0])) from None
        except BufferError:
            raise BrokerFault(
                f"Kafka at {self.name} takes too little: {QUEUED:,} messages wait. Look to its brokers."
            ) from None

    def meaning(self, error: KafkaError) -> str:
        """A fault in one line."""
        match error.code():
            case KafkaError._AUTHENTICATION | KafkaError.SASL_AUTHENTICATION_FAILED:
                what = "refuses the password. Give the right one in PHANTOM_KAFKA."
            case KafkaError.TOPIC_AUTHORIZATION_FAILED | KafkaError.CLUSTER_AUTHORIZATION_FAILED:
                what = (
                    "does not permit what is needed. Let the user write and read the topics phantomdeck.*."
                )
            case KafkaError.UNKNOWN_TOPIC_OR_PART | KafkaError._UNKNOWN_TOPIC:
                what = f"makes no topics by itself. Make {BINS}, {EVENTS} and {PREDICTIONS}."
            case _:
                what = "cannot be reached. Start it, or give its addresses with --kafka."
        return f"Kafka at {self.name} {what}"


def _asked(query: str) -> dict[str, str]:
    """The options of an address."""
    found = dict(parse_qsl(query))
    for name, value in found.items():
        if name not in OPTIONS:
            raise BadSetting(f"Unknown option {name[:80]!r} of Kafka. There are {', '.join(OPTIONS)}.")
        if name in FILES:
            check_file(name, value)
    return found
