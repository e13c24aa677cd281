"""The WebSocket that decoders connect to: ``/stream/{code}`` and ``/stream/binary/{code}``."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable
from contextlib import suppress
from functools import partial
from typing import Any, get_args

import msgpack
from tornado.iostream import IOStream, StreamClosedError
from tornado.websocket import WebSocketHandler

from engine.answers.holds import Hold
from engine.answers.prediction import checked_name, spell
from engine.bins import clock
from engine.bins.selection import EVERYTHING, Selection
from engine.errors import BadPrediction, BadSetting, DeckError
from sessions.gate.rules import address_of
from sessions.metadata import metadata
from sessions.options import Options
from sessions.refusals import refusal, status_of, tornados_refusal
from sessions.session import Session
from sessions.store import Store
from sessions.streams.delivered import Delivered
from sessions.streams.fanout import Fanouts
from sessions.streams.group import Queue, stream_of
from sessions.streams.packets import BINARY, TEXT, Format, Layout, as_message
from sessions.streams.prediction import read_number, read_prediction
from sessions.streams.upgrade import check_upgrade

MAX_MESSAGE = 64 * 1024
PING_INTERVAL = 20.0
SEND_BUFFER = 64 * 1024
"""Bytes that the kernel may hold for a client: what lies there is stale for a slow one."""
KEYS = ("trial_id", "target_id", "format", "layout", "queue", "decoder", "clean", "truth", "credit")
YES, NO = "1", "0"
MAX_CREDIT = 1000
MAX_NAMES = 4
"""Of decoders that predict through one connection: a session has room for 32 of all."""
FLOOD_PAUSE = 0.01
"""Seconds before the next message of a decoder is read that predicts more than it may."""


class StreamHandler(WebSocketHandler):
    """One decoder.

    Parameters
    ----------
    store : Store
    fanouts : Fanouts
        Those of its application.
    format : "json" or "msgpack"
        What the address stands for, unless the query says otherwise.
    prefix : str
        Path under which a proxy has the port.
    """

    def initialize(
        self,
        store: Store,
        fanouts: Fanouts,
        format: Format,  # noqa: A002
        prefix: str = "",
    ) -> None:
        self._prefix = prefix
        self._store = store
        self._fanouts = fanouts
        self._format: Format = format
        self._holds: dict[str | None, Hold] = {}  # by the name that it gives in a message, if any
        self._decoders: set[str] = set()  # that predict through this connection

    async def get(self, code: str | None = None) -> None:
        try:
            check_upgrade(self.request)
            self._read_query()
            self._session = await self._join(code)
        except DeckError as error:
            self.set_status(status_of(error))
            if error.retry_after is not None:
                self.set_header("Retry-After", str(error.retry_after))
            with suppress(StreamClosedError):  # it has gone while a session was made for it
                await self.finish(refusal(error.code, str(error)))
            return
        try:
            await super().get()
        finally:
            self._fanout.leave(self)
            for hold in self._holds.values():
                self._session.predictions.holds.free(hold)
            self._session.dismiss()
            self._let_go()

    def write_error(self, status_code: int, **_: Any) -> None:
        """What Tornado itself refuses, and what has failed; the log has the traceback."""
        self.finish(tornados_refusal(status_code))

    def open(self) -> None:
        if self.stream.closed():
            return  # gone while the session was made
        self.stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        self.set_nodelay(True)
        data = metadata(self._session.description)
        scheme, address = self.request.protocol.replace("http", "ws"), self.request.host
        url = f"{scheme}://{address}{self._prefix}/stream/{self._session.code}"
        name = None if self._name is None else self._hold(self._name).name
        session = {"code": self._session.code, "url": url, "decoder": name}
        # Joined before, in the same turn of the loop: who has its metadata gets every packet from then on.
        self._client = self._fanout.join(self, self._format, self._layout, self._queue, self._credit)
        self._session.attend(name)
        self._send({**data, "type": "metadata", "data": data, "session": session})

    def on_message(self, message: str | bytes) -> Awaitable[None] | None:
        at = clock.now()
        try:
            read: Any = json.loads(message) if isinstance(message, str) else msgpack.unpackb(message)
        except (ValueError, RecursionError, msgpack.UnpackException):
            return self._refuse(
                "unreadable", "The message cannot be read. Send JSON as text or MessagePack as binary."
            )
        kind = read.get("type") if isinstance(read, dict) else None
        if kind not in ("prediction", "ready"):
            return self._refuse(
                "unknown_message",
                f"Unknown message type {spell(kind)}. Send an object whose type is prediction or ready.",
            )
        try:
            number = read_number(read, self._session.ring.head)
            self._client.answered(number)  # whatever it says of it
            return self._predict(read, at) if kind == "prediction" else None
        except BadPrediction as error:
            return self._refuse(error.code if kind == "prediction" else "bad_ready", str(error))

    def on_pong(self, data: bytes) -> None:
        self._client.ponged(data)

    def on_close(self) -> None:
        for decoder in self._decoders:
            self._session.predictions.leave(decoder, clock.now())

    def check_origin(self, origin: str) -> bool:  # noqa: ARG002
        return True  # or the gate would have refused it

    @property
    def ping_interval(self) -> float:
        return PING_INTERVAL

    @property
    def max_message_size(self) -> int:
        return MAX_MESSAGE

    # As a `sessions.streams.fanout.Connection`

    @property
    def name(self) -> str:
        return ", ".join(sorted(self._decoders)) or self._name or ""

    @property
    def address(self) -> str:
        return str(self.request.remote_ip)

    @property
    def stream(self) -> IOStream:
        return stream_of(self)

    def lost(self, first: int, end: int) -> None:
        for decoder in self._decoders:
            self._session.predictions.drop(decoder, first, end, clock.now())

    # Inside

    def _predict(self, message: dict[Any, Any], at: float) -> Awaitable[None] | None:
        """Take a prediction; a decoder that sends too many is read from no faster than others."""
        asked, number, values = read_prediction(message)
        held = self._holds.get(asked)
        hold = held or self._hold(asked)
        if self._session.predictions.receive(hold.name, number, values, at) is None:
            return _pause()
        self._decoders.add(hold.name)
        if held or asked in (None, hold.name):
            return None
        return self._refuse(
            "name_taken", f"Decoder {asked!r} answers already. This one's answers count as {hold.name!r}."
        )

    def _hold(self, asked: str | None) -> Hold:
        if len(set(self._holds.values())) == MAX_NAMES:
            raise BadPrediction(
                f"This connection predicts for {MAX_NAMES} decoders already. "
                "Use one of their names, or another connection."
            )
        hold = self._session.predictions.holds.take(asked, self._is_there, truth=self._delivered.truth)
        self._holds[asked] = self._holds[hold.name] = hold
        if asked == self._name:
            self._holds[None] = hold
        return hold

    def _let_go(self) -> None:
        """Hold nothing that holds this connection, so that the session is freed as soon as it has ended."""
        self._holds.clear()
        self._decoders.clear()
        self.__dict__.pop("_client", None)  # there is none if it had gone before it was open
        del self._fanout, self._session

    def _is_there(self) -> bool:
        """Whether it can still be heard: it has answered its last ping, and nobody has said goodbye."""
        return self.ws_connection is not None and not self.ws_connection.is_closing()

    def _refuse(self, code: str, message: str) -> Awaitable[None] | None:
        """Send an error, which is awaited: who does not read its errors is not read from either."""
        try:
            sent = self._send({"type": "error", **refusal(code, message)})
        except StreamClosedError:
            return None
        done = asyncio.get_running_loop().create_future()
        sent.add_done_callback(lambda _: _settle(done, sent))  # the client may have gone before it has read
        return done

    def _read_query(self) -> None:
        unknown = set(self.request.query_arguments) - set(KEYS)
        if unknown:
            raise BadSetting(f"Unknown parameter {min(unknown)!r}. There are {', '.join(KEYS)}.")
        self._format = self._choice("format", get_args(Format)) or self._format
        default: Layout = "full" if self._format == "msgpack" else "enveloped"
        self._layout: Layout = self._choice("layout", get_args(Layout)) or default
        if self._layout == "compact" and self._format == "json":
            raise BadSetting("Layout compact is MessagePack's. Add format=msgpack, or choose another.")
        self._queue: Queue | None = self._choice("queue", get_args(Queue))
        name = self.get_query_argument("decoder", None)
        self._name = None if name is None else checked_name(name)
        clean, truth = (self._choice(name, (NO, YES)) for name in ("clean", "truth"))
        self._delivered = Delivered(clean=clean == YES, truth=truth != NO)
        trial_ids, target_ids = self._numbers("trial_id"), self._numbers("target_id")
        self._selection = Selection(trial_ids, target_ids) if trial_ids or target_ids else None
        self._credit = self._packets("credit")

    def _choice(self, name: str, choices: tuple[str, ...]) -> Any:
        value = self.get_query_argument(name, None)
        if value is not None and value not in choices:
            raise BadSetting(f"Unknown {name} {value[:80]!r}. There are {', '.join(choices)}.")
        return value

    def _numbers(self, name: str) -> tuple[int, ...]:
        try:
            return tuple(sorted({int(value) for value in self.get_query_arguments(name)}))
        except ValueError:
            raise BadSetting(
                f"Parameter {name} takes whole numbers, each in a {name}=... of its own."
            ) from None

    def _packets(self, name: str) -> int | None:
        value = self.get_query_argument(name, None)
        if value is None:
            return None
        if not (value.isascii() and value.isdigit() and 1 <= int(value[:9]) <= MAX_CREDIT):
            raise BadSetting(
                f"Parameter {name} is {value[:80]!r}. Send a number of packets, 1 to {MAX_CREDIT}."
            )
        return int(value)

    async def _join(self, code: str | None) -> Session:
        options = Options(selection=self._selection or EVERYTHING)
        wait = code is not None  # nobody finds one again whose code is made up
        make = partial(self._store.create, code, options, address=address_of(self.request), wait=wait)
        session = await asyncio.get_running_loop().run_in_executor(None, make)
        self._fanout = session.audience(self._fanouts.of(self._delivered), asyncio.get_running_loop())
        session.admit(self._selection, self._store.limits.max_clients)
        self.set_header("Content-Location", f"/stream/{session.code}")
        return session

    def _send(self, message: dict[str, Any]) -> asyncio.Future[None]:
        if self._format == "json":
            return self.stream.write(as_message(TEXT, json.dumps(message).encode()))
        return self.stream.write(as_message(BINARY, msgpack.packb(message)))


def _pause() -> Awaitable[None]:
    """Some time, as a future: tasks are cancelled when the server goes down, and Tornado logs that."""
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    loop.call_later(FLOOD_PAUSE, _settle, done)
    return done


def _settle(done: asyncio.Future[None], after: asyncio.Future[None] | None = None) -> None:
    """End a wait, whatever has become of what was waited for."""
    if after is not None and not after.cancelled():
        after.exception()  # or it would be logged as one that nobody has looked at
    if not done.done():
        done.set_result(None)
