"""The stream port: REST and WebSocket on an event loop and a thread of their own."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Sequence
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler

from sessions.gate import Admission, Gate, Rules
from sessions.store import Store
from sessions.streams.fanout import Fanouts
from sessions.streams.hand import HandHandler
from sessions.streams.raw import RawHandler
from sessions.streams.raw_fanout import RawFanouts
from sessions.streams.stream import StreamHandler

MAX_READ = 8 * 1024 * 1024
"""Bytes. Larger bodies close the connection; the gate answers 413 to much smaller ones."""
MAX_HEADERS = 16 * 1024
IDLE_TIMEOUT, BODY_TIMEOUT = 20.0, 30.0
"""Seconds for a connection to send its next headers, and then the body."""
CLEANUP_EVERY = 10.0
NOT_YET = 503
"""HTTP status of what may be asked again."""

Rule = tuple[Any, ...]


def stream_rules(store: Store, prefix: str = "") -> list[Rule]:
    """Where decoders connect; `prefix` is the path under which a proxy has the port."""
    common = {"store": store, "fanouts": Fanouts(), "prefix": prefix}
    code = "([^/]+)"
    return [
        (r"/stream/?", StreamHandler, {**common, "format": "json"}),
        (r"/stream/binary/?", StreamHandler, {**common, "format": "msgpack"}),
        (f"/stream/raw/{code}", RawHandler, {"store": store, "fanouts": RawFanouts()}),
        (f"/stream/binary/{code}", StreamHandler, {**common, "format": "msgpack"}),
        (f"/stream/{code}", StreamHandler, {**common, "format": "json"}),
        hand_rule(store),
    ]


def hand_rule(store: Store) -> Rule:
    """Where a person's hand connects, on both ports."""
    return (r"/hand/([A-Za-z0-9_-]{1,64})", HandHandler, {"store": store})


def http_limits(certificate: ssl.SSLContext | None = None) -> dict[str, Any]:
    """What Tornado's HTTP server of either port is told.

    Parameters
    ----------
    certificate : SSLContext, optional
        With which to speak TLS.
    """
    return {
        "max_body_size": MAX_READ,
        "max_header_size": MAX_HEADERS,
        "idle_connection_timeout": IDLE_TIMEOUT,
        "body_timeout": BODY_TIMEOUT,
        "ssl_options": certificate,
    }


class Served(Application):
    """Tornado's, which would log as an error of the server that there is no room yet."""

    def log_request(self, handler: RequestHandler) -> None:
        if handler.get_status() != NOT_YET:
            super().log_request(handler)


class StreamServer:
    """Serves rules on sockets until `stop`, in a thread of its own.

    Parameters
    ----------
    store : Store
    rules : sequence of Tornado rules
    sockets : sequence of socket
        Bound and listening.
    gate : sessions.gate.Rules
        Who may come in.
    certificate : SSLContext, optional
        With which to speak TLS.
    """

    def __init__(
        self,
        store: Store,
        rules: Sequence[Rule],
        sockets: Sequence[socket.socket],
        gate: Rules,
        certificate: ssl.SSLContext | None = None,
        prefix: str = "",
    ) -> None:
        self._prefix = prefix
        self._store = store
        self._rules = rules
        self._sockets = sockets
        self._gate = gate
        self._certificate = certificate
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="stream loop", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, within: float | None = None) -> None:
        """Take no more connections, cut off those that are left, and end the thread.

        Close the store first: it says goodbye on this loop.

        Parameters
        ----------
        within : float, optional
            Seconds that requests get which are still being worked on; all they want if None.
        """
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(within)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        application = Served(list(self._rules))
        admission = Admission()
        gate = Gate(application, self._gate, admission, self._prefix)
        server = HTTPServer(gate, **http_limits(self._certificate))
        server.add_sockets(self._sockets)
        admission.guard(server)
        cleanup = asyncio.ensure_future(self._clean_up())
        await self._stopping.wait()
        cleanup.cancel()
        server.stop()
        await server.close_all_connections()

    async def _clean_up(self) -> None:
        while True:
            await asyncio.sleep(CLEANUP_EVERY)
            await self._loop.run_in_executor(None, self._store.cleanup)
