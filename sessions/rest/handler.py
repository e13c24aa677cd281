"""REST over HTTP: one handler that reads a request, calls the function of its route, and answers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, partial
from typing import Any

from tornado.iostream import IOStream, StreamClosedError
from tornado.web import RequestHandler

from engine.errors import DeckError
from sessions.gate.mount import FORWARDED_HOST
from sessions.gate.rules import address_of
from sessions.refusals import refusal, status_of, tornados_refusal
from sessions.rest.asks import Ask
from sessions.rest.context import Context, Redirect, Stream, Text
from sessions.rest.models.decoding import Decoded
from sessions.rest.models.sessions import Created
from sessions.rest.openapi import LATER, document
from sessions.rest.reading import asked
from sessions.rest.route import PATH_PARAMETERS, Route
from sessions.rest.routes import GROUPS, HOME, ROUTES

PATTERNS = {str: "[^/]+", int: r"-?\d{1,40}"}

PAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; frame-ancestors 'self'"
)
"""Pages and pictures have their style and images within them, and nothing else."""

RETRY_AFTER = 5
"""Seconds until one may ask again for what there was no room for."""

WRITE_TIMEOUT = 30.0
"""Seconds in which a client must take a piece of a long answer, or it gets no more."""

JSON = "application/json"

Rule = tuple[Any, ...]


class NotFound(DeckError):
    code = "not_found"


class MethodNotAllowed(DeckError):
    code = "method_not_allowed"


def rest_rules(context: Context, *, home: bool = False) -> list[Rule]:
    """The REST calls, for a Tornado application or as Bokeh's ``extra_patterns``.

    Parameters
    ----------
    context : Context
        What they are about.
    home : bool
        Whether ``/`` and every address that nobody else has belong to REST, as on the stream port.
        These rules must then be the application's last.
    """
    common = {"context": replace(context, document=_described(context.version))}
    by_path: dict[str, dict[str, Route]] = {}
    for route in ROUTES:
        if home or route is not HOME:
            by_path.setdefault(route.path, {})[route.method] = route
    rules: list[Rule] = [
        (_pattern(path), RestHandler, {"routes": routes, **common}) for path, routes in by_path.items()
    ]
    return [*rules, (r"/.*" if home else r"/api/.*", RestHandler, {"routes": {}, **common})]


@cache
def _described(version: str) -> dict[str, Any]:
    """All calls, once for both ports."""
    return document(GROUPS, version)


def _pattern(path: str) -> str:
    def group(match: re.Match[str]) -> str:
        return f"(?P<{match[1]}>{PATTERNS[PATH_PARAMETERS[match[1]]]})"

    return re.sub(r"{(\w+)}", group, path.replace(".", r"\."))


class RestHandler(RequestHandler):
    """Every call at one path.

    Parameters
    ----------
    routes : mapping
        By method; empty for an address where there is nothing.
    context : Context
    """

    def initialize(self, routes: Mapping[str, Route], context: Context) -> None:
        self._routes = dict(routes)
        if "GET" in routes:
            self._routes["HEAD"] = routes["GET"]
        self._context = context
        self._waiting: asyncio.Future[Any] | None = None

    def set_default_headers(self) -> None:
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Content-Type-Options", "nosniff")

    def check_xsrf_cookie(self) -> None:
        """The gate refuses foreign pages by their origin."""

    async def answer(self, **path: str) -> None:
        """Answer a request of any method."""
        try:
            found = await self._found(path)
        except DeckError as error:
            self._refuse(status_of(error), error.code, str(error), error.retry_after)
            return
        if isinstance(found, Redirect):
            self.redirect(found.url)
            return
        if isinstance(found, Stream):
            await self._send(found)
            return
        self.set_status(found.status)
        self.set_header("Content-Type", found.content_type)
        if found.location:
            self.set_header("Content-Location", found.location)
        if found.content_type.startswith(("text/html", "image/svg")):
            self.set_header("Content-Security-Policy", PAGE_POLICY)
        try:
            await asyncio.wait_for(self.finish(found.content), WRITE_TIMEOUT)
        except StreamClosedError:  # the client has had enough
            pass
        except TimeoutError:
            self._hang_up()

    get = head = post = put = patch = delete = options = answer

    def write_error(self, status_code: int, **_: Any) -> None:
        """What Tornado itself refuses, and what has failed; the log has the traceback."""
        if status_code == 405:
            self._refuse(405, "method_not_allowed", self._possible())
        else:
            self.finish(tornados_refusal(status_code))

    def _possible(self) -> str:
        """Say which methods there are, in a header too."""
        self.set_header("Allow", self._allowed)
        return f"{self.request.method} is not possible here. There are {self._allowed}."

    @property
    def _allowed(self) -> str:
        return ", ".join(sorted(self._routes))

    async def _send(self, stream: Stream) -> None:
        """Answer piece by piece, as fast as the client takes it."""
        self.set_header("Content-Type", stream.content_type)
        self.set_header("Content-Disposition", f'attachment; filename="{stream.file_name}"')
        loop = asyncio.get_running_loop()
        try:
            piece = stream.first
            while piece:
                self.write(piece)
                await asyncio.wait_for(self.flush(), WRITE_TIMEOUT)
                piece = await loop.run_in_executor(None, next, stream.rest, b"")
        except StreamClosedError:  # the client has had enough
            return
        except TimeoutError:
            self._hang_up()
            return
        finally:
            await loop.run_in_executor(None, stream.close)
        self.finish()

    def _hang_up(self) -> None:
        connection: IOStream = self.request.connection.stream  # type: ignore[union-attr]
        connection.close()

    async def _found(self, path: Mapping[str, str]) -> Text | Stream | Redirect:
        if not self._routes:
            raise NotFound(f"There is nothing at {self.request.path[:80]}. See /docs for what there is.")
        method = str(self.request.method)
        if method not in self._routes:
            raise MethodNotAllowed(self._possible())
        route = self._routes[method]
        names = self.request.query_arguments
        query = {name: ",".join(self.get_query_arguments(name, strip=False)) for name in names}
        accept = self.request.headers.get("Accept", "*/*")
        context = replace(
            self._context,
            host=self.request.host_name,
            secure=self.request.protocol == "https",
            proxy=self.request.headers.get(FORWARDED_HOST),
            accept=accept,
            address=address_of(self.request),
        )
        try:
            ask = asked(route, query, self.request.body)
        except DeckError:
            if "code" in path:  # a session that is not there is told before what is wrong with the rest
                context.store.get(path["code"])
            raise
        call = partial(route.call, context, **_parameters(path, ask))
        if route.waits:
            return await self._awaited(call)
        if route.blocking:
            return await asyncio.get_running_loop().run_in_executor(None, lambda: _spelled(call()))
        return _spelled(call())

    async def _awaited(self, call: Callable[[], Any]) -> Text | Stream | Redirect:
        """What a call answers, which ends when the client goes."""
        self._waiting = asyncio.ensure_future(call())
        await asyncio.wait([self._waiting])
        if self._waiting.cancelled():
            return Text(b"", JSON)
        return _spelled(self._waiting.result())

    def on_connection_close(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()

    def _refuse(self, status: int, code: str, message: str, retry_after: int | None = None) -> None:
        self.set_status(status)
        if retry_after is None and status in LATER:
            retry_after = RETRY_AFTER
        if retry_after is not None:
            self.set_header("Retry-After", str(retry_after))
        self.finish(refusal(code, message))


def _parameters(path: Mapping[str, str], ask: Ask) -> dict[str, Any]:
    """What the function of a route takes, by name."""
    parameters: dict[str, Any] = {name: PATH_PARAMETERS[name](value) for name, value in path.items()}
    return {**parameters, "asked": ask} if type(ask).model_fields else parameters


def _spelled(answer: Any) -> Text | Stream | Redirect:
    """What the function of a route answers, in bytes."""
    if isinstance(answer, Text | Stream | Redirect):
        return answer
    code = answer.session_code if isinstance(answer, Created | Decoded) else None
    location = None if code is None else f"/api/sessions/{code}"
    return Text(answer.model_dump_json().encode(), JSON, location, answer.status_code)
