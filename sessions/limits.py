"""How many sessions a server has room for, and which of them goes when another comes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol, TypeVar

from sessions.refusals import Full, TooMany


class Kept(Protocol):
    """A session, or one that is awaited, as far as limits know it."""

    @property
    def maker(self) -> str | None: ...
    @property
    def listened_to(self) -> bool: ...
    @property
    def idle(self) -> float: ...


K = TypeVar("K", bound=Kept)


@dataclass
class Limits:
    """Of one server.

    Attributes
    ----------
    max_sessions : int
    max_per_address : int
        Sessions that one address may have made.
    max_clients : int
        Decoders that a session may have, and pages that may watch it.
    """

    max_sessions: int
    max_per_address: int
    max_clients: int

    def check_share(self, sessions: Collection[Kept], address: str | None) -> None:
        """Refuse an address that has made as many as it may.

        Raises
        ------
        TooMany
        """
        made = sum(session.maker == address for session in sessions)
        if address is not None and self.max_per_address <= made < self.max_sessions:
            raise TooMany(
                f"{address} has made {made} sessions, which is the limit for one address. "
                "Delete one, or raise --sessions-per-address."
            )

    def check_room(self, sessions: Collection[Kept], n: int, address: str | None) -> None:
        """Refuse so many at once where they would not fit: they take nobody's place.

        Raises
        ------
        Full, TooMany
        """
        there = len(sessions)
        if there + n > self.max_sessions:
            raise Full(
                f"{n} sessions do not fit: {there} of {self.max_sessions} places are taken. "
                "Ask for fewer, delete some, or raise --max-sessions."
            )
        made = sum(session.maker == address for session in sessions)
        if address is not None and made + n > self.max_per_address:
            raise TooMany(
                f"{n} sessions are too many for {address}, which has made {made} of at most "
                f"{self.max_per_address}. Ask for fewer, or raise --sessions-per-address."
            )

    def must_go(self, sessions: Collection[K]) -> list[K]:
        """The sessions whose place a new one takes: that which was not used for longest, if any must.

        Raises
        ------
        Full
            If all have listeners.
        """
        if len(sessions) < self.max_sessions:
            return []
        idle = [session for session in sessions if not session.listened_to]
        if not idle:
            raise Full(
                f"There are {len(sessions)} sessions, which is the limit, and all have listeners. "
                "Delete one, or raise --max-sessions."
            )
        return [max(idle, key=lambda session: session.idle)]
