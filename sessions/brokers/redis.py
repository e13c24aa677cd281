"""A server's part in Redis: that it lives, which sessions it has, and an end to those of the dead."""

from __future__ import annotations

import json
import logging
import secrets
import socket
import threading
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import redis
from pydantic import ValidationError

from engine.answers.intake import Intake
from engine.answers.predictions import Predictions
from engine.answers.redis import RedisPredictions
from engine.brokers.complaints import Complaints
from engine.brokers.redis import PARTS, SESSIONS, RedisPlace, make_stream, server_key, stream_key
from engine.errors import BrokerFault
from engine.sinks.base import Subject
from engine.sinks.redis import RedisSink
from sessions.brokers.elsewhere import Addresses, Elsewhere, Registered
from sessions.codes import CODE
from sessions.metadata import metadata
from sessions.store import Store

log = logging.getLogger(__name__)

LIVES: Final = 10
"""Seconds that a server is taken to live after it has last said so."""
ROUND: Final = 2.0
"""Seconds from one look at the registry to the next."""
CLOSED_WITHIN: Final = 1.5

FORGET: Final = """
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('DEL', KEYS[2], KEYS[3], KEYS[4])
return 1
"""
"""Takes a session out of the registry, and its streams with it, unless it has become another's."""


@dataclass(frozen=True)
class Claimed:
    """A session of this server in the registry."""

    subject: Subject
    value: bytes


