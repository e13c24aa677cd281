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
READY = {
    "kind": "MessageSent",
    "msg_type": "bokeh_event",
    "msg_data": {"type": "event", "name": "document_ready", "values": {"type": "map", "entries": []}},
}
"""What browsers say when a page stands; the server then makes the next spare one."""
REST = 5.0
"""Seconds in which a spare page is made."""


def open_page(ours: Server, path: str = "/live", query: str = f"session={CODE}") -> None:
    """One page, until its controls are there."""
    base = f"127.0.0.1:{ours.dashboard_port}{path.rstrip('/')}"
    html = urllib.request.urlopen(f"http://{base}?{query}").read().decode()
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
    for part in ({"msgid": "2", "msgtype": "PATCH-DOC"}, {}, {"events": [READY]}):
        socket.send(json.dumps(part))
    while '"OK"' not in str(socket.recv()):
        pass
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


class Watch:
    """An open live page, which notes when frames come."""

    def __init__(self, ours: Server) -> None:
        self.came: list[float] = []
        self._url = f"ws://127.0.0.1:{ours.dashboard_port}/feed/{CODE}"
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self) -> None:
        feed = create_connection(self._url, timeout=20)
        while not self._stopping.is_set():
            feed.recv()
            self.came.append(time.perf_counter())
            if len(self.came) % 20 == 0:
                feed.send('{"seen": true}')
        feed.close()

    def gaps(self, first: int, last: int) -> dict[str, float]:
        """Milliseconds between some of the frames."""
        return spread(1e3 * np.diff(self.came)[first : last - 1], 1.0)

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()


def gaps_of_others(ours: Server) -> None:
    """Time between frames on a page that is open, while so many others open at once."""
    post(ours, f"/api/control/{CODE}/resume")
    watch = Watch(ours)
    time.sleep(3)
    alone = len(watch.came)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for _ in range(4):
            list(pool.map(open_page, [ours] * AT_ONCE))
    busy = len(watch.came)
    watch.stop()
    emit(
        "ms between frames of an open page",
        others_at_once=AT_ONCE,
        alone=watch.gaps(0, alone),
        while_others_open=watch.gaps(alone, busy),
    )


def exploring(ours: Server) -> None:
    """Explore, with a spare page at hand and without, beside an open live page."""
    watch = Watch(ours)
    time.sleep(REST)
    for what, query in (("with a spare", "recording=synthetic"), ("without", "bokeh-session-id=own{}")):
        used, took, opening, after = 0.0, 0.0, [], []
        for i in range(4):
            resting, start = rest_cpu(ours), time.perf_counter()
            first, before = len(watch.came), cpu_seconds(ours.pid)
            open_page(ours, "/explore", query.format(i))
            seconds = time.perf_counter() - start
            used += cpu_seconds(ours.pid) - before - resting * seconds
            took += seconds
            last = len(watch.came)
            time.sleep(REST)
            opening.append(watch.gaps(first - 1, last + 1))
            after.append(watch.gaps(last, len(watch.came)))
        emit(
            f"Explore opened {what}",
            cpu_ms=1e3 * used / 4,
            took_ms=1e3 * took / 4,
            frames_meanwhile=opening,
            frames_after=after,
        )
    watch.stop()


def rest_cpu(ours: Server, seconds: float = 2.0) -> float:
    """Cores that the server uses with a page open and nothing asked of it."""
    before = cpu_seconds(ours.pid)
    time.sleep(seconds)
    return (cpu_seconds(ours.pid) - before) / seconds


def main() -> None:
    with server("--no-lsl") as ours:
        post(ours, "/api/sessions", {"custom_code": CODE})
        for path in ("/live", "/", "/calibrate"):
            cost_of_opening(ours, path)
        gaps_of_others(ours)
        exploring(ours)


if __name__ == "__main__":
    main()
