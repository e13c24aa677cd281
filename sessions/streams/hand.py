"""`/hand/{code}`: a person's pointer, which is what is wanted in a session whose user is a person."""

from __future__ import annotations

import asyncio
import json
import math
import time
from typing import Any, Final

from tornado.websocket import WebSocketClosedError, WebSocketHandler

from engine.errors import BadSetting, DeckError, NotNow
from engine.sources.user.hand import Hand
from engine.sources.user.source import SimulatedUser
from sessions.awaited import StillWaits
from sessions.refusals import UnknownSession
from sessions.session import Session
from sessions.store import Store
from sessions.streams.feed_socket import UNKNOWN

TAKEN: Final = 4409
"""Close code where another hand has the seat, or there is none."""
MAX_MESSAGE = 256
RULE: Final = 'Send {"x": 1.0, "y": 2.0, "t": UNIX_SECONDS}, or {} to point nowhere.'
PATIENCE: Final = 10.0
"""Seconds that a hand may send nothing at all before its seat is free."""


class HandHandler(WebSocketHandler):
    """One hand. It sends where it points, and hears one line for each message that cannot be read."""

    def initialize(self, store: Store) -> None:
        self._store = store
        self._hand: Hand | None = None
        self._session: Session | None = None  # kept for as long as it is steered
        self._silence: asyncio.TimerHandle | None = None

    def open(self, code: str) -> None:
        self.set_nodelay(True)
        try:
            session = self._store.get(code)
            hand = hand_of(session)
            hand.take(self)
        except (UnknownSession, StillWaits) as error:
            self.close(UNKNOWN, str(error)[:120])
        except NotNow as error:
            self.close(TAKEN, str(error)[:120])
        else:
            self._hand, self._session = hand, session
            self._wait()

    def check_origin(self, origin: str) -> bool:  # noqa: ARG002
        return True  # or the gate would have refused it

    @property
    def max_message_size(self) -> int:
        return MAX_MESSAGE

    async def on_message(self, message: str | bytes) -> None:
        if self._hand is None or self._session is None:
            return
        self._wait()
        try:
            self._hand.point(self, *read_pointer(message))
        except DeckError as error:
            # Awaited, so that who does not read what is wrong is not read from either.
            try:
                await self.write_message({"type": "error", "message": str(error)})
            except WebSocketClosedError:
                return
        if self._session.replay.state == "closed":
            self.close(1000, "The session was deleted.")

    def on_close(self) -> None:
        if self._silence is not None:
            self._silence.cancel()
        if self._hand is not None:
            self._hand.leave(self)
        self._hand = self._session = None

    def _wait(self) -> None:
        """Free the seat of a hand that is silent: its machine may have gone without a word."""
        if self._silence is not None:
            self._silence.cancel()
        loop = asyncio.get_running_loop()
        self._silence = loop.call_later(PATIENCE, self.close, 1008, "The hand was silent for 10 s.")


def hand_of(session: Session) -> Hand:
    """The seat of a session.

    Raises
    ------
    NotNow
        If its user is no person.
    """
    source = session.replay.source
    if not isinstance(source, SimulatedUser):
        raise NotNow("This session has no user, so no hand. Make one with source user:person to steer.")
    if source.hand is None:
        raise NotNow("The user of this session is simulated. Make one with source user:person to steer.")
    return source.hand


def read_pointer(message: str | bytes) -> tuple[tuple[float, float] | None, float]:
    """Where a message points, and how many seconds ago, as its clock and ours have it; NaN if unknown.

    Raises
    ------
    BadSetting
        If it cannot be read.
    """
    try:
        told: Any = json.loads(message)
    except (ValueError, RecursionError):
        told = None
    if told == {}:
        return None, math.nan
    match told:
        case {"x": int() | float() as x, "y": int() | float() as y} if not {type(x), type(y)} & {bool}:
            since = told.get("t")
            known = isinstance(since, int | float) and not isinstance(since, bool)
            try:
                return (float(x), float(y)), time.time() - float(since) if known else math.nan
            except OverflowError:
                raise BadSetting(RULE) from None
    raise BadSetting(RULE)
