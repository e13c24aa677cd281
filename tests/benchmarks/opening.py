"""What opening pages costs the server and other pages: ``python -m tests.benchmarks.opening``.

Pages are opened as browsers do it, without drawing: the document over HTTP, then Panel's objects over
Bokeh's WebSocket.
"""

from __future__ import annotations

import json
import re
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from websocket import create_connection

from tests.benchmarks import Server, emit, server, spread
from tests.benchmarks.dashboard import CODE, cpu_seconds, post

N_PAGES = 20
AT_ONCE = 5
ITEM = re.compile(r'id="panel">(.*?)</script>', re.DOTALL)


def open_page(ours: Server, path: str = "/live") -> None:
    """One page, until its controls are there."""
    base = f"127.0.0.1:{ours.dashboard_port}{path.rstrip('/')}"
    html = urllib.request.urlopen(f"http://{base}?session={CODE}").read().decode()
    found = ITEM.search(html)
    if found is None:  # a page without Panel
        return
    token = json.loads(found[1])["item"]["token"]
    socket = create_connection(f"ws://{base}/ws", timeout=20, subprotocols=["bokeh", token])
    for _ in range(3):  # the server speaks first: header, metadata and content
        socket.recv()
    for part in ({"msgid": "1", "msgtype": "PULL-DOC-REQ"}, {}, {}):
        socket.send(json.dumps(part))
    while b"PULL-DOC-REPLY" not in socket.recv().encode():
        pass
    socket.recv()
    socket.recv()
    socket.close()


def cost_of_opening(ours: Server, path: str) -> None:
    """Processor time of the server a page, while its session stands still."""
    for _ in range(3):
        open_page(ours, path)
    before, start = cpu_seconds(ours.pid), time.perf_counter()
    for _ in range(N_PAGES):
        open_page(ours, path)
    used, took = cpu_seconds(ours.pid) - before, time.perf_counter() - start
    emit("a page opened", path=path, cpu_ms=1e3 * used / N_PAGES, took_ms=1e3 * took / N_PAGES)


def gaps_of_others(ours: Server) -> None:
    """Time between frames on a page that is open, while so many others open at once."""
    post(ours, f"/api/control/{CODE}/resume")
    url = f"ws://127.0.0.1:{ours.dashboard_port}/feed/{CODE}"
    stopping = threading.Event()
    came: list[float] = []

    def watch() -> None:
        feed = create_connection(url, timeout=20)
        while not stopping.is_set():
            feed.recv()
            came.append(time.perf_counter())
            if len(came) % 20 == 0:
                feed.send('{"seen": true}')
        feed.close()

    watcher = threading.Thread(target=watch)
    watcher.start()
    time.sleep(3)
    alone = len(came)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for _ in range(4):
            list(pool.map(open_page, [ours] * AT_ONCE))
    busy = len(came)
    stopping.set()
    watcher.join()
    gaps = 1e3 * np.diff(came)
    emit(
        "ms between frames of an open page",
        others_at_once=AT_ONCE,
        alone=spread(gaps[: alone - 1], 1.0),
        while_others_open=spread(gaps[alone : busy - 1], 1.0),
    )


def main() -> None:
    with server("--no-lsl") as ours:
        post(ours, "/api/sessions", {"custom_code": CODE})
        for path in ("/live", "/", "/calibrate"):
            cost_of_opening(ours, path)
        gaps_of_others(ours)


if __name__ == "__main__":
    main()
