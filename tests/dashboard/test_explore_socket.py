"""Whoever has an Explore page's socket may send anything: nothing is told away."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.request import urlopen

import pytest
from websocket import WebSocket, create_connection

from plotters.arena import Arena
from tests.builders import small_recording
from tests.dashboard.conftest import Deck

SELECT = r'"name": "panel.models.widgets.CustomSelect", "id": "(\w+)"'


@pytest.fixture(scope="module")
def deck() -> Iterator[Deck]:
    made = Deck(small_recording(6, 400, n_trials=4), [Arena])
    yield made
    made.stop()


class Socket:
    """A page's socket, in Bokeh's protocol: a message is its header, metadata and content."""

    def __init__(self, deck: Deck) -> None:
        page = urlopen(f"{deck.url}/explore", timeout=20).read().decode()
        token = re.search(r'"token":"([^"]+)"', page)
        assert token
        self._socket: WebSocket = create_connection(
            f"ws://127.0.0.1:{deck.port}/explore/ws", timeout=20, subprotocols=["bokeh", token[1]]
        )
        assert self.read()[0]["msgtype"] == "ACK"
        self._numbers = iter(range(1000))
        self.send("PULL-DOC-REQ", {})
        _, pulled = self.read()
        self.models = re.findall(SELECT, json.dumps(pulled))

    def send(self, kind: str, content: object) -> None:
        header = {"msgid": str(next(self._numbers)), "msgtype": kind}
        for part in (header, {}, content):
            self._socket.send(json.dumps(part))

    def read(self) -> tuple[dict[str, Any], Any]:
        """The next message's header and content, without its buffers."""
        header, _, content = (json.loads(self._socket.recv()) for _ in range(3))
        for _ in range(2 * header.get("num_buffers", 0)):
            self._socket.recv()
        return header, content

    def change(self, model: str, name: str, value: object) -> None:
        change = {"kind": "ModelChanged", "model": {"id": model}, "attr": name, "new": value}
        self.send("PATCH-DOC", {"events": [change]})

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def socket(deck: Deck) -> Iterator[Socket]:
    made = Socket(deck)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("PATCH-DOC", {"events": [{"kind": "ModelChanged", "model": {"id": "p0"}, "attr": "x", "new": 1}]}),
        ("PATCH-DOC", {"events": [{"kind": "Nonsense"}]}),
        ("PATCH-DOC", {"events": 5}),
        ("PATCH-DOC", {}),
        ("PUSH-DOC", {"doc": 5}),
    ],
)
def test_what_goes_wrong_is_not_told_in_detail(socket: Socket, kind: str, content: object) -> None:
    socket.send(kind, content)
    header, answer = socket.read()
    while header["msgtype"] == "PATCH-DOC":  # the page's own, now that it counts as loaded
        header, answer = socket.read()
    assert header["msgtype"] == "ERROR"
    assert answer == {"text": "That could not be done. Load the page again.", "traceback": None}


def test_a_page_that_never_said_that_it_has_loaded_is_drawn_as_others_are(socket: Socket) -> None:
    socket.change(socket.models[0], "value", "unit 2")
    while '"image"' not in json.dumps(socket.read()):
        pass


def test_a_choice_that_was_not_offered_is_not_taken_and_the_next_one_works(socket: Socket) -> None:
    unit = socket.models[0]
    socket.change(unit, "value", "<b>none</b>")
    socket.change(unit, "value", "unit 1")
    said = ""
    while '"OK"' not in said:
        said += json.dumps(socket.read())
    assert "Traceback" not in said


@pytest.mark.parametrize("path", ["/explore/ws", "/wall/ws"])
@pytest.mark.parametrize("shown", [None, ["bokeh", "x"], ["bokeh", "W10"], ["bokeh", "e30"], ["nope", "x"]])
def test_who_shows_no_token_of_a_page_is_let_go_without_a_traceback(
    deck: Deck, caplog: pytest.LogCaptureFixture, path: str, shown: list[str] | None
) -> None:
    socket = create_connection(f"ws://127.0.0.1:{deck.port}{path}", timeout=20, subprotocols=shown)
    opcode, _ = socket.recv_data()
    socket.shutdown()  # the server has closed it
    assert opcode == 8
    assert not [record for record in caplog.records if record.exc_info]
