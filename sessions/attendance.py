"""Who is connected to a session: decoders, which are let in or not, and audiences of every kind."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any, TypeVar, cast

from engine.bins.selection import Selection
from engine.deck.replay import Replay
from engine.errors import NotNow
from sessions.audience import Audience
from sessions.refusals import Conflict, TooMany, UnknownSession

A = TypeVar("A", bound=Audience)


class Attendance:
    """The decoders and audiences of one session. Its methods may be called from any thread.

    Parameters
    ----------
    code : str
        Of the session.
    replay : Replay

    Attributes
    ----------
    decoders : int
        How many are connected.
    closed : bool
        Whether nobody is let in any more.
    """

    def __init__(self, code: str, replay: Replay) -> None:
        self.decoders = 0
        self.closed = False
        self._code = code
        self._replay = replay
        self._audiences: dict[tuple[Any, asyncio.AbstractEventLoop], Audience] = {}
        self._lock = threading.Lock()  # guards all of the above

    @property
    def audiences(self) -> list[Audience]:
        with self._lock:
            return list(self._audiences.values())

    def admit(self, selection: Selection | None, at_most: int | None) -> None:
        """Let a decoder in, as `sessions.session.Session.admit` says."""
        code = self._code
        with self._lock:
            if self.closed:
                raise UnknownSession(f"Session {code} has just been deleted. Connect again.")
            if self._replay.state == "failed":
                raise NotNow(f"Session {code} has failed. Delete it, or connect to another.")
            if at_most is not None and self.decoders >= at_most:
                raise TooMany(
                    f"Session {code} has {self.decoders} decoders, which is the limit. "
                    "Connect to another, or raise --clients-per-session."
                )
            if selection is not None and selection != self._replay.selection:
                if self.decoders:
                    raise Conflict(
                        f"Session {code} has {self.decoders} decoder(s) on another selection. "
                        "Connect without one, or to a session of your own."
                    )
                self._replay.set_selection(selection)
            self.decoders += 1

    def dismiss(self) -> None:
        """Note that a decoder has gone."""
        with self._lock:
            self.decoders -= 1

    def audience(self, kind: Any, loop: asyncio.AbstractEventLoop, make: Callable[[], A]) -> A:
        """The listeners of one kind on one loop, which are made at first use.

        Raises
        ------
        UnknownSession
            If the session has been closed.
        """
        with self._lock:
            if self.closed:
                raise UnknownSession(f"Session {self._code} has just been deleted.")
            found = self._audiences.get((kind, loop))
            if found is None:
                found = self._audiences[kind, loop] = make()
        return cast(A, found)

    def close(self, code: int, reason: str) -> None:
        """Let nobody in any more, and end the connections."""
        with self._lock:
            self.closed = True
        for audience in self.audiences:
            audience.close(code, reason)
