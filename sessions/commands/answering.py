"""The part of a decoder that is on the stream: packets in, predictions out, until the session ends."""

from __future__ import annotations

import asyncio
import gc
import math
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import msgpack
import numpy as np
from tornado.websocket import WebSocketClientConnection, WebSocketClosedError

from engine.decoders import Decoder
from sessions.commands.client import Unreachable, connect, leave, metadata_of

ENDED = (1000, 1001)
"""Close codes of a session that was deleted, and of a server that goes down."""
REFUSED = 1008
RECONNECT_WITHIN, RECONNECT_EVERY = 10.0, 0.5
"""Seconds for which a lost connection is tried again, and between two tries."""
TIMES_KEPT = 24_000
NAMES = ("x", "y", "vx", "vy")
OBSERVED = 1
"""Bit of a compact packet's flags."""

Check = Callable[[Mapping[str, Any]], None]
"""Takes a stream's metadata; raises a DeckError if the decoder does not fit."""


class Answerer:
    """Makes a prediction of each packet, and resets the decoder where bins do not follow each other.

    A bin that was lost on its way is skipped over, as what comes before it still explains what comes
    after. So is one that is not observed: recordings have those between trials, and a decoder that was
    reset there would know how long a trial has lasted. The decoder is told when a trial has ended.

    Parameters
    ----------
    decoder : Decoder
        Fitted.
    name : str
        Under which it competes.
    """

    def __init__(self, decoder: Decoder, name: str) -> None:
        self.packets = self.answered = self.missed = self.refused = 0
        self.times: deque[float] = deque(maxlen=TIMES_KEPT)
        self._decoder = decoder
        self._name = name
        self._offset: int | None = None
        self._trial: int | None = None
        self._number: int | None = None

    def start(self, metadata: Mapping[str, Any]) -> None:
        """Begin with what a stream says first."""
        self._count_dtype = np.dtype(metadata["count_dtype"]).newbyteorder("<")
        self._offset = self._trial = self._number = None
        told = metadata.get("session", {}).get("decoder", self._name)  # not every server tells
        if told != self._name:
            print(f"serve.py decode: {self._name} is taken, its answers count as {told}", flush=True)

    def answer(self, packet: Mapping[str, Any]) -> bytes | None:
        """The message that answers a compact packet; None if there is nothing to say."""
        self.packets += 1
        number = packet["s"]
        if self._number is not None:
            self.missed += max(number - self._number - 1, 0)
        self._number = number
        trial = packet.get("r")
        if trial != self._trial:
            if self._trial is not None:
                self._decoder.on_done()
            self._trial = trial
        if not packet["f"] & OBSERVED:
            return None
        began = time.perf_counter()
        offset = packet["p"] - packet["s"]  # it stays as it is while bins follow each other
        if offset != self._offset:
            self._decoder.reset()
            self._offset = offset
        counts = np.frombuffer(packet["c"], self._count_dtype)
        truth = np.frombuffer(packet["k"], "<f4") if self._decoder.uses_truth else None
        predicted = self._decoder.predict(counts, truth).tolist()
        self.times.append(time.perf_counter() - began)
        values = {name: v for name, v in zip(NAMES, predicted, strict=True) if math.isfinite(v)}
        if not values:
            return None
        self.answered += 1
        message = {"type": "prediction", "sequence_number": packet["s"], **values, "decoder": self._name}
        return bytes(msgpack.packb(message))

    def __str__(self) -> str:
        said = f"Answered {self.answered} of {self.packets} packets"
        if self.missed:
            said += f", and {self.missed} more went by"
        if self.refused:
            said += f"; the server refused {self.refused} answers"
        if not self.times:
            return said
        p50, p99 = 1000 * np.percentile(self.times, [50, 99])
        return f"{said}; a prediction took {p50:.3f} ms median, {p99:.3f} ms p99"


async def answer_stream(
    url: str, stream: str, answerer: Answerer, check: Check, token: str | None = None
) -> str:
    """Answer packets until the session ends; a connection that is lost is made again.

    Parameters
    ----------
    url : str
        Of the stream port.
    stream : str
        Path and query; compact layout.
    answerer : Answerer
    check : function
        Called with the metadata of every connection.
    token : str, optional
        The server's.

    Returns
    -------
    str
        Why it is over.

    Raises
    ------
    Unreachable
        If there is no server, it lets nobody in, or it stays away.
    """
    connection = await connect(url, stream, token)
    while True:
        try:
            metadata = await metadata_of(connection, url)
            check(metadata)
            answerer.start(metadata)
            assert connection.protocol is not None
            connection.protocol.set_nodelay(True)
            gc.collect()
            gc.freeze()  # what is there now need not be looked at again, between two packets
            await _answer(connection, answerer)
        finally:
            await leave(connection)
        if connection.close_code in ENDED:
            return "The session has ended" if connection.close_code == 1000 else "The server went down"
        if connection.close_code == REFUSED:
            raise Unreachable(f"{url} has refused the decoder: {connection.close_reason}.")
        connection = await _reconnect(url, stream, token)


async def _answer(connection: WebSocketClientConnection, answerer: Answerer) -> None:
    told = None
    while (message := await connection.read_message()) is not None:
        packet = msgpack.unpackb(message)
        if "s" not in packet:
            if packet.get("type") == "error":
                answerer.refused += 1
            if packet.get("type") == "error" and packet.get("detail") != told:
                told = packet.get("detail")
                print(f"serve.py decode: the server says: {told}", file=sys.stderr, flush=True)
            continue
        prediction = answerer.answer(packet)
        if prediction is not None:
            try:
                await connection.write_message(prediction, binary=True)
            except WebSocketClosedError:
                return  # the server may have said goodbye meanwhile


async def _reconnect(url: str, stream: str, token: str | None) -> WebSocketClientConnection:
    print("serve.py decode: the connection is lost; connecting again", file=sys.stderr, flush=True)
    until = time.monotonic() + RECONNECT_WITHIN
    while True:
        try:
            return await connect(url, stream, token)
        except Unreachable:
            if time.monotonic() > until:
                raise
        await asyncio.sleep(RECONNECT_EVERY)
