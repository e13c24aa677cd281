"""Links that can only look, at one session or at all: signed, listed, and revoked at once."""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from sessions.refusals import TooMany, UnknownLink

MOST: Final = 1000
SIGNATURE: Final = 16
"""Bytes: so many cannot be guessed, and a QR code of them is small."""

End = Callable[[], object]


@dataclass(frozen=True)
class Link:
    """What may be looked at by whoever has its address.

    Attributes
    ----------
    id : str
    session : str, optional
        The code of the session, also of one that is made anew; None for all sessions and the wall.
    created : float
        Unix seconds.
    """

    id: str
    session: str | None
    created: float = field(default_factory=time.time)


class Links:
    """Those of one server, for as long as it runs. Its methods may be called from any thread."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)
        self._links: dict[str, Link] = {}
        self._open: dict[str, list[End]] = {}
        self._lock = threading.Lock()  # guards both

    @property
    def all(self) -> list[Link]:
        """The oldest first."""
        with self._lock:
            return list(self._links.values())

    def make(self, *sessions: str | None) -> list[Link]:
        """A link to each session, None for all.

        Raises
        ------
        TooMany
            If there are too many; then none is made.
        """
        with self._lock:
            if len(self._links) + len(sessions) > MOST:
                raise TooMany(
                    f"There are {len(self._links)} links of at most {MOST}. "
                    "Revoke some with DELETE /api/links/ID."
                )
            made = [Link(secrets.token_hex(4), session) for session in sessions]
            self._links |= {link.id: link for link in made}
            return made

    def to(self, session: str | None) -> Link:
        """The newest link to a session, made if there is none.

        Raises
        ------
        TooMany
        """
        found = [link for link in self.all if link.session == session]
        return found[-1] if found else self.make(session)[0]

    def to_each(self, *sessions: str) -> list[Link]:
        """The newest link to each session; those that have none get one, all of them or none.

        Raises
        ------
        TooMany
        """
        newest = {link.session: link for link in self.all}
        made = self.make(*(session for session in sessions if session not in newest))
        newest |= {link.session: link for link in made}
        return [newest[session] for session in sessions]

    def signed(self, link: Link) -> str:
        """What its address shows."""
        signature = hmac.digest(self._secret, f"{link.id} {link.session or ''}".encode(), sha256)
        return f"{link.id}.{urlsafe_b64encode(signature[:SIGNATURE]).decode().rstrip('=')}"

    def shown(self, text: str) -> Link | None:
        """The link that an address or a cookie shows; None if it is none, or is revoked."""
        link = self._links.get(text.partition(".")[0])
        right = link is not None and hmac.compare_digest(text.encode(), self.signed(link).encode())
        return link if right else None

    def revoke(self, id_: str) -> Link:
        """Let nobody look by this link any more, and end what is open by it.

        Raises
        ------
        UnknownLink
        """
        with self._lock:
            link = self._links.pop(id_, None)
            ends = self._open.pop(id_, [])
        if link is None:
            raise UnknownLink(f"Unknown link {id_[:80]!r}. GET /api/links lists those that exist.")
        for end in ends:
            end()
        return link

    def hold(self, id_: str | None, end: End) -> End:
        """Have `end` called when this link is revoked; what is returned is for who ends before.

        Parameters
        ----------
        id_ : str, optional
            None of those who come without a link.
        end : function
            Called once, in any thread; at once if the link has been revoked meanwhile.
        """
        if id_ is None:
            return lambda: None
        with self._lock:
            known = id_ in self._links
            if known:
                self._open.setdefault(id_, []).append(end)
        if not known:
            end()

        def release() -> None:
            with self._lock, suppress(KeyError, ValueError):
                self._open[id_].remove(end)

        return release
