"""Panel applications on an event loop of their own: whatever they compute, other pages' plots go on.

A port has one event loop, which its pages share with the feed. HoloViews renders for tens of milliseconds
at a time, so applications that use it run on the loop of another thread. The port hands their requests
over through a pair of connected sockets, behind its gate; no further port is opened.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from bokeh.io import doc as bokeh_io
from bokeh.server.tornado import BokehTornado
from panel.io.application import build_applications
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPHeaders, parse_response_start_line
from tornado.ioloop import IOLoop
from tornado.iostream import IOStream, StreamClosedError
from tornado.web import RequestHandler

from dashboard.hardening import harden, pass_over_closed
from dashboard.spares import Spare, spares_of

CHUNK: Final = 65536
"""Bytes that are handed on at once."""
SOON: Final = 2.0
"""Seconds after which the first spare pages are made, or a quiet moment is looked for again."""
Quiet = Callable[[], bool]
HOP: Final = ("connection", "keep-alive", "transfer-encoding", "upgrade")
"""Headers that are about one connection, not about what goes through several."""


class Documents(threading.local):
    """A stack of documents for each thread, of which the last is the thread's `bokeh.io.curdoc`.

    Bokeh has one stack for all threads: of two event loops one would take the other's document.
    """

    def __init__(self) -> None:
        self._stack: list[Any] = []

    def __len__(self) -> int:
        return len(self._stack)

    def __getitem__(self, at: int) -> Any:
        return self._stack[at]

    def append(self, document: Any) -> None:
        self._stack.append(document)

    def pop(self) -> Any:
        return self._stack.pop()


bokeh_io._PATCHED_CURDOCS = Documents()  # type: ignore[assignment]


class PanelThread:
    """Runs until it is stopped.

    Parameters
    ----------
    applications : mapping
        By path, as `panel.io.server.get_server` takes them.
    quiet : function, optional
        Whether the first pages may be made now, before anybody asks, of applications that can
        (`dashboard.spares`): that takes the interpreter from all threads for up to 60 ms at a time. Left
        out, none are.
    **options
        As `bokeh.server.tornado.BokehTornado` takes them.
    """

    def __init__(self, applications: Mapping[str, Any], quiet: Quiet | None = None, **options: Any) -> None:
        self.paths = tuple(applications)
        self._applications = build_applications(dict(applications))
        self._quiet = quiet
        self._options = options
        self._up = threading.Event()
        self._lock = threading.Lock()  # guards the two below
        self._coming: set[socket.socket] = set()  # ends that its loop has yet to take
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="panel", daemon=True)

    def start(self) -> None:
        """Begin to take connections."""
        self._thread.start()
        self._up.wait()

    def stop(self) -> None:
        """End all sessions."""
        self._loop.add_callback(self._stopping.set)
        self._thread.join()
        with self._lock:
            self._ended = True
            left, self._coming = self._coming, set()
        for far in left:
            far.close()

    def connect(self, address: str) -> IOStream:
        """A connection as if from an IP address, for the present event loop; a closed one at the end."""
        near, far = socket.socketpair()
        for end in (near, far):
            end.setblocking(False)
        with self._lock:
            if self._ended:
                far.close()
            else:
                self._coming.add(far)
                self._loop.add_callback(self._take, far, address)
        return IOStream(near)

    def _take(self, far: socket.socket, address: str) -> None:
        if self._stopping.is_set():
            return  # `stop` closes it
        with self._lock:
            self._coming.discard(far)
        self._http.handle_stream(IOStream(far), (address, 0))

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._stopping = IOLoop.current(), asyncio.Event()
        asyncio.get_running_loop().set_exception_handler(pass_over_closed)
        tornado = BokehTornado(  # of no host in particular: the gate has looked
            self._applications, extra_websocket_origins=["*"], use_index=False, **self._options
        )
        harden(tornado)
        spares = spares_of(tornado) if self._quiet else {}
        tornado.settings["spares"] = spares
        self._http = HTTPServer(tornado, xheaders=True)
        tornado.initialize(self._loop)
        tornado.start()
        making = asyncio.create_task(self._make_first(spares.values()))
        self._up.set()
        await self._stopping.wait()
        making.cancel()
        tornado.stop()
        await self._http.close_all_connections()

    async def _make_first(self, spares: Iterable[Spare]) -> None:
        for each in spares:
            await asyncio.sleep(SOON)
            while self._quiet is not None and not self._quiet():
                await asyncio.sleep(SOON)
            await each.make({})


class Tunnel(RequestHandler):
    """Hands a request on to a `PanelThread`, and what comes of it back."""

    def initialize(self, thread: PanelThread) -> None:
        self._thread = thread

    async def get(self) -> None:
        request = self.request
        address = str(request.remote_ip)
        headers = HTTPHeaders({"X-Real-Ip": address, "X-Scheme": request.protocol, "Connection": "close"})
        for name, value in request.headers.get_all():
            if name.lower() not in (*HOP, "x-real-ip", "x-scheme", "x-forwarded-for"):
                headers.add(name, value)
        upgrade = request.headers.get("Upgrade")
        if upgrade is not None:
            headers["Connection"], headers["Upgrade"] = "Upgrade", upgrade
        path, mark, query = str(request.uri).partition("?")
        target = path + mark + query.replace("?", "%3F")  # the same to all but Panel, which takes one alone
        stream = self._thread.connect(address)
        await stream.write(f"GET {target} HTTP/1.1\r\n{headers}\r\n".encode("latin1"))
        line, _, told = (await stream.read_until(b"\r\n\r\n")).decode("latin1").partition("\r\n")
        status, answered = parse_response_start_line(line).code, HTTPHeaders.parse(told)
        self.set_status(status)
        self.clear_header("Content-Type")
        for name, value in answered.get_all():
            if status == 101 or name.lower() not in HOP:
                self.set_header(name, value)
        if status != 101:
            body = await stream.read_bytes(int(answered.get("Content-Length", 0)))
            stream.close()
            await self.finish(body)
            return
        self.finish()
        outer = self.detach()
        await asyncio.gather(_pump(stream, outer), _pump(outer, stream))


async def _pump(source: IOStream, sink: IOStream) -> None:
    """Hand on bytes as fast as they are taken, until one end is closed; then close both."""
    try:
        while True:
            await sink.write(await source.read_bytes(CHUNK, partial=True))
    except StreamClosedError:
        source.close()
        sink.close()
