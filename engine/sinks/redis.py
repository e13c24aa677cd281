"""A session's bins and events as streams of a Redis server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import redis

from engine.bins import clock
from engine.bins.compact import OBSERVED, PERTURBED
from engine.bins.schema import BIN, COUNTS, SENT, Rows
from engine.brokers.redis import RedisPlace, added, make_stream, stream_key
from engine.errors import BrokerFault
from engine.sinks.base import Subject

LETTERS: Final = {field.letter: field.name for field in (*SENT, *BIN, COUNTS) if field.letter}
"""Fields of an entry, and those of a row that they hold: numbers as text, several of them as the row's own
bytes, a trial as its id. ``f`` and ``v`` follow."""

Claim = Callable[[redis.Redis, Subject], None]
"""Makes sure that a session's streams are its own; it may refuse that with a `BrokerFault`."""


def _unclaimed(client: redis.Redis, subject: Subject) -> None:
    """For a Redis where nobody else is."""


class RedisSink:
    """Adds an entry for every bin and every event.

    Parameters
    ----------
    subject : Subject
        Its code is part of the streams' names.
    place : RedisPlace
    claim : function, optional

    Raises
    ------
    BrokerFault
        If Redis is away, full or refuses.
    """

    def __init__(self, subject: Subject, place: RedisPlace, claim: Claim = _unclaimed) -> None:
        self._place = place
        self._bins, self._events = stream_key(subject.code, "bins"), stream_key(subject.code, "events")
        self._trial_ids = subject.description.trial_ids
        self._connection = place.connection()
        with place.connect() as client, place.faults():
            claim(client, subject)
            for key in (self._bins, self._events):
                make_stream(client, key)

    def wanted(self) -> bool:
        """Redis tells nobody who reads: a session is started otherwise."""
        return False

    def push(self, rows: Rows) -> None:
        self._add([added(self._bins, entry) for entry in self.entries(rows)])

    def event(self, text: str, due: float) -> None:
        self._add([added(self._events, {"event": text, "t": repr(clock.unix(due))})])

    def close(self) -> None:
        self._connection.disconnect()

    def entries(self, rows: Rows) -> list[dict[str, Any]]:
        """What is added for bins, shape (n,); ``r`` is empty outside of trials."""
        columns = {name: _texts(rows, name) for name in LETTERS.values()}
        columns["trial"] = [self._trial_ids[trial] if trial >= 0 else "" for trial in columns["trial"]]
        flags = OBSERVED * rows["observed"] | PERTURBED * (rows["perturbation"] != 0)
        return [
            dict(zip((*LETTERS, "f"), values, strict=True))
            for values in zip(*columns.values(), flags.tolist(), strict=True)
        ]

    def _add(self, commands: list[tuple[Any, ...]]) -> None:
        """Send all in one go, and wait until Redis has them."""
        answers = self._place.send(self._connection, commands)
        if None in answers:
            raise BrokerFault(f"Redis at {self._place.name} has lost the stream. It is made again.")


def _texts(rows: Rows, name: str) -> list[Any]:
    """One field of all rows as it is sent."""
    values = rows[name]
    return values.tolist() if values.ndim == 1 else [each.tobytes() for each in values]
