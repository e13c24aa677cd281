"""The gate in Tornado's terms: it stands between a port and its application, before any routing.

Nothing that an application routes, Bokeh's sockets and static files included, is reached without it. For
this reason Panel has no auth provider here: that guards its own pages alone, and not ``extra_patterns``.
"""

from __future__ import annotations

from collections.abc import Awaitable
from http.client import responses
from typing import Any

from tornado.concurrent import Future
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    HTTPServerRequest,
    RequestStartLine,
    ResponseStartLine,
)

from engine.errors import DeckError
from sessions.gate import looking
from sessions.gate.admission import Admission
from sessions.gate.answers import Answer, answer, refused
from sessions.gate.mount import forwarded, without_prefix
from sessions.gate.rules import Rules
from sessions.gate.token import disclosed

MAX_BODY = 1024 * 1024
"""Bytes."""


class TooLarge(DeckError):
    code = "too_large"


class Gate(HTTPServerConnectionDelegate):
    """What a port calls in place of an application.

    Parameters
    ----------
    application : tornado.web.Application
    rules : Rules
    admission : Admission, optional
        Told of every connection that asks something.
    prefix : str, optional
        Path under which a proxy may have put the port, such as ``/deck``.
    """

    def __init__(
        self,
        application: HTTPServerConnectionDelegate,
        rules: Rules,
        admission: Admission | None = None,
        prefix: str = "",
    ) -> None:
        self._application = application
        self._rules = rules
        self._admission = admission
        self._prefix = prefix

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        return Visit(
            self._application, self._rules, self._admission, self._prefix, server_conn, request_conn
        )


class Visit(HTTPMessageDelegate):
    """One request: handed on without its token, or answered here.

    An answer of ours waits until the body has been read and forgotten, as a client that is still sending
    would not see it.
    """

    def __init__(
        self,
        application: HTTPServerConnectionDelegate,
        rules: Rules,
        admission: Admission | None,
        prefix: str,
        server_conn: object,
        request_conn: HTTPConnection,
    ) -> None:
        self._application = application
        self._rules = rules
        self._admission = admission
        self._prefix = prefix
        self._server = server_conn
        self._connection = request_conn
        self._inner: HTTPMessageDelegate | None = None
        self._answer: Answer | None = None
        self._size = 0

    def headers_received(self, start_line: Any, headers: HTTPHeaders) -> Awaitable[None] | None:
        assert isinstance(start_line, RequestStartLine)
        if self._admission is not None:
            self._admission.asked(self._connection.stream)  # type: ignore[attr-defined]
        start_line = without_prefix(start_line, self._prefix)
        context: Any = getattr(self._connection, "context", None)
        headers, context = forwarded(headers, context, self._rules.hosts)
        self._outgoing = Outgoing(self._connection, self._rules, context)
        self._request = HTTPServerRequest(connection=self._outgoing, start_line=start_line, headers=headers)
        self._outgoing.request = self._request
        self._answer = answer(self._rules, self._request, self._prefix)
        if self._answer is not None:
            return None
        headers = looking.marked(headers, self._rules.link_of(self._request))
        self._inner = self._application.start_request(self._server, self._outgoing)
        return self._inner.headers_received(*disclosed(start_line, headers))

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        self._size += len(chunk)
        if self._inner is None:
            return None
        if self._size > MAX_BODY:
            self._inner.on_connection_close()
            self._inner = None
            too_large = TooLarge(f"The body is too large. Send at most {MAX_BODY} bytes.")
            self._answer = refused(self._request, too_large)
            return None
        return self._inner.data_received(chunk)

    def finish(self) -> None:
        if self._inner is not None:
            self._inner.finish()
        elif self._answer is not None:
            status, content = self._answer.status, self._answer.content
            line = ResponseStartLine("HTTP/1.1", status, responses[status])
            headers = HTTPHeaders({**self._answer.headers, "Content-Length": str(len(content))})
            head = self._request.method == "HEAD"
            self._outgoing.write_headers(line, headers, None if head else content)
            self._outgoing.finish()

    def on_connection_close(self) -> None:
        if self._inner is not None:
            self._inner.on_connection_close()


def forbid_frames(headers: HTTPHeaders) -> None:
    """Let no other site show an answer in a frame, where its visitors could be made to click."""
    headers["X-Frame-Options"] = "SAMEORIGIN"
    policy = headers.get("Content-Security-Policy", "")
    if "frame-ancestors" not in policy:
        headers["Content-Security-Policy"] = "; ".join(filter(None, (policy, "frame-ancestors 'self'")))


class Outgoing(HTTPConnection):
    """A request's connection, whose answer says to the browser what the rules do, whoever gives it.

    Bokeh lets the pages of all origins read some of its answers.
    """

    request: HTTPServerRequest

    def __init__(self, connection: HTTPConnection, rules: Rules, context: Any) -> None:
        self.context = context
        self._connection = connection
        self._rules = rules

    def write_headers(
        self, start_line: Any, headers: HTTPHeaders, chunk: bytes | None = None
    ) -> Future[None]:
        for name in [name for name in headers if name.startswith("Access-Control-")]:
            del headers[name]
        headers.update(self._rules.cors(self.request))
        forbid_frames(headers)
        self._rules.note(self.request, start_line.code, headers.get("Content-Location"))
        return self._connection.write_headers(start_line, headers, chunk)

    def write(self, chunk: bytes) -> Future[None]:
        return self._connection.write(chunk)

    def finish(self) -> None:
        self._connection.finish()

    def __getattr__(self, name: str) -> Any:
        """All else, such as the detaching of WebSockets, is the connection's."""
        return getattr(self._connection, name)
