"""`/stream/raw/{code}`: the voltages of a session with electrodes, one message a block."""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import suppress
from typing import Any, Final

from tornado.iostream import IOStream, StreamClosedError
from tornado.websocket import WebSocketHandler

from engine.bins.source import refuse
from engine.errors import BadSetting, DeckError
from sessions.refusals import refusal, status_of, tornados_refusal
from sessions.session import Session
from sessions.store import Store
from sessions.streams.group import stream_of
from sessions.streams.packets import TEXT, as_message
from sessions.streams.raw_blocks import raw_metadata, read_channels
from sessions.streams.raw_fanout import RawFanouts
from sessions.streams.stream import PING_INTERVAL
from sessions.streams.upgrade import check_upgrade

CHANNELS: Final = "channels"
MAX_MESSAGE: Final = 1024
SEND_BUFFER: Final = 256 * 1024
"""Bytes that the kernel may hold for a client: what lies there is stale for a slow one."""


class RawHandler(WebSocketHandler):
    """One client.

    Parameters
    ----------
    store : Store
    fanouts : RawFanouts
        Those of its application.
    """

    name = "raw"

    def initialize(self, store: Store, fanouts: RawFanouts) -> None:
        self._store = store
        self._fanouts = fanouts

    async def get(self, code: str) -> None:
        try:
            check_upgrade(self.request)
            self._session = self._join(code)
        except DeckError as error:
            self.set_status(status_of(error))
            if error.retry_after is not None:
                self.set_header("Retry-After", str(error.retry_after))
            with suppress(StreamClosedError):
                await self.finish(refusal(error.code, str(error)))
            return
        try:
            await super().get(code)
        finally:
            self._fanout.leave(self)
            self._session.dismiss()
            del self._fanout, self._session  # so that it is freed as soon as it has ended

    def write_error(self, status_code: int, **_: Any) -> None:
        self.finish(tornados_refusal(status_code))

    def open(self, code: str) -> None:  # noqa: ARG002
        if self.stream.closed():
            return  # gone while it was let in
        self.stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        self.set_nodelay(True)
        told = json.dumps(raw_metadata(self._session, self._channels)).encode()
        self.stream.write(as_message(TEXT, told))
        self._fanout.join(self, self._channels)

    def on_message(self, message: str | bytes) -> None:  # noqa: ARG002
        self.close(1008, "This stream takes no messages. Predict on /stream.")

    def check_origin(self, origin: str) -> bool:  # noqa: ARG002
        return True  # or the gate would have refused it

    @property
    def ping_interval(self) -> float:
        return PING_INTERVAL

    @property
    def max_message_size(self) -> int:
        return MAX_MESSAGE

    # As a `sessions.streams.raw_fanout.RawConnection`

    @property
    def address(self) -> str:
        return str(self.request.remote_ip)

    @property
    def stream(self) -> IOStream:
        return stream_of(self)

    def _join(self, code: str) -> Session:
        unknown = set(self.request.query_arguments) - {CHANNELS}
        if unknown:
            raise BadSetting(f"Unknown parameter {min(unknown)!r}. There is {CHANNELS}.")
        session = self._store.get(code)
        voltages = session.replay.voltages
        if voltages is None:
            refuse(session.replay.source, "voltages", "electrodes")
        asked = self.get_query_argument(CHANNELS, None)
        n_channels = voltages.n_channels
        self._channels = None if asked is None else read_channels(asked, n_channels)
        self._fanout = session.audience(self._fanouts.make, asyncio.get_running_loop())
        session.admit(None, self._store.limits.max_clients)
        return session
