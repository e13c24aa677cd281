"""What the functions behind the REST calls are given, and what they may answer beside JSON."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sessions.archive import Archive
from sessions.brokers.elsewhere import Broker
from sessions.calibrations import Calibrations
from sessions.decoding import Decoding
from sessions.gate.looking import NAME
from sessions.launcher import Launcher
from sessions.links import Link, Links
from sessions.refusals import Busy
from sessions.runs import Runs
from sessions.session import Session
from sessions.store import Store
from sessions.studio import Studio
from sessions.version import version

DOWNLOADS = 4
"""Of binned recordings at once: each holds a copy of the bins as long as its client takes."""
WAITING, WAITING_PER_ADDRESS = 256, 64
"""Requests at once that wait for bins: each holds a connection."""


class Waits:
    """Counts the requests that wait, in all and by address; may be used from any thread."""

    def __init__(self) -> None:
        self._waiting: Counter[str] = Counter()
        self._lock = threading.Lock()  # guards the one above

    @contextmanager
    def one(self, address: str) -> Iterator[None]:
        """Have one more wait.

        Raises
        ------
        Busy
            If there are as many as there may be.
        """
        with self._lock:
            if self._waiting[address] >= WAITING_PER_ADDRESS or self._waiting.total() >= WAITING:
                raise Busy(
                    f"{self._waiting[address]} requests from {address} wait for bins, "
                    f"{self._waiting.total()} in all; there may be {WAITING_PER_ADDRESS} and {WAITING}. "
                    "Ask again later, or connect by WebSocket."
                )
            self._waiting[address] += 1
        try:
            yield
        finally:
            with self._lock:
                self._waiting[address] -= 1
                if not self._waiting[address]:
                    del self._waiting[address]


@dataclass(frozen=True)
class Context:
    """The server as one client sees it.

    Attributes
    ----------
    store : Store
    stream_port, dashboard_port : int
        Where clients reach the two event loops; the same where a deployment uses one port.
    secure : bool
        Whether the ports speak TLS.
    host : str
        The name by which this client called the server, without a port.
    proxy : str, optional
        Host and port of the proxy that this client called, if it did.
    prefix, stream_prefix : str
        Paths under which a proxy has the two ports, such as ``/deck``.
    accept : str
        The client's ``Accept`` header.
    address : str
        The client's IP address.
    version : str
        Of PhantomDeck.
    document : mapping
        The OpenAPI document.
    studio : Studio, optional
        Draws pictures.
    archive : Archive, optional
        Keeps records.
    runs : Runs, optional
        Keeps what decoders have scored.
    launcher : Launcher, optional
        Starts decoders.
    calibrations : Calibrations, optional
        Fits and tests decoders.
    decoding : Decoding
        Decodes what clients send, and has what is found at electrodes.
    brokers : sequence of Broker
        Where the sessions of other servers are found.
    links : Links
        That can only look: those of the gate.
    """

    store: Store
    stream_port: int
    dashboard_port: int
    secure: bool = False
    host: str = "localhost"
    proxy: str | None = None
    prefix: str = ""
    stream_prefix: str = ""
    accept: str = "*/*"
    address: str = ""
    version: str = field(default_factory=version)
    document: Mapping[str, Any] = field(default_factory=dict)
    studio: Studio | None = None
    archive: Archive | None = None
    runs: Runs | None = None
    launcher: Launcher | None = None
    calibrations: Calibrations | None = None
    decoding: Decoding = field(default_factory=Decoding)
    brokers: Sequence[Broker] = ()
    links: Links = field(default_factory=Links)
    downloads: threading.BoundedSemaphore = field(
        default_factory=lambda: threading.BoundedSemaphore(DOWNLOADS)
    )
    waits: Waits = field(default_factory=Waits)

    @property
    def dashboard(self) -> str:
        """Address of the dashboard, without a path."""
        return f"http{self._s}://{self._at(self.dashboard_port, self.prefix)}"

    @property
    def api(self) -> str:
        """Address of the REST calls, without a path."""
        return f"http{self._s}://{self._at(self.stream_port, self.stream_prefix)}"

    @property
    def stream(self) -> str:
        """Address of the streams, without a session's code."""
        return f"ws{self._s}://{self._at(self.stream_port, self.stream_prefix)}/stream"

    def look(self, link: Link) -> str:
        """Address at which a link looks."""
        page = "wall?" if link.session is None else f"session?session={link.session}&"
        return f"{self.dashboard}/look/{page}{NAME}={self.links.signed(link)}"

    @property
    def _s(self) -> str:
        return "s" if self.secure else ""

    def _at(self, port: int, prefix: str) -> str:
        return (self.proxy if self.proxy and prefix else f"{self.host}:{port}") + prefix

    def session(self, code: str) -> Session:
        """The session of this code, which is used by that.

        Raises
        ------
        UnknownSession
        """
        session = self.store.get(code)
        session.touch()
        return session


@dataclass(frozen=True)
class Text:
    """An answer in bytes.

    Attributes
    ----------
    content : bytes
    content_type : str
    location : str, optional
        Path of what it tells of, where that is not the path that was asked.
    status : int
    """

    content: bytes
    content_type: str
    location: str | None = None
    status: int = 200


@dataclass(frozen=True)
class Stream:
    """An answer piece by piece, to be saved as a file; each piece may take a while."""

    first: bytes
    rest: Generator[bytes]
    content_type: str
    file_name: str

    @classmethod
    def of(cls, pieces: Generator[bytes], content_type: str, file_name: str) -> Stream:
        """With the first piece at hand: what fails does so before anything is answered."""
        return cls(next(pieces, b""), pieces, content_type, file_name)

    def close(self) -> None:
        """End what makes the pieces, whether they were all taken or not."""
        self.rest.close()


@dataclass(frozen=True)
class Redirect:
    """The answer is elsewhere."""

    url: str
