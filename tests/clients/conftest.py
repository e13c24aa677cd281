"""Servers for the example clients, and what runs these."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tornado.netutil import bind_sockets

from engine.sinks.base import MakeSink
from engine.sources.recordings.recording import Recording
from sessions.gate import Origins, Rules, Token
from sessions.rest.context import Context
from sessions.rest.handler import rest_rules
from sessions.server import StreamServer, stream_rules
from sessions.store import Store
from tests.builders import small_recording
from tests.conftest import missing

CLIENTS = Path(__file__).parents[2] / "resources" / "clients"
PATIENCE = 60.0
"""Seconds after which a client is ended, and its test fails."""


@dataclass
class Deck:
    """A running stream port."""

    store: Store
    port: int

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"


@contextmanager
def playing(
    recording: Recording | None = None,
    *,
    port: int = 0,
    allowed: Sequence[str] = (),
    make_sinks: Mapping[str, MakeSink] | None = None,
    token: str | None = None,
) -> Iterator[Deck]:
    """Serve a recording as `serve.py` does; 5 units in 200 bins if there is none."""
    store = Store({"small": recording or small_recording()}, make_sinks=make_sinks)
    sockets, shown = bind_sockets(port, "127.0.0.1"), Token(token) if token else None
    port = sockets[0].getsockname()[1]
    rules = [
        *stream_rules(store),
        *rest_rules(Context(store, port, port), home=True),
    ]
    server = StreamServer(store, rules, sockets, Rules(Origins((port,), tuple(allowed)), token=shown))
    server.start()
    try:
        yield Deck(store, port)
    finally:
        store.close(PATIENCE)
        server.stop()


@pytest.fixture
def deck() -> Iterator[Deck]:
    with playing() as served:
        yield served


class Client:
    """A client that runs by itself, and what it prints."""

    def __init__(self, command: Sequence[str], **options: object) -> None:
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
        )  # type: ignore[call-overload]
        self._watchdog = threading.Timer(PATIENCE, self._process.kill)
        self._watchdog.start()
        self.printed: list[str] = []

    def until(self, text: str) -> str:
        """The next line that has this in it."""
        for line in self._process.stdout:
            self.printed.append(line)
            if text in line:
                return line
        raise AssertionError(f"It never printed {text!r}: {self.printed} {self._process.stderr.read()}")

    def end(self) -> str:
        """All it printed, once it has ended well."""
        rest, complaints = self._process.communicate()
        self.printed.append(rest)
        assert self._process.returncode == 0, complaints
        return "".join(self.printed)

    def complaint(self) -> str:
        """What it said on standard error, once it has ended with status 1."""
        _, complaints = self._process.communicate()
        assert self._process.returncode == 1, complaints
        return complaints

    def close(self) -> None:
        self._watchdog.cancel()
        self._process.kill()
        self._process.communicate()


StartClient = Callable[..., Client]


@pytest.fixture
def start_client(tmp_path: Path) -> Iterator[StartClient]:
    """Runs a file of the clients' folder with arguments, where nothing of PhantomDeck can be imported."""
    started: list[Client] = []

    def start(name: str, *arguments: object, **environment: str) -> Client:
        command = ["node"] if name.endswith(".js") else [sys.executable, "-W", "error"]
        command += [str(CLIENTS / name), *map(str, arguments)]
        started.append(Client(command, cwd=tmp_path, env=os.environ | environment))
        return started[-1]

    yield start
    for client in started:
        client.close()


@pytest.fixture(scope="session")
def node_modules(request: pytest.FixtureRequest) -> Path:
    """The packages of `package.json`, installed once and kept in pytest's cache."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        missing("There is no Node. Install it (on Debian: apt install nodejs npm) to run this test.")
    folder = request.config.cache.mkdir("node-clients")
    wanted = (CLIENTS / "package.json").read_text()
    installed = folder / "installed.json"
    with (folder / "lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)  # other workers have the same cache
        if not installed.exists() or installed.read_text() != wanted:
            (folder / "package.json").write_text(wanted)
            command = [npm, "install", "--no-audit", "--no-fund"]
            ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
            if ended.returncode:
                missing(f"npm cannot install what the Node client needs: {ended.stderr[-300:]}")
            installed.write_text(wanted)
    return folder / "node_modules"
