"""Passthrough decoders in a process of their own: each answers every packet with its true movement.

Usage: python -m tests.benchmarks.passthrough SECONDS URL [URL ...], one connection each;
or python -m tests.benchmarks.passthrough echo: a socket that sends back what it gets, for the floor. It
prints its port.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import time

import msgpack
import numpy as np
from tornado.websocket import websocket_connect


async def decode(url: str, until: float) -> None:
    connection = await websocket_connect(url)
    connection.protocol.set_nodelay(True)  # Tornado's default waits for the last answer's receipt
    await connection.read_message()  # metadata
    while time.time() < until:
        message = await connection.read_message()
        if message is None:
            return
        packet = msgpack.unpackb(message)
        x, y, vx, vy = np.frombuffer(packet["k"], "<f4").tolist()
        if x == x and vx == vx:
            answer = {
                "type": "prediction",
                "sequence_number": packet["s"],
                "x": x,
                "y": y,
                "vx": vx,
                "vy": vy,
            }
            await connection.write_message(msgpack.packb(answer), binary=True)
    connection.close()


async def main(seconds: float, urls: list[str]) -> None:
    until = time.time() + seconds
    await asyncio.gather(*(decode(url, until) for url in urls))


def echo() -> None:
    """Send back what one connection sends, until it ends."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(server.getsockname()[1], flush=True)
        connection, _ = server.accept()
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while data := connection.recv(4096):
                connection.sendall(data)


if __name__ == "__main__":
    if sys.argv[1] == "echo":
        echo()
    else:
        asyncio.run(main(float(sys.argv[1]), sys.argv[2:]))
