"""What the gate asks of a request, in this order: host, token, origin, rate."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from tornado.httputil import HTTPServerRequest

from engine.errors import DeckError
from sessions.gate import looking
from sessions.gate.audit import Audit
from sessions.gate.hosts import Hosts, one_address
from sessions.gate.origins import Origins
from sessions.gate.rate import Rate
from sessions.gate.token import Token, mark, shown_in, without_token
from sessions.links import Link, Links
from sessions.refusals import Forbidden, Unreadable

OPEN = "/health"
"""What needs no token."""
METHODS = "GET, HEAD, POST, PUT, DELETE"
CODE = re.compile(
    r"(?:^/(?:stream(?:/binary)?|feed|hand|api/(?:sessions|control|stats))/(?!create$|many$|cleanup$|binary$)|[?&]session=)"
    r"([A-Za-z0-9_-]{1,64})(?![A-Za-z0-9_-])"
)
"""A session's in an address."""
SHOWN = 200
"""Characters of a path that the audit keeps."""


class Unauthorized(DeckError):
    code = "unauthorized"


class Ended(Unauthorized):
    """A link that was revoked, or never was one."""


@dataclass(frozen=True)
class Rules:
    """Who may come in; one for both ports, so that a client's requests to either count together.

    Attributes
    ----------
    origins : Origins
    hosts : Hosts
    token : Token, optional
        None if nobody needs one.
    rate, health : Rate
        Of requests, and of those for `OPEN`, which a watchdog sends from an address that others have, too.
    audit : Audit, optional
        Told of every request.
    links : Links
        That can only look.
    """

    origins: Origins = field(default_factory=Origins)
    hosts: Hosts = field(default_factory=Hosts)
    token: Token | None = None
    rate: Rate = field(default_factory=Rate)
    audit: Audit | None = None
    links: Links = field(default_factory=Links)
    health: Rate = field(default_factory=Rate)

    def check(self, request: HTTPServerRequest) -> None:
        """Let a request pass.

        Raises
        ------
        Forbidden
            If it calls the server by a foreign name, or comes from a foreign page. That is refused to reads
            too: what would the page do with an answer that its browser hides?
        Unauthorized
        TooMany
        Unreadable
        """
        if not self.hosts.allow(request.headers.get("Host", "")):
            called = request.headers.get("Host", "")[:80] or "by an empty Host header"
            raise Forbidden(
                f"This server is not called {called}. Use its IP address or localhost, "
                "or start it with --allow-host."
            )
        if not is_preflight(request) and not self._is_open(request):  # a browser asks first without token
            self._check_token(request)
        origin = request.headers.get("Origin")
        if origin is not None and not self.origins.allow(origin, request.host):
            raise Forbidden(
                f"Pages of {origin[:80]} may not connect. Start the server with --allow-origin."
            )
        (self.health if request.path == OPEN else self.rate).take(address_of(request))
        if b"\0" in unquote_to_bytes(request.path):  # Tornado's file handlers would fail at it
            raise Unreadable("The address has a zero byte. Send one without.")

    def cors(self, request: HTTPServerRequest) -> Mapping[str, str]:
        """Headers by which the page that asks may read the answer; none for pages that may not."""
        origin = request.headers.get("Origin")
        if origin is None or not self.origins.allow(origin, request.host):
            return {"Vary": "Origin"}
        return {
            "Vary": "Origin",
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Methods": METHODS,
            "Access-Control-Allow-Headers": "Authorization, Content-Type",
        }

    def note(self, request: HTTPServerRequest, status: int, location: str | None) -> None:
        """Tell the audit of a request and its answer's status and Content-Location."""
        if self.audit is None:
            return
        method = "CONNECT" if "Upgrade" in request.headers else request.method
        shown = shown_in(request)
        token = None if shown is None else mark(shown)
        if self.token is not None and self.token.shown_by(request):
            token = self.token.mark  # also if its cookie was shown
        elif token is None and (link := self.link_of(request)) is not None:
            token = f"link {link.id}"
        code = CODE.search(location or without_token(str(request.uri)))
        session, path = code[1] if code else None, request.path
        if self.token is not None:  # somebody may have put it in the wrong place
            path = self.token.hidden_in(path)
            session = session and self.token.hidden_in(session)
        self.audit.note(address_of(request), token, f"{method} {path[:SHOWN]}", session, status)

    def link_of(self, request: HTTPServerRequest) -> Link | None:
        """The link by which a request comes in; None if it needs none, or none helps."""
        if shown_in(request) is not None or (self.token is not None and self.token.shown_by(request)):
            return None
        return next((link for link in self._links_of(request) if looking.permits(link, request)), None)

    def _links_of(self, request: HTTPServerRequest) -> list[Link]:
        """Those that a request shows and that are in force."""
        shown = (self.links.shown(each) for each in looking.shown_in(request))
        return [link for link in shown if link is not None]

    def _is_open(self, request: HTTPServerRequest) -> bool:
        return self.token is None or request.path == OPEN

    def _check_token(self, request: HTTPServerRequest) -> None:
        assert self.token is not None
        if self.token.shown_by(request) or self.link_of(request) is not None:
            return
        self.rate.take(address_of(request))  # so that nobody guesses faster than others ask
        if shown_in(request) is None and (links := self._links_of(request)):
            raise Forbidden(
                f"This link can only look, at {links[0].session or 'sessions and their wall'}. "
                "For all else, show the server's token."
            )
        if shown_in(request) is None and looking.shown_in(request):
            raise Ended("This link has ended. Ask for another.")
        fault = (
            "This server wants its token"
            if shown_in(request) is None
            else "That is not this server's token"
        )
        raise Unauthorized(
            f"{fault}. Send the header Authorization: Bearer TOKEN, or ?token=TOKEN; "
            "serve.py's commands take it from PHANTOM_TOKEN."
        )


def address_of(request: HTTPServerRequest) -> str:
    """The address by which a request counts: its IP address."""
    return one_address(str(request.remote_ip))


def is_preflight(request: HTTPServerRequest) -> bool:
    """Whether a browser asks if a page may send a request."""
    return request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
