"""Pages without controls: rendered once, off the event loop, and nothing of them is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tornado.web import RequestHandler

from dashboard.documents import POLICY, Page, Visit
from sessions.gate.mount import FORWARDED_HOST
from sessions.gate.rules import address_of


class PlainHandler(RequestHandler):
    """One page.

    Parameters
    ----------
    make : function
        Makes the page of a visit, in a thread.
    """

    def initialize(self, make: Callable[[Visit], Page]) -> None:
        self._make = make

    async def get(self) -> None:
        status, text = await asyncio.get_running_loop().run_in_executor(None, self._rendered)
        self.set_status(status)
        self.set_header("Content-Security-Policy", POLICY)
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("Cache-Control", "no-store")
        self.finish(text)

    head = get

    def _rendered(self) -> tuple[int, str]:
        page = self._make(self._visit())
        return page.status, page.template.render(page.variables)

    def _visit(self) -> Visit:
        """What was asked in the address, which is what the gate has looked at: a body has no say."""
        request = self.request
        asked = {
            name: values[-1].decode(errors="replace") for name, values in request.query_arguments.items()
        }
        return Visit(
            host=request.headers.get("Host", ""),
            secure=request.protocol == "https",
            asked=asked,
            proxied=FORWARDED_HOST in request.headers,
            address=address_of(request),
        )
