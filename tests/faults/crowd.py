"""Many decoders in a process of their own, which count what they miss.

Usage: python -m tests.faults.crowd N URL; prints a line when all are connected, and at the end one JSON
line: by decoder the packets it had, the gaps in their numbers, what it was told that it lost, and the
close code. Ends when its standard input closes, or when the server has closed every connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import IO, Any

import msgpack
from tornado.websocket import WebSocketClientConnection, websocket_connect

from tests.benchmarks import ROOT

AT_ONCE = 20


async def listen(connection: WebSocketClientConnection) -> dict[str, Any]:
    packets = gaps = dropped = 0
    last = None
    while (message := await connection.read_message()) is not None:
        packet = msgpack.unpackb(message)
        gaps += 0 if last is None else packet["s"] - last - 1
        last, dropped = packet["s"], packet["d"]
        packets += 1
    return {"packets": packets, "gaps": gaps, "dropped": dropped, "code": connection.close_code}


async def main(n: int, url: str) -> None:
    room = asyncio.Semaphore(AT_ONCE)

    async def connect() -> WebSocketClientConnection:
        async with room:
            connection = await websocket_connect(url)
            await connection.read_message()  # metadata
            return connection

    connections = await asyncio.gather(*(connect() for _ in range(n)))
    print("open", flush=True)
    loop = asyncio.get_running_loop()

    def close_at_the_end() -> None:
        sys.stdin.read()
        for connection in connections:
            loop.call_soon_threadsafe(connection.close)

    threading.Thread(target=close_at_the_end, daemon=True).start()
    print(json.dumps(await asyncio.gather(*map(listen, connections))))


@contextlib.contextmanager
def crowd(n: int, url: str) -> Iterator[subprocess.Popen[str]]:
    """So many decoders, all connected when the block begins."""
    command = [sys.executable, "-m", "tests.faults.crowd", str(n), url]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            assert output_of(process).readline() == "open\n"
            yield process
        finally:
            process.kill()


def output_of(process: subprocess.Popen[str]) -> IO[str]:
    assert process.stdout is not None
    return process.stdout


def verdicts(process: subprocess.Popen[str]) -> list[dict[str, Any]]:
    """What a crowd has seen; ends it if the server has not."""
    said, _ = process.communicate(timeout=60)
    found: list[dict[str, Any]] = json.loads(said)
    return found


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
