"""What a link that can only look lets through, where it is shown, and how it leaves the address."""

from __future__ import annotations

import re
from typing import Final

from tornado.httputil import HTTPHeaders, HTTPServerRequest

from sessions.gate.token import COOKIES
from sessions.links import Link

NAME: Final = "look"
"""In a query."""
COOKIE: Final = f"{COOKIES}look_"
"""Begins the name of the cookie that a link is exchanged for; its id follows."""
HEADER: Final = "Phantomdeck-Link"
"""By which applications know the link that a request came in by; of clients it is taken away."""

FILES: Final = re.compile(r"/resources/[a-z]+\.(?:js|css|svg)|/static/js/bokeh\.min\.js")
"""What every page is drawn with."""
FEED: Final = re.compile(r"/feed/([A-Za-z0-9_-]{1,64})")
PAGE: Final = "/look/session"
WALL: Final = ("/look/wall", "/wall/feed")


def shown_in(request: HTTPServerRequest) -> list[str]:
    """What a request shows as its links: that of its address, or else those of its cookies."""
    asked = [value.decode(errors="replace") for value in request.query_arguments.get(NAME, [])]
    kept = [
        f"{name.removeprefix(COOKIE)}.{morsel.value}"
        for name, morsel in request.cookies.items()
        if name.startswith(COOKIE)
    ]
    return asked or kept


def permits(link: Link, request: HTTPServerRequest) -> bool:
    """Whether a link lets a request through: pages that look, what they are drawn with, and feeds.

    It says what it lets through, and compares whole paths as they were sent: all else stays closed.
    """
    if request.method not in ("GET", "HEAD"):
        return False
    if FILES.fullmatch(request.path):
        return True
    if request.path in WALL:
        return link.session is None
    if request.path == PAGE:
        code = request.query_arguments.get("session", [b""])[-1].decode(errors="replace")
    elif found := FEED.fullmatch(request.path):
        code = found[1]
    else:
        return False
    return link.session in (None, code)


def marked(headers: HTTPHeaders, link: Link | None) -> HTTPHeaders:
    """Headers that tell the application by which link a request has come, whatever the client says."""
    headers = headers.copy()
    headers.pop(HEADER, None)
    if link is not None:
        headers[HEADER] = link.id
    return headers
