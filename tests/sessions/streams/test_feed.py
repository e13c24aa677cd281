from __future__ import annotations

import asyncio
import gc
import json
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
import websocket
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application

from engine.bins import clock
from engine.bins.schema import Rows
from sessions.links import Links
from sessions.refusals import UnknownSession
from sessions.session import Session
from sessions.store import Store
from sessions.streams.feed import MAX_UNSEEN, SEEN, feeds
from sessions.streams.feed_socket import FeedHandler
from tests.builders import small_recording


class Lister:
    """Frames that list the sequence numbers they are about."""

    bins_per_column = 2
    n_bins = 40

    def __init__(self, session: Session) -> None:
        self.session = session
        self.view = session.view
        self.seen: list[int] = []
        self.looked_at = False

    def begin(self) -> None:
        self.looked_at = True

    def end(self) -> None:
        self.looked_at = False

    def renew(self) -> bool:
        before, self.view = self.view, self.session.view
        return self.view is not before

    def update(self, rows: Rows) -> bytes:
        new = rows["sequence_number"].tolist()
        self.seen = [*self.seen, *new][-self.n_bins :]
        return json.dumps({"rows": new}).encode()

    def start(self) -> bytes:
        return json.dumps({"start": True, "rows": self.seen}).encode()


class Broken(Lister):
    def update(self, _: Rows) -> bytes:
        raise ZeroDivisionError


class Heavy(Lister):
    def update(self, _: Rows) -> bytes:
        return bytes(1024 * 1024)


class Served:
    """A store and its feed on an event loop in a thread."""

    def __init__(self) -> None:
        self.store = Store({"small": small_recording(n_bins=4000)})
        self.made = 0
        self.maker: type[Lister] = Lister
        self.loop = asyncio.new_event_loop()
        [socket] = bind_sockets(0, "127.0.0.1")
        self.port = socket.getsockname()[1]
        make_feed = feeds(self._make)
        rules = [
            (r"/feed/(.+)", FeedHandler, {"store": self.store, "make_feed": make_feed, "links": Links()})
        ]

        async def listen() -> HTTPServer:
            server = HTTPServer(Application(rules))
            server.add_sockets([socket])
            return server

        self._server = self.loop.run_until_complete(listen())
        self._viewers: list[websocket.WebSocket] = []
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()

    def _make(self, session: Session) -> Lister:
        self.made += 1
        return self.maker(session)

    def connect(self, code: str, **options: object) -> websocket.WebSocket:
        url = f"ws://127.0.0.1:{self.port}/feed/{code}"
        self._viewers.append(websocket.create_connection(url, timeout=5, **options))
        return self._viewers[-1]

    def close(self) -> None:
        for viewer in self._viewers:
            viewer.shutdown()  # unlike close, also after the server has said goodbye
        self.store.close()
        self._server.stop()
        asyncio.run_coroutine_threadsafe(self._server.close_all_connections(), self.loop).result(5)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


@pytest.fixture
def served() -> Iterator[Served]:
    made = Served()
    yield made
    made.close()


def frame(socket: websocket.WebSocket) -> dict[str, list[int]]:
    return json.loads(socket.recv())


def audience_size(session: Session) -> int:
    return sum(audience.size for audience in session.audiences)


def eventually(true: Callable[[], bool], within: float = 5.0) -> None:
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)


def test_viewers_get_every_bin_once_and_in_order(served: Served) -> None:
    session = served.store.create("one")
    viewers = [served.connect("one") for _ in range(3)]
    for viewer in viewers:
        assert frame(viewer) == {"start": True, "rows": []}
    session.replay.resume()
    for viewer in viewers:
        seen: list[int] = []
        while len(seen) < 30:
            seen += frame(viewer)["rows"]
        assert seen == list(range(len(seen)))
        viewer.close()
    assert served.made == 1


def test_a_frame_holds_whole_columns(served: Served) -> None:
    session = served.store.create("whole")
    session.replay.set_speed(10)
    session.replay.resume()
    viewer = served.connect("whole")
    for _ in range(20):
        assert len(frame(viewer)["rows"]) % Lister.bins_per_column == 0
    viewer.close()


def test_a_late_viewer_starts_with_what_is_on_screen(served: Served) -> None:
    session = served.store.create("late")
    session.replay.set_speed(100)
    session.replay.resume()
    eventually(lambda: session.ring.head > 2 * Lister.n_bins)
    viewer = served.connect("late")
    start = frame(viewer)
    assert start["start"]
    assert len(start["rows"]) == Lister.n_bins
    session.replay.pause()
    seen = start["rows"]
    while seen[-1] < session.ring.head - Lister.bins_per_column:
        seen += frame(viewer)["rows"]
    assert seen == list(range(seen[0], seen[-1] + 1))
    viewer.close()


def test_at_speed_max_frames_stay_few_and_no_larger_than_the_screen(served: Served) -> None:
    session = served.store.create("max")
    session.replay.set_speed("max")
    viewer = served.connect("max")
    session.replay.resume()
    begin, rows = time.monotonic(), [frame(viewer)["rows"] for _ in range(30)]
    assert time.monotonic() - begin > 30 / 60
    assert max(map(len, rows)) == Lister.n_bins
    viewer.close()


