"""A stream port on a free socket, and a client that says what it wants in one line."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from tornado.netutil import bind_sockets

from sessions.archive import Archive
from sessions.brokers.elsewhere import Broker
from sessions.calibrations import Calibrations
from sessions.decoding import Decoding
from sessions.gate import Hosts, Origins, Rate, Rules
from sessions.gate.audit import Audit
from sessions.launcher import Launcher
from sessions.rest.context import Context
from sessions.rest.handler import rest_rules
from sessions.rest.report import DRAWN_WITH
from sessions.runs import Runs
from sessions.server import StreamServer, stream_rules
from sessions.store import Store
from tests.builders import small_recording

DASHBOARD_PORT = 5006


@dataclass
class Reply:
    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content, parse_constant=lambda name: f"not JSON: {name}")


@dataclass
class Client:
    store: Store
    port: int
    archive: Archive

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """Send a request; bytes go as they are, anything else as JSON."""
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with closing(connection):
            connection.request(method, path, content, named)
            response = connection.getresponse()
            return Reply(response.status, response.headers, response.read())

    def create(self, code: str = "deck", **options: Any) -> str:
        reply = self("POST", "/api/sessions", {"custom_code": code, **options})
        assert reply.status == 200, reply.content
        return code


class Sketches:
    """A studio without a process: every picture is empty."""

    def themes(self) -> Mapping[str, Any]:
        return dict.fromkeys(("light", "dark"), dict.fromkeys(DRAWN_WITH, "#123456"))

    def draw(self, *_: Any) -> bytes:
        return b"<svg></svg>"


class Silence:
    """An inlet that hears nothing."""

    connected = False
    error = None

    def __init__(self, stream: str, *_: Any) -> None:
        self.stream = stream

    def stop(self) -> None:
        pass

    def close(self, within: float = 0.0) -> None:
        pass


@contextmanager
def serving(
    store: Store | None = None,
    studio: Any = None,
    archive: Archive | None = None,
    calibrations: Calibrations | None = None,
    launcher: Launcher | None = None,
    brokers: Sequence[Broker] = (),
    decoding: Decoding | None = None,
    audit: Audit | None = None,
) -> Iterator[Client]:
    """Serve a store as the stream port does; with `Sketches` if there is no studio."""
    with tempfile.TemporaryDirectory() as folder:
        archive = archive or Archive(Path(folder))
        more = brokers, decoding or Decoding(), audit
        yield from _serving(store, studio, archive, calibrations, launcher, *more)


def _serving(
    store: Store | None,
    studio: Any,
    archive: Archive,
    calibrations: Calibrations | None,
    launcher: Launcher | None,
    brokers: Sequence[Broker],
    decoding: Decoding,
    audit: Audit | None,
) -> Iterator[Client]:
    runs = Runs(archive.folder / "runs.sqlite")
    store = store or Store({"small": small_recording()}, make_inlet=Silence, keep=runs.keep)
    sockets = bind_sockets(0, "127.0.0.1")
    port = sockets[0].getsockname()[1]
    context = Context(
        store,
        port,
        DASHBOARD_PORT,
        studio=studio or Sketches(),
        archive=archive,
        runs=runs,
        calibrations=calibrations,
        launcher=launcher or Launcher(f"ws://127.0.0.1:{port}", logs=archive.folder / "logs"),
        brokers=brokers,
        decoding=decoding,
    )
    rules = rest_rules(context, home=True)
    gate = Rules(Origins((port, DASHBOARD_PORT)), Hosts(("rig.lab",)), rate=Rate(1e6), audit=audit)
    server = StreamServer(store, [*stream_rules(store), *rules], sockets, gate)
    server.start()
    try:
        yield Client(store, port, archive)
    finally:
        store.close()
        decoding.close()
        archive.close()
        server.stop()
