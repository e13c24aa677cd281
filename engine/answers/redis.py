"""Predictions from Redis: one thread that reads the streams of all sessions."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Any, Final

import redis

from engine.answers.intake import Intake
from engine.answers.prediction import AXES
from engine.brokers.complaints import Complaints
from engine.brokers.redis import KEPT, RedisPlace, stream_key
from engine.errors import BrokerFault

log = logging.getLogger(__name__)

WAIT: Final = 0.2
"""Seconds that Redis holds a request back for an entry: a new session waits so long until it is heard."""
AGAIN_AFTER: Final = 1.0
"""Seconds before Redis is tried again when it has failed."""
AT_ONCE: Final = 256
"""Entries of a session that are taken in one go."""
CLOSED_WITHIN: Final = 1.5


class RedisPredictions:
    """Reads ``phantomdeck:{code}:predictions`` from the beginning, and keeps what is there short.

    Parameters
    ----------
    place : RedisPlace
    codes : function
        Gives those of the sessions that there are.
    intake : Intake
        Where predictions go.
    """

    def __init__(self, place: RedisPlace, codes: Callable[[], Collection[str]], intake: Intake) -> None:
        self.error: str | None = None
        self._place = place
        self._codes = codes
        self._intake = intake
        self._cursors: dict[str, bytes] = {}
        self._complaints = Complaints(log, "Predictions")
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="redis predictions", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Read no more. A second call does nothing."""
        self._closing.set()
        self._thread.join(CLOSED_WITHIN)

    def _run(self) -> None:
        while not self._closing.is_set():
            client = self._place.connect()
            try:
                with self._place.faults():
                    while not self._closing.is_set():
                        self._read(client)
                        self.error = None
                        self._complaints.over("Redis is back.")
            except BrokerFault as fault:
                self.error = str(fault)
                self._complaints.tell(self.error)
                self._closing.wait(AGAIN_AFTER)
            except Exception as error:  # whatever it is, it ends this connection alone, and visibly
                self.error = self._complaints.fail(error)
                self._closing.wait(AGAIN_AFTER)
            finally:
                client.close()

    def _read(self, client: redis.Redis) -> None:
        codes = self._codes()
        self._cursors = {code: self._cursors.get(code, b"0-0") for code in codes}
        self._intake.tidy()
        if not codes:
            self._closing.wait(WAIT)
            return
        by_key = {stream_key(code, "predictions").encode(): code for code in codes}
        after: dict[Any, Any] = {key: self._cursors[code] for key, code in by_key.items()}
        answer: Any = client.xread(after, count=AT_ONCE, block=round(1000 * WAIT))
        for key, entries in answer or ():
            code = by_key[key]
            for self._cursors[code], fields in entries:
                self._intake.take(code, prediction(fields))
            if len(entries) == AT_ONCE:
                client.xtrim(key, maxlen=KEPT)


def prediction(fields: Mapping[bytes, bytes]) -> dict[str, Any]:
    """An entry, ``n``, ``decoder``, ``x``, ``y``, ``vx``, ``vy`` as text, under the names of the WebSocket.

    What is no number stays text, for the refusal; NaN stands for what a decoder does not predict.
    """
    texts = {name.decode(errors="replace"): text.decode(errors="replace") for name, text in fields.items()}
    found: dict[str, Any] = {"sequence_number": texts.get("n"), "decoder": texts.get("decoder") or None}
    with suppress(ValueError):
        found["sequence_number"] = int(texts.get("n", ""))
    for axis in AXES:
        try:
            value = float(texts.get(axis) or "nan")
        except ValueError:
            found[axis] = texts[axis]
        else:
            found[axis] = None if math.isnan(value) else value
    return found
