"""Panel applications on a loop of their own: they stop nobody, and are reached as all pages are."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import panel as pn
import pytest
from bokeh.document import Document
from bokeh.io.doc import curdoc, patch_curdoc

from dashboard import build_server, close_server
from sessions.gate import Rules
from sessions.rest.context import Context
from sessions.store import Store
from tests.builders import small_recording


class Port:
    """A dashboard whose application at ``/slow`` waits until it is let go on."""

    def __init__(self) -> None:
        self.entered, self.go_on, self.up = threading.Event(), threading.Event(), threading.Event()
        self.visits: list[Any] = []
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._thread.start()
        assert self.up.wait(30)

    def visit(self) -> pn.Column:
        request = pn.state.curdoc.session_context.request
        self.visits.append((threading.current_thread().name, request.remote_ip, request.protocol))
        self.entered.set()
        assert self.go_on.wait(30)
        return pn.Column("made")

    async def _serve(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        server = build_server(
            Context(Store({"small": small_recording()}), 0, 0),
            port=0,
            address="127.0.0.1",
            gate=Rules(),
            applications={"/slow": self.visit},
        )
        server.start()
        self.url = f"http://127.0.0.1:{server.port}"
        self.up.set()
        await self._stopping.wait()
        await close_server(server)

    def stop(self) -> None:
        self.go_on.set()
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()


@pytest.fixture
def port() -> Iterator[Port]:
    made = Port()
    yield made
    made.stop()


def ask(url: str, **headers: str) -> tuple[Any, bytes]:
    """Headers and body of the answer."""
    with urlopen(Request(url, headers=headers), timeout=30) as answer:
        return answer.headers, answer.read()


def test_an_application_that_computes_stops_no_other_page(port: Port) -> None:
    answers: list[Any] = []
    visiting = threading.Thread(target=lambda: answers.append(ask(f"{port.url}/slow")))
    visiting.start()
    assert port.entered.wait(30)
    assert b"PhantomDeck" in ask(port.url)[1]
    assert not answers
    port.go_on.set()
    visiting.join()
    assert b"application/json" in answers[0][1]


def test_an_application_knows_its_visitor_whatever_he_says(port: Port) -> None:
    port.go_on.set()
    ask(f"{port.url}/slow", **{"X-Real-Ip": "10.1.1.1", "X-Forwarded-For": "10.1.1.1", "X-Scheme": "https"})
    assert port.visits == [("panel", "127.0.0.1", "http")]


def test_answers_of_applications_have_the_gate_s_headers(port: Port) -> None:
    port.go_on.set()
    headers, _ = ask(f"{port.url}/slow")
    assert headers["X-Frame-Options"] == "SAMEORIGIN"
    assert headers.get_all("Content-Type") == ["text/html"]
    with pytest.raises(HTTPError) as refused:
        ask(f"{port.url}/slow/ws")
    refused.value.close()
    assert refused.value.code == 400


def test_each_thread_has_a_current_document_of_its_own() -> None:
    ours, theirs = Document(), Document()
    found: list[Document] = []

    def other() -> None:
        with patch_curdoc(theirs):
            found.append(curdoc())

    with patch_curdoc(ours):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert curdoc() is ours
    assert found == [theirs]

    def bare() -> None:
        found.append(curdoc())

    with patch_curdoc(ours):
        thread = threading.Thread(target=bare)
        thread.start()
        thread.join()
    assert found[1] is not ours
