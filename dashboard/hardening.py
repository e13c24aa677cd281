"""What Bokeh's applications offer and say that is not for visitors."""

from __future__ import annotations

import asyncio
import logging
import re
from contextlib import suppress
from typing import Any

from bokeh.server.tornado import BokehTornado
from bokeh.server.views.doc_handler import DocHandler
from bokeh.server.views.ws import WSHandler
from panel.io.state import state
from tornado.websocket import WebSocketClosedError

from dashboard.documents import WithPolicy

log = logging.getLogger(__name__)

NEEDLESS = re.compile(r"^/components/|/autoload\.js\$?$")
"""Routes that our pages do without: Panel's imports any module that an address names, Bokeh's puts pages
into those of other sites."""


def harden(application: BokehTornado) -> None:
    """Take the needless routes away; let sockets send no tracebacks, and pages have our headers."""
    router = application.wildcard_router
    for rule in router.rules:
        for kind, extension in ((WSHandler, OurSocket), (DocHandler, WithPolicy)):
            if isinstance(rule.target, type) and issubclass(rule.target, kind):
                rule.target = type(f"Our{kind.__name__}", (extension, rule.target), {})
    router.rules = [rule for rule in router.rules if not _is_needless(rule)]


class OurSocket:
    """For Bokeh's sockets: what a browser sends may be wrong, and what went wrong is for the log."""

    def open(self, *args: Any, **kwargs: Any) -> None:
        """Let who does not speak Bokeh's protocol, or shows no token of a page, go without a traceback."""
        try:
            super().open(*args, **kwargs)  # type: ignore[misc]
        except Exception as error:  # whatever it shows in place of a token
            log.info("A socket is no page's: %s", error)
            self.close(1008, "Load the page again.")  # type: ignore[attr-defined]

    async def _handle(self, message: Any) -> Any:
        """Take it that a page has loaded when it changes something.

        Until Panel knows that it has, HoloViews asks for its turn to draw again and again, and leaves no
        time to others; and a page may never say so.
        """
        session = self.connection.session  # type: ignore[attr-defined]
        if message.msgtype == "PATCH-DOC" and not state._connected.get(session.document):
            await session.with_document_locked(state._on_load, session.document)
        return await super()._handle(message)  # type: ignore[misc]

    async def send_message(self, message: Any) -> None:
        """Send all but tracebacks and paths, which Bokeh has in what it tells of a fault."""
        if message.msgtype == "ERROR":
            message.content = {"text": "That could not be done. Load the page again.", "traceback": None}
        await super().send_message(message)  # type: ignore[misc]

    async def write_message(self, *args: Any, **kwargs: Any) -> None:
        with suppress(WebSocketClosedError):  # a page may be closed while something is drawn for it
            await super().write_message(*args, **kwargs)  # type: ignore[misc]


def pass_over_closed(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """An event loop's exception handler: Panel leaves messages alone that a closed page does not take."""
    if not isinstance(context.get("exception"), WebSocketClosedError):
        loop.default_exception_handler(context)


def _is_needless(rule: Any) -> bool:
    return NEEDLESS.search(rule.matcher.regex.pattern) is not None
