"""PhantomDeck's client in one file, to copy into any project: `for bin in deck("demo"): bin.answer(x, y)`.

pip install websocket-client msgpack

It reconnects by itself, shows the token in PHANTOM_TOKEN, and tells what happens by the logger `phantom`.
"""

from __future__ import annotations

import json
import logging
import os
import random
import re
import ssl
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, SupportsFloat
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import msgpack
from websocket import ABNF, WebSocket, WebSocketBadStatusException, WebSocketException, create_connection

SHORTEST, LONGEST = 0.25, 8.0
"""Seconds between two attempts to connect; they double from one to the next."""
SILENCE = 30.0
"""Seconds; the server pings every 20, so after this much silence it is gone."""
DELETED, FORBIDDEN = 1000, 1008
"""Codes of a goodbye after which nobody comes back."""

log = logging.getLogger("phantom")


class PhantomError(Exception):
    """Why a server cannot be used, in one line."""


class Unreachable(PhantomError):
    """Nobody answers."""


class Refused(PhantomError):
    """The server says no: `status` of HTTP, and after how many seconds it may say yes, None for never."""

    def __init__(self, message: str, status: int, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after


class Kinematics(NamedTuple):
    """The cursor: position in the recording's length unit, velocity per second; None where missing."""

    x: float | None
    y: float | None
    vx: float | None
    vy: float | None


class Intention(NamedTuple):
    """The target, in length units; None where there is none."""

    target_id: int | None
    target_x: float | None
    target_y: float | None
    distance_to_target: float | None


@dataclass(frozen=True, eq=False)
class Bin:
    """One bin of a session.

    Attributes
    ----------
    sequence_number : int
        Of the bin in its session.
    counts : list of int, shape (n_units,)
        Spikes of each unit.
    kinematics : Kinematics
    intention : Intention
    trial_id : int or None
    missed : int
        Bins that were sent after the one before and did not come.
    packet : dict
        All that was sent, in the flat layout: `packet_id`, `timestamp`, `trial_time_ms` and so on.
    """

    sequence_number: int
    counts: list[int]
    kinematics: Kinematics
    intention: Intention
    trial_id: int | None
    missed: int
    packet: dict[str, Any] = field(repr=False)
    deck: Deck = field(repr=False)

    def answer(
        self,
        x: SupportsFloat | None = None,
        y: SupportsFloat | None = None,
        vx: SupportsFloat | None = None,
        vy: SupportsFloat | None = None,
    ) -> None:
        """Predict the cursor's position, its velocity, or both.

        What the server finds wrong is logged. If the connection is lost meanwhile, so is the answer.

        Parameters
        ----------
        x, y : float, optional
            In the recording's length unit.
        vx, vy : float, optional
            Per second. NaN is as if left out.
        """
        given = {"x": x, "y": y, "vx": vx, "vy": vy}
        values = {name: float(value) for name, value in given.items() if value is not None}
        self.deck.send(self, "prediction", {name: each for name, each in values.items() if each == each})


class Deck:
    """The bins of a session, as `deck` asks for them: iterate over it. A loop that ends leaves the session.

    Attributes
    ----------
    code : str or None
        Of the session; if the server is to make it up, None until connected.
    name : str or None
        Under which answers count: as asked for, or with `-2` after it if another decoder has that.
    metadata : dict
        Of the recording: `num_channels`, `frequency_hz`, `length_unit` and so on; empty until connected.
    """

    def __init__(
        self, url: str, code: str | None, query: dict[str, Any], token: str | None, patient: bool
    ) -> None:
        self.code = code
        self.name: str | None = query.get("decoder")
        self.metadata: dict[str, Any] = {}
        self._url, self._query, self._token, self._patient = url, query, token, patient
        self._socket: WebSocket | None = None
        self._newest: Bin | None = None  # while it is unanswered
        self._last: int | None = None

    def connect(self) -> Deck:
        """Connect now, to know the metadata before the first bin; iteration does so by itself.

        Raises
        ------
        Refused, Unreachable
        """
        path = f"/stream/binary/{self.code or ''}".rstrip("/")
        address = f"{self._url}{path}?{urlencode(self._query, doseq=True)}"
        options = {"context": ssl.create_default_context()} if address.startswith("wss") else None
        try:
            self._socket = create_connection(address, SILENCE, header=_shown(self._token), sslopt=options)
            self.metadata = msgpack.unpackb(self._receive())
        except WebSocketBadStatusException as error:
            raise _refusal(error.resp_body, error.status_code, error.resp_headers or {}) from None
        except (OSError, WebSocketException) as error:
            raise _unreachable(self._url, error) from None
        session = self.metadata["session"]
        self.code, self.name = session["code"], session["decoder"]
        log.info("Connected to session %s at %s", self.code, self._url)
        return self

    def close(self) -> None:
        """Leave the session. A second call does nothing."""
        socket, self._socket = self._socket, None
        if socket is not None:
            socket.close(timeout=1)
            socket.shutdown()  # which `close` leaves out where the server has said goodbye

    def __iter__(self) -> Iterator[Bin]:
        """Each bin as it comes, until the session is deleted.

        Raises
        ------
        Refused
            At first; later only if the server says no for good.
        Unreachable
            At first, unless this is patient; later it comes back.
        """
        again, wait = self._patient, SHORTEST
        try:
            while True:
                try:
                    if self._socket is None:
                        self.connect()
                    again = True
                    while (found := self._next()) is not None:
                        wait = SHORTEST
                        yield found
                        if self._newest is found and "credit" in self._query:
                            self.send(found, "ready", {})  # for the next in the place of this
                    return
                except (OSError, WebSocketException, PhantomError) as error:
                    later = error.retry_after if isinstance(error, Refused) else wait
                    if not again or later is None:
                        raise
                    self.close()
                    delay = max(later, wait) * random.uniform(0.5, 1)  # a hundred do not come at once
                    wait = min(2 * wait, LONGEST)
                    log.warning("Disconnected (%s). Next attempt in %.2f s", str(error)[:200], delay)
                    time.sleep(delay)
        finally:
            self.close()

    def send(self, bin: Bin, kind: str, values: dict[str, float]) -> None:
        """What `Bin.answer` calls."""
        if self._socket is None or not (values or kind == "ready"):
            return
        if self._newest is bin:
            self._newest = None
        message = {"type": kind, "sequence_number": bin.sequence_number, **values}
        try:
            self._socket.send_binary(msgpack.packb(message))
        except (OSError, WebSocketException):
            self._socket.abort()  # who reads next notices, and comes back

    def _next(self) -> Bin | None:
        """The next bin; None if the session was deleted."""
        while data := self._receive():
            packet = msgpack.unpackb(data)
            if packet["type"] == "data":
                return self._read(packet)
            log.warning("The server says: %s", packet["detail"])
        return None

    def _receive(self) -> bytes:
        """The next message; empty if the session was deleted."""
        if self._socket is None:
            return b""
        opcode, data = self._socket.recv_data()
        if opcode != ABNF.OPCODE_CLOSE:
            return bytes(data)
        code, reason = int.from_bytes(data[:2], "big"), data[2:].decode()
        if code == FORBIDDEN:
            raise Refused(reason, 403)
        if code != DELETED:
            raise WebSocketException(reason)
        return b""

    def _read(self, packet: dict[str, Any]) -> Bin:
        number, last = packet["sequence_number"], self._last
        missed = 0 if last is None else max(number - last - 1, 0)
        self._last = number
        counts, trial_id = packet["spikes"]["spike_counts"], packet["trial_id"]
        kinematics, intention = Kinematics(**packet["kinematics"]), Intention(**packet["intention"])
        self._newest = Bin(number, counts, kinematics, intention, trial_id, missed, packet, self)
        return self._newest


def deck(
    session: str | None = None,
    *,
    url: str | None = None,
    name: str | None = None,
    token: str | None = None,
    credit: int | None = None,
    queue: Literal["latest", "drop-oldest", "lossless"] | None = None,
    truth: bool = True,
    clean: bool = False,
    trials: Sequence[int] = (),
    targets: Sequence[int] = (),
    patient: bool = False,
) -> Deck:
    """The bins of a session, for a decoder: ``for bin in deck("demo"): bin.answer(*decode(bin.counts))``.

    Parameters
    ----------
    session : str, optional
        Its code. One that does not exist is made; None makes one with a code of its own.
    url : str, optional
        Of the stream port; ``ws://127.0.0.1:8000``, or the port in ``PHANTOM_PORT``, if left out.
    name : str, optional
        Under which answers are shown and scored.
    token : str, optional
        The server's; that in ``PHANTOM_TOKEN`` if left out.
    credit : int, optional
        At most so many bins are out unanswered, 1 to 1,000. With 1 and the queue ``latest`` a slow decoder
        always gets the newest bin.
    queue : str, optional
        What a slow decoder loses: all but the newest, the oldest of 40, or nothing of 2,400.
    truth : bool
        Whether kinematics and intention are told: a fair test does without.
    clean : bool
        Whether the bins come undisturbed.
    trials, targets : sequence of int
        Play only these.
    patient : bool
        Whether to wait for a server that is not there yet.
    """
    query: dict[str, Any] = {"layout": "flat", "trial_id": list(trials), "target_id": list(targets)}
    query |= {} if truth else {"truth": 0}
    query |= {"clean": 1} if clean else {}
    given = {"decoder": name, "credit": credit, "queue": queue}
    query |= {key: value for key, value in given.items() if value is not None}
    return Deck(_address(url), session, query, token, patient)


def ask(
    method: str, path: str, body: object = None, *, url: str | None = None, token: str | None = None
) -> Any:
    """The JSON that a REST call answers: ``ask("PUT", "/api/sessions/demo/speed", {"speed": 2})``.

    Raises
    ------
    Refused, Unreachable
    """
    address = _address(url).replace("ws", "http", 1)
    content = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", **_shown(token)}
    try:
        with urlopen(Request(address + path, content, headers, method=method), timeout=SILENCE) as answer:
            return json.load(answer)
    except HTTPError as error:
        with error:
            raise _refusal(error.read(), error.code, error.headers) from None
    except OSError as error:
        raise _unreachable(address, error) from None


def _address(url: str | None) -> str:
    address = url or f"ws://127.0.0.1:{os.environ.get('PHANTOM_PORT', 8000)}"
    return re.sub("^http", "ws", address).rstrip("/")


def _shown(token: str | None) -> dict[str, str]:
    """Headers that show the token."""
    token = token or os.environ.get("PHANTOM_TOKEN")
    return {"Authorization": f"Bearer {token}"} if token else {}


def _refusal(body: bytes | None, status: int, headers: Any) -> Refused:
    later = headers.get("Retry-After") or headers.get("retry-after")
    try:
        message = json.loads(body or b"")["detail"]
    except (ValueError, KeyError, TypeError):
        message = f"It answers with status {status}. Is it PhantomDeck's stream port?"
    return Refused(message, status, float(later) if later else None)


def _unreachable(url: str, error: Exception) -> Unreachable:
    return Unreachable(f"Nobody answers at {url} ({error}). Start serve.py, or say where it is.")