class RedisBroker:
    """Publishes the sessions of a server. Its methods may be called from any thread.

    Parameters
    ----------
    url : str
    addresses : Addresses
        Where others find this server.

    Attributes
    ----------
    server : str
        The id of this server.
    others : sequence of Elsewhere
        Sessions of other servers.
    """

    name = "redis"

    def __init__(self, url: str, addresses: Addresses) -> None:
        self.place = RedisPlace(url)
        self.server = f"{socket.gethostname()}-{secrets.token_hex(4)}"
        self.others: Sequence[Elsewhere] = ()
        self._fault: str | None = None
        self._card = addresses.model_dump_json().encode()
        self._claims: dict[str, Claimed] = {}
        self._lock = threading.Lock()  # guards the one above
        self._complaints = Complaints(log, "The registry of sessions")
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._predictions: RedisPredictions | None = None
        self._intake: Intake | None = None

    @property
    def fault(self) -> str | None:
        """What is wrong with the registry, or with predictions."""
        return self._fault or (None if self._predictions is None else self._predictions.error)

    @property
    def refused(self) -> dict[str, int]:
        """Bad predictions by session."""
        return {} if self._intake is None else self._intake.refused

    def sink(self, subject: Subject) -> RedisSink:
        """Make the sink of a session."""
        return RedisSink(subject, self.place, self._claim)

    def start(self, store: Store) -> None:
        """Keep the registry, and take predictions, until `close`."""

        def find(code: str) -> Predictions | None:
            session = store.sessions.get(code)
            return None if session is None else session.predictions

        self._intake = Intake("Redis", find, store.touch)
        self._predictions = RedisPredictions(self.place, self._codes, self._intake)
        self._thread = threading.Thread(target=self._run, args=(store,), name="redis registry", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Leave: close the store before. A second call does nothing."""
        self._closing.set()
        if self._predictions is not None:
            self._predictions.close()
        if self._thread is not None:
            self._thread.join(CLOSED_WITHIN)

    def _codes(self) -> Collection[str]:
        with self._lock:
            return list(self._claims)

    # In the thread of a sink

    def _claim(self, client: redis.Redis, subject: Subject) -> None:
        """Put a session into the registry, with streams of its own.

        Raises
        ------
        BrokerFault
            If another server has a session of this code.
        """
        code = subject.code
        with self._lock:
            before = self._claims.get(code)
        again = before is not None and before.subject is subject
        value = before.value if before is not None and again else self._value(subject)
        self._renew(client)
        while not client.hsetnx(SESSIONS, code, value):
            held: Any = client.hget(SESSIONS, code)
            if held == value:
                break
            other = _server_of(held)
            if other and other != self.server and client.exists(server_key(other)):
                raise BrokerFault(
                    f"Redis at {self.place.name} has a session {code} of the server {other}. "
                    "Choose another code."
                )
            if held is not None:
                _forget(client, code, held)
        if not again:
            client.delete(*(stream_key(code, part) for part in PARTS))
        make_stream(client, stream_key(code, "predictions"))
        with self._lock:
            self._claims[code] = Claimed(subject, value)

    def _value(self, subject: Subject) -> bytes:
        """What the registry says of a session."""
        told = {
            "server": self.server,
            "created": time.time(),
            **metadata(subject.description),
        }
        return json.dumps(told).encode()

    # In the thread of the registry

    def _run(self, store: Store) -> None:
        client = self.place.connect()
        while not self._closing.is_set():
            try:
                with self.place.faults():
                    self._look(client, store)
                self._fault = None
                self._complaints.over("Redis is back.")
            except BrokerFault as fault:
                self._fault, self.others = str(fault), ()
                self._complaints.tell(self._fault)
            except Exception as error:  # whatever it is, it ends this round alone, and visibly
                self._fault, self.others = self._complaints.fail(error), ()
                client.close()  # an answer may be half read; it opens again with its next command
            self._closing.wait(ROUND)
        with suppress(BrokerFault), self.place.faults():  # or the others clear away what is left
            self._leave(client)
        client.close()

    def _look(self, client: redis.Redis, store: Store) -> None:
        self._renew(client)
        with self._lock:
            claims = dict(self._claims)
        sessions = store.sessions  # after the claims: one whose session is being made is among them
        for code, claimed in claims.items():
            session = sessions.get(code)
            if session is not None and session.subject is claimed.subject:
                client.hsetnx(SESSIONS, code, claimed.value)
            else:
                self._let_go(client, code, claimed)
        self.others = self._read(client)

    def _let_go(self, client: redis.Redis, code: str, claimed: Claimed) -> None:
        _forget(client, code, claimed.value)
        with self._lock:
            if self._claims.get(code) is claimed:
                del self._claims[code]

    def _leave(self, client: redis.Redis) -> None:
        with self._lock:
            claims = dict(self._claims)
        for code, claimed in claims.items():
            self._let_go(client, code, claimed)
        client.delete(server_key(self.server))

    def _renew(self, client: redis.Redis) -> None:
        key = server_key(self.server)
        if not client.expire(key, LIVES):  # which a Redis that is full allows
            client.set(key, self._card, ex=LIVES)

    def _read(self, client: redis.Redis) -> Sequence[Elsewhere]:
        """The sessions of other servers; those of dead ones go."""
        found = []
        cards: dict[str, Any] = {self.server: self._card}
        registry: Any = client.hgetall(SESSIONS)
        for name, value in registry.items():
            server, code = _server_of(value), name.decode(errors="replace")
            if server == self.server or not server or not CODE.fullmatch(code):
                continue
            card = cards[server] = cards.get(server) or client.get(server_key(server))
            if card is None:
                _forget(client, code, value)
                continue
            try:
                session, there = Registered.model_validate_json(value), Addresses.model_validate_json(card)
            except ValidationError:
                continue  # of a version that says other things
            found.append(Elsewhere.at(code, session, there))
        return tuple(sorted(found, key=lambda each: each.created))


def _forget(client: redis.Redis, code: str, value: bytes) -> None:
    client.eval(FORGET, 4, SESSIONS, *(stream_key(code, part) for part in PARTS), code, value)


def _server_of(value: Any) -> str:
    """The server that an entry of the registry names; empty if it names none."""
    try:
        return str(json.loads(value)["server"])
    except (TypeError, ValueError, KeyError, RecursionError):
        return ""
