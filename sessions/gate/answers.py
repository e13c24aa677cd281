"""What the gate itself answers: refusals, browsers' questions beforehand, and a cookie for a token."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from tornado.httputil import HTTPServerRequest

from engine.errors import DeckError
from sessions.gate import looking
from sessions.gate.rules import Ended, Rules, Unauthorized, is_preflight
from sessions.gate.token import NAME, Token, without_token
from sessions.refusals import refusal, status_of
from sessions.templates import render

PRIVATE = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
HTML = "text/html"
CALLS = "/api/"
"""Beneath this are calls of programs, which keep no cookies."""

SIGN_IN_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""


def answer(rules: Rules, request: HTTPServerRequest, prefix: str = "") -> Answer | None:
    """What the gate answers to a request; None if the application is to."""
    try:
        rules.check(request)
    except DeckError as error:
        return refused(request, error)
    if is_preflight(request):
        return Answer(204)
    if NAME in request.query_arguments and _is_page(request):
        return _cookie_for(rules.token, request, prefix)
    if (link := rules.link_of(request)) is not None and looking.NAME in request.query_arguments:
        name, value = rules.links.signed(link).split(".")
        return _freed(request, prefix, looking.COOKIE + name, value) if _is_page(request) else None
    return None


def refused(request: HTTPServerRequest, error: DeckError) -> Answer:
    """A refusal, as every other one looks; a person who has no token is asked for it."""
    status = status_of(error)
    headers = {**PRIVATE, "Content-Type": "application/json"}
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = "Bearer"
        if HTML in request.headers.get("Accept", ""):
            headers |= {"Content-Type": f"{HTML}; charset=utf-8", "Content-Security-Policy": SIGN_IN_POLICY}
            return Answer(status, headers, _sign_in(request, isinstance(error, Ended)))
    return Answer(status, headers, json.dumps(refusal(error.code, str(error))).encode())


def _sign_in(request: HTTPServerRequest, ended: bool) -> bytes:
    """A form that asks for the token, and then for what was asked for; `ended` is whether a link has."""
    asked = [
        (name, value.decode(errors="replace"))
        for name, values in request.query_arguments.items()
        for value in values
        if name not in (NAME, looking.NAME)
    ]
    wrong = NAME in request.query_arguments
    return render("sign_in.html", asked=asked, wrong=wrong, ended=ended)


def _is_page(request: HTTPServerRequest) -> bool:
    """Whether a browser may be asking, which would keep the token in its address and its history."""
    reads = request.method in ("GET", "HEAD") and "Upgrade" not in request.headers
    return reads and (not request.path.startswith(CALLS) or HTML in request.headers.get("Accept", ""))


def _cookie_for(token: Token | None, request: HTTPServerRequest, prefix: str) -> Answer | None:
    """The same address without the token, and a cookie in its place; nothing for what is not the token."""
    if token is None or not token.shown_by(request):  # what is open to all lets wrong ones pass
        return None
    return _freed(request, prefix, token.cookie, token.voucher)


def _freed(request: HTTPServerRequest, prefix: str, name: str, value: str) -> Answer:
    """The same address without what is secret in it, and a cookie in its place.

    SameSite=Lax, as Strict would withhold it when a shared link is followed.
    """
    secure = "; Secure" if request.protocol == "https" else ""
    cookie = f"{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}"
    here = "/" + without_token(str(request.uri)).lstrip(
        "/\\"
    )  # what begins with two slashes would be another host
    return Answer(303, {**PRIVATE, "Location": prefix + here, "Set-Cookie": cookie})
