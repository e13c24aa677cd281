"""A page made before anybody asks for it: its visitor waits for nothing to be computed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol, runtime_checkable
from urllib.parse import urlencode

from bokeh.server.contexts import ApplicationContext, _RequestProxy
from bokeh.server.session import ServerSession
from bokeh.server.tornado import BokehTornado
from bokeh.server.views.doc_handler import DocHandler
from bokeh.util.token import generate_jwt_token, generate_session_id
from panel.io.state import set_curdoc, state
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine
from tornado.ioloop import IOLoop

from dashboard.documents import visit_of

NAMED: Final = frozenset({"bokeh-token", "bokeh-session-id"})
"""Whose address names a session gets that one."""

LATER: Final = 2.0
"""Seconds that the visitor of a page which stands has the loop, before the next spare one is made on it."""


@runtime_checkable
class Adoptable(Protocol):
    """A handler whose pages can be made before it is known who visits them."""

    def about(self, asked: Mapping[str, str]) -> Mapping[str, str]:
        """That part of an address without which a page cannot be made."""

    def adopt(self, asked: Mapping[str, str]) -> None:
        """Let the page of the current document follow the rest of an address."""


class Spare:
    """One session of an application, about what its last visitor looked at.

    Parameters
    ----------
    handler : Adoptable
    context : ApplicationContext
        Has the application's sessions, on the present event loop.
    """

    def __init__(self, handler: Adoptable, context: ApplicationContext) -> None:
        self._handler = handler
        self._context = context
        self._about: Mapping[str, str] | None = None
        self._session: ServerSession | None = None

    async def make(self, asked: Mapping[str, str]) -> None:
        """Have one ready for such an address."""
        about = self._handler.about(asked)
        if about == self._about:
            return
        if self._session is not None:
            self._session.request_expiration()
            self._session.unblock_expiration()
        self._about, self._session = about, None
        name = generate_session_id()
        nobody = generate_jwt_token(name, extra_payload={"headers": {}, "cookies": {}})
        line = RequestStartLine("GET", f"{self._context.url}?{urlencode(about)}", "HTTP/1.1")
        request = HTTPServerRequest(start_line=line, headers=HTTPHeaders({"Host": "localhost"}))
        session = await self._context.create_session_if_needed(name, request, nobody)
        session.block_expiration()
        self._session = session

    async def take(self, request: HTTPServerRequest) -> ServerSession | None:
        """Give it to a visitor; None if there is none that would do."""
        visitor, session = _RequestProxy(request), self._session
        asked = visit_of(visitor).asked
        if session is None or request.arguments.keys() & NAMED or self._handler.about(asked) != self._about:
            return None
        self._about = self._session = None
        context: Any = session.document.session_context
        context._request = visitor
        session._token = generate_jwt_token(session.id)  # the first may have expired
        hand_over: Any = session.with_document_locked(self._hand_over, session, asked)
        await hand_over
        session.subscribe(self)  # type: ignore[arg-type]
        session.unsubscribe(self)  # type: ignore[arg-type]  # its time begins now
        session.unblock_expiration()
        return session

    def _hand_over(self, session: ServerSession, asked: Mapping[str, str]) -> None:
        with set_curdoc(session.document):
            self._handler.adopt(asked)


class WithSpare:
    """For Bokeh's pages: take the spare one, and have another made when this one stands in the browser."""

    async def get_session(self) -> Any:
        context, request = self.application_context, self.request  # type: ignore[attr-defined]
        spare: Spare | None = self.settings["spares"].get(context.url)  # type: ignore[attr-defined]
        if spare is None:
            return await super().get_session()  # type: ignore[misc]
        session = await spare.take(request) or await super().get_session()  # type: ignore[misc]
        asked, loop = visit_of(_RequestProxy(request)).asked, IOLoop.current()
        with set_curdoc(session.document):
            state.onload(lambda: loop.add_callback(loop.call_later, LATER, spare.make, asked))
        return session


def spares_of(application: BokehTornado) -> dict[str, Spare]:
    """One for each path whose pages can be made beforehand; its pages are to take it."""
    found = {}
    for context in application.applications.values():
        for handler in context.application.handlers:
            if isinstance(handler, Adoptable) and context.url is not None:
                found[context.url] = Spare(handler, context)
    for rule in application.wildcard_router.rules:
        if isinstance(rule.target, type) and issubclass(rule.target, DocHandler):
            rule.target = type("SpareHandler", (WithSpare, rule.target), {})
    return found
