"""The token that lets a client in, where clients put it, and how it leaves no trace."""

from __future__ import annotations

import hmac
from hashlib import sha256
from urllib.parse import unquote, unquote_to_bytes

from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

NAME = "token"
"""In a query."""
UNTOLD = (b"token", b"look")
"""What of a query is for the gate alone."""
SCHEME = "bearer"
"""Of the Authorization header."""
HIDDEN = "[token]"
"""What is shown in its place."""
COOKIES = "phantomdeck_"
"""Begins the cookies' names."""


class Token:
    """What a client must show: ``Authorization: Bearer``, ``?token=``, or the cookie that it got for that.

    Parameters
    ----------
    secret : str
        Visible ASCII.

    Attributes
    ----------
    mark : str
        By which an audit knows it.
    cookie : str
        Name of the cookie; that of another server on the same machine has another.
    voucher : str
        Value of the cookie. The token cannot be found from it.
    """

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self.mark = mark(self._secret)
        self.cookie = f"{COOKIES}{self.mark}"
        self.voucher = hmac.new(self._secret, b"cookie", sha256).hexdigest()

    def hidden_in(self, text: str) -> str:
        """A text without the token, also where it is escaped as in an address."""
        secret = self._secret.decode()
        plain = text if secret in text else unquote(text)
        return plain.replace(secret, HIDDEN) if secret in plain else text

    def shown_by(self, request: HTTPServerRequest) -> bool:
        """Whether a request has it; one that shows a wrong token is not saved by its cookie."""
        shown = shown_in(request)
        if shown is not None:
            return hmac.compare_digest(shown, self._secret)
        morsel = request.cookies.get(self.cookie)
        return morsel is not None and hmac.compare_digest(morsel.value.encode(), self.voucher.encode())


def shown_in(request: HTTPServerRequest) -> bytes | None:
    """The token in a request's header or query; None if there is none."""
    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == SCHEME:
        return rest.strip().encode()
    return request.query_arguments.get(NAME, [None])[-1]


def mark(secret: bytes) -> str:
    """The beginning of a token's hash: enough to tell tokens apart, too little to find one."""
    return sha256(secret).hexdigest()[:8]


def without_token(target: str) -> str:
    """A request's path and query without the token, or the link that can look."""
    path, _, query = target.partition("?")
    kept = [p for p in query.split("&") if unquote_to_bytes(p.partition("=")[0]) not in UNTOLD]
    return "?".join((path, "&".join(kept))) if any(kept) else path


def disclosed(start_line: RequestStartLine, headers: HTTPHeaders) -> tuple[RequestStartLine, HTTPHeaders]:
    """A request as applications and their logs may see it. Panel puts all headers into its pages."""
    headers = headers.copy()
    headers.pop("Authorization", None)
    cookies = [each.strip() for each in headers.pop("Cookie", "").split(";")]
    if others := [each for each in cookies if each and not each.startswith(COOKIES)]:
        headers["Cookie"] = "; ".join(others)
    return start_line._replace(path=without_token(start_line.path)), headers
