"""HTML pages over HTTP, rendered by a function that is passed in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tornado.web import RequestHandler

from sessions.gate.mount import FORWARDED_HOST

POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data: blob:",
        "style-src 'self' 'unsafe-inline'",  # Bokeh sets styles from its scripts
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'self'",
    )
)
"""The browser itself refuses what would leave for another host."""


@dataclass(frozen=True)
class Visit:
    """What a page may depend on."""

    host: str
    """As the browser spelled it, with the port."""
    secure: bool
    session: str | None
    proxied: bool = False
    """Whether `host` is that of a proxy."""


@dataclass(frozen=True)
class Page:
    html: str
    status: int = 200


class PageHandler(RequestHandler):
    """Answers GET with what `render` makes of it."""

    def initialize(self, render: Callable[[Visit], Page]) -> None:
        self._render = render

    def get(self) -> None:
        page = self._render(
            Visit(
                host=self.request.host,
                secure=self.request.protocol == "https",
                session=self.get_query_argument("session", None),
                proxied=FORWARDED_HOST in self.request.headers,
            )
        )
        self.set_status(page.status)
        self.set_header("Content-Security-Policy", POLICY)
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("Cache-Control", "no-store")
        self.finish(page.html)