def test_a_viewer_that_confirms_nothing_gets_no_backlog_and_starts_anew_when_it_does(
    served: Served,
) -> None:
    session = served.store.create("slow")
    viewer, other = served.connect("slow"), served.connect("slow")
    session.replay.resume()
    for i in range(1, MAX_UNSEEN + 2 * SEEN):
        frame(other)
        if i % SEEN == 0:
            other.send('{"seen": true}')
    for _ in range(MAX_UNSEEN):
        frame(viewer)
    for _ in range(MAX_UNSEEN // SEEN):
        viewer.send('{"seen": true}')
    assert frame(viewer).get("start")
    assert "start" not in frame(viewer)
    viewer.close()
    other.close()


def test_a_quiet_session_sends_heartbeats(served: Served) -> None:
    served.store.create("quiet")
    viewer = served.connect("quiet")
    assert frame(viewer)["start"]
    assert frame(viewer) == {"rows": []}
    assert frame(viewer) == {"rows": []}
    viewer.close()


def test_a_change_of_the_view_starts_everyone_anew_even_while_paused(served: Served) -> None:
    session = served.store.create("viewed")
    viewers = [served.connect("viewed") for _ in range(2)]
    session.replay.resume()
    for viewer in viewers:
        assert frame(viewer)["start"]
        while not frame(viewer)["rows"]:
            pass
    session.replay.pause()
    session.change_view({"order": "rate"})
    for viewer in viewers:
        while "start" not in (news := frame(viewer)):
            pass
        assert news["rows"] == list(range(len(news["rows"])))
        assert "start" not in frame(viewer)
        viewer.close()


def test_a_page_is_told_the_servers_time(served: Served) -> None:
    served.store.create("clock")
    viewer = served.connect("clock")
    before = time.time()
    viewer.send('{"clock": 12.5}')
    answer = frame(viewer)
    while "clock" not in answer:
        answer = frame(viewer)
    assert answer["clock"] == 12.5
    assert before <= answer["now"] <= time.time()
    viewer.close()


def test_a_page_that_asks_and_never_reads_is_not_read_from_either(served: Served) -> None:
    session = served.store.create("clock")
    viewer = served.connect("clock")
    viewer.settimeout(0.5)
    question = json.dumps({"clock": "x" * 900})

    def ask() -> None:
        for _ in range(100_000):  # 90 MB, many times what kernels keep
            viewer.send(question)

    with pytest.raises(websocket.WebSocketTimeoutException):
        ask()
    assert audience_size(session) == 1


def test_a_page_that_claims_to_see_what_it_does_not_read_is_cut_off(
    served: Served,
) -> None:
    served.maker = Heavy
    session = served.store.create("liar")
    viewer = served.connect("liar")
    session.replay.resume()

    def cut() -> bool:
        with suppress(OSError):
            viewer.send('{"seen": true}')
        return audience_size(session) == 0

    eventually(cut, 30.0)


def closing(viewer: websocket.WebSocket) -> tuple[int, str]:
    while True:
        opcode, data = viewer.recv_data(control_frame=True)
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            return int.from_bytes(data[:2], "big"), data[2:].decode()


def test_an_unknown_session_is_told_by_the_close_code(served: Served) -> None:
    code, reason = closing(served.connect("nobody"))
    assert code == 4404
    assert "nobody" in reason


def test_a_deleted_session_closes_its_viewers(served: Served) -> None:
    served.store.create("gone")
    viewer = served.connect("gone")
    frame(viewer)
    served.store.delete("gone")
    assert closing(viewer)[0] == 1000


def test_a_session_has_room_for_so_many_pages(served: Served) -> None:
    served.store.limits.max_clients = 2
    session = served.store.create("full")
    pages = [served.connect("full") for _ in range(2)]
    code, reason = closing(served.connect("full"))
    assert (code, reason) == (1013, "More pages watch session full than may.")
    assert audience_size(session) == len(pages)


def test_nobody_watches_a_session_that_has_just_been_deleted(served: Served) -> None:
    session = served.store.create("gone")
    served.store.delete("gone")
    with pytest.raises(UnknownSession):
        session.audience(feeds(Lister), served.loop)


@pytest.mark.parametrize("message", ["no json", "[1]"])
def test_a_message_that_is_none_ends_the_connection(served: Served, message: str) -> None:
    served.store.create("rude")
    viewer = served.connect("rude")
    viewer.send(message)
    assert closing(viewer)[0] == 1008


def test_a_message_that_is_too_large_ends_the_connection(served: Served) -> None:
    served.store.create("large")
    viewer = served.connect("large")
    viewer.send('{"seen": "' + "x" * 2000 + '"}')
    assert closing(viewer)[0] == 1009


def test_a_page_of_another_host_is_refused(served: Served) -> None:
    served.store.create("own")
    with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
        served.connect("own", origin="http://elsewhere.example")


def test_a_plotter_that_fails_is_logged_and_closes_the_page(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    served.maker = Broken
    served.store.create("broken")
    assert closing(served.connect("broken"))[0] == 1011
    assert "ZeroDivisionError" in caplog.text


def test_viewers_keep_a_session_alive_and_leave_nothing_behind(served: Served) -> None:
    session = served.store.create("watched")
    for _ in range(20):
        viewer = served.connect("watched")
        frame(viewer)
        assert session.listened_to
        viewer.close()
        eventually(lambda: not session.listened_to)
    assert audience_size(session) == 0
    session.replay.resume()
    eventually(lambda: session.ring.head > 5)
    assert served.made == 1


def test_session_is_freed_when_its_last_page_has_gone(served: Served) -> None:
    ring = weakref.ref(served.store.create("deck").ring)
    page = served.connect("deck")
    frame(page)
    gc.collect()
    gc.disable()
    try:
        served.store.delete("deck")
        with suppress(websocket.WebSocketException):
            while page.recv_data()[0] != 8:
                pass
        page.close()
        deadline = threading.Event()
        end = clock.now() + 20.0
        while ring() is not None and clock.now() < end:
            deadline.wait(0.02)  # the server's loop lets go of it when it has heard the goodbye
        assert ring() is None
    finally:
        gc.enable()
