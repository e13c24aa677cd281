"""The sessions of a server by their codes, with those that wait: listed, found, and ended."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable

from sessions.awaited import Awaited, StillWaits
from sessions.refusals import Conflict, UnknownSession
from sessions.session import Session

log = logging.getLogger(__name__)


class Entries:
    """Its methods may be called from any thread; deleting may block.

    Parameters
    ----------
    ttl : float
        Seconds without use or listener after which a session goes.
    """

    def __init__(self, ttl: float) -> None:
        self.ttl = ttl
        self._entries: dict[str, Session | Awaited] = {}
        self._lock = threading.Lock()  # guards the one above

    @property
    def entries(self) -> dict[str, Session | Awaited]:
        """A copy, in the order in which they were made, with those that wait for what they are to play."""
        with self._lock:
            return dict(self._entries)

    @property
    def sessions(self) -> dict[str, Session]:
        """Those that can be used."""
        return {code: each for code, each in self.entries.items() if isinstance(each, Session)}

    def get(self, code: str) -> Session:
        """A session by code.

        Raises
        ------
        UnknownSession
        StillWaits
            If it cannot be used yet.
        """
        found = self.entry(code)
        if isinstance(found, Awaited):
            found.touch()
            raise StillWaits(found)
        return found

    def entry(self, code: str) -> Session | Awaited:
        """A session by code, or one that waits.

        Raises
        ------
        UnknownSession
        """
        found = self._entries.get(code)
        if found is None:
            raise UnknownSession(f"Unknown session {code!r}. Create it, or list those that exist.")
        return found

    def touch(self, code: str) -> None:
        """Note that a session was used, if there is one of this code."""
        entry = self._entries.get(code)
        if entry is not None:
            entry.touch()

    def delete(self, code: str, force: bool = True) -> None:
        """End a session and its connections.

        Raises
        ------
        UnknownSession
        Conflict
            If decoders are connected and `force` is not given.
        """
        entry = self.entry(code)
        if isinstance(entry, Session) and entry.decoders and not force:
            raise Conflict(
                f"Session {code} has {entry.decoders} decoder(s) connected. "
                "Disconnect them, or delete with ?force=true."
            )
        self._end([entry])

    def cleanup(self) -> int:
        """End the sessions whose time to live is over; return how many.

        To be called every few seconds: pages and LSL consumers leave unnoticed; the last look counts.
        """
        for entry in self.entries.values():
            if entry.listened_to:
                entry.touch()
        return self._end(each for each in self.entries.values() if each.idle > self.ttl)

    def _end(
        self,
        sessions: Iterable[Session | Awaited],
        code: int = 1000,
        reason: str = "The session was deleted.",
    ) -> int:
        ended = list(sessions)
        for session in ended:
            with self._lock:
                standing = self._entries.get(session.code)
                if standing is session or isinstance(session, Awaited):  # which may just have come
                    self._entries.pop(session.code, None)
                else:
                    standing = None
            session.close(code, reason)
            if standing is not None and standing is not session:
                standing.close(code, reason)
            log.info("Session %s has ended after %.0f s", session.code, session.age)
        return len(ended)
