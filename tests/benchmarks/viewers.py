"""Pages in a process of their own: each fetches its document with all assets, and then takes the feed.

Usage: python -m tests.benchmarks.viewers BASE_URL CODE N [--churn]; runs until its standard input
closes. With --churn each page is closed and opened again without pause. Prints a line when N have
been opened, and at the end one JSON line: pages opened, and frames received.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import threading
from urllib.parse import urljoin

from tornado.httpclient import AsyncHTTPClient
from tornado.websocket import websocket_connect

SEEN = 20
CHURN_FRAMES = 10
ASSET = re.compile(r'(?:src|href)="([^"#]+\.(?:js|css|svg|ico)[^"]*)"')


class Viewers:
    def __init__(self, base: str, code: str) -> None:
        self.base, self.code = base, code
        self.opened = self.frames = self.ready = 0
        self.stopping = asyncio.Event()

    async def watch(self, churn: bool) -> None:
        """Be a page, or with `churn` one after the other."""
        await self.page(CHURN_FRAMES if churn else None)
        while churn and not self.stopping.is_set():
            await self.page(CHURN_FRAMES)

    async def page(self, n_frames: int | None) -> None:
        http = AsyncHTTPClient()
        url = f"{self.base}/live?session={self.code}"
        document = (await http.fetch(url)).body.decode()
        for asset in sorted(set(ASSET.findall(document))):
            await http.fetch(urljoin(url, asset))
        feed = await websocket_connect(f"{self.base.replace('http', 'ws')}/feed/{self.code}")
        self.opened += 1
        received = 0
        while not self.stopping.is_set() and (n_frames is None or received < n_frames):
            message = await feed.read_message()
            if message is None:
                break
            received += 1
            if received == 1:
                self.ready += 1
            if received % SEEN == 0:
                await feed.write_message('{"seen": true}')
        self.frames += received
        feed.close()


async def main(base: str, code: str, n: int, churn: bool) -> None:
    viewers = Viewers(base, code)
    loop = asyncio.get_running_loop()

    def wait_for_the_end() -> None:
        sys.stdin.read()
        loop.call_soon_threadsafe(viewers.stopping.set)

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    tasks = [asyncio.ensure_future(viewers.watch(churn)) for _ in range(n)]
    while viewers.ready < n:
        await asyncio.sleep(0.05)
    print("open", flush=True)
    await asyncio.gather(*tasks)
    print(json.dumps({"opened": viewers.opened, "frames": viewers.frames}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), "--churn" in sys.argv))
