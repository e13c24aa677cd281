"""Decoders in a process of their own: one connection to each URL, timed as packets arrive.

Usage: python -m tests.benchmarks.clients SECONDS URL [URL ...]; prints one JSON line.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

import msgpack
import numpy as np
from tornado.websocket import websocket_connect

from engine import scheduling

WARM_UP = 1.0


Heard = tuple[list[float], list[float], list[int]]


async def listen(url: str, until: float) -> Heard:
    """When packets came, their delays after their timestamps, s, and their sequence numbers."""
    connection = await websocket_connect(url)
    await connection.read_message()  # metadata
    arrivals: list[float] = []
    delays: list[float] = []
    numbers: list[int] = []
    began = time.time()
    while time.time() < until:
        message = await connection.read_message()
        if message is None:
            break
        now = time.time()
        packet = msgpack.unpackb(message)
        if now - began > WARM_UP:
            arrivals.append(now)
            delays.append(now - packet["t"])
            numbers.append(packet["s"])
    connection.close()
    return arrivals, delays, numbers


async def main(seconds: float, urls: list[str]) -> None:
    until = time.time() + seconds
    heard = await asyncio.gather(*(listen(url, until) for url in urls))
    delays = np.concatenate([delays for _, delays, _ in heard])
    gaps = sum(int(np.sum(np.diff(numbers) != 1)) for *_, numbers in heard)
    rates = [(len(times) - 1) / (times[-1] - times[0]) for times, *_ in heard]
    print(json.dumps({"delays": delays.tolist(), "gaps": gaps, "rates": rates}))


if __name__ == "__main__":
    scheduling.real_time()  # where it can be had: what is late is then the server, not its measurer
    asyncio.run(main(float(sys.argv[1]), sys.argv[2:]))
