"""A page that was made before anybody asked is what a visitor gets, as if it had been made for him."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Iterator

import pytest

from dashboard import panel_thread
from dashboard.explore import explore_application, page
from dashboard.explore.explorer import Explorer
from dashboard.explore.study import Study
from dashboard.panel_thread import PanelThread
from sessions.store import Store
from tests.builders import small_recording
from tests.engine.listening import wait_until


class Port:
    """An Explore of two recordings that notes which explorers it makes; a spare one is there."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.quiet, self.asked = threading.Event(), threading.Event()
        self.made: list[weakref.ref[Explorer]] = []
        made = self.made

        class Noted(Explorer):
            def __init__(self, study: Study) -> None:
                super().__init__(study)
                made.append(weakref.ref(self))

        monkeypatch.setattr(page, "Explorer", Noted)
        monkeypatch.setattr(panel_thread, "SOON", 0.0)
        store = Store(
            {name: small_recording(6, 400, n_trials=4, name=name) for name in ("first", "second")}
        )
        self.thread = PanelThread(
            {"/explore": explore_application(store)},
            quiet=self._is_quiet,
            check_unused_sessions_milliseconds=50,
            unused_session_lifetime_milliseconds=50,
        )
        self.thread.start()

    def _is_quiet(self) -> bool:
        self.asked.set()
        return self.quiet.is_set()

    def wait(self) -> None:
        """Until the page is made: from there on the loop has it before it answers anybody."""
        self.quiet.set()
        wait_until(lambda: bool(self.made))

    def visit(self, query: str = "") -> str:
        """The page that answers."""

        async def get() -> bytes:
            stream = self.thread.connect("127.0.0.1")
            head = f"GET /explore{query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            await stream.write(head.encode())
            return bytes(await stream.read_until_close())

        return asyncio.run(get()).decode()


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[Port]:
    made = Port(monkeypatch)
    made.wait()
    yield made
    made.thread.stop()


def test_none_is_made_while_somebody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    port = Port(monkeypatch)
    for _ in range(3):
        port.asked.clear()
        assert port.asked.wait(30)
    assert not port.made
    port.wait()
    port.thread.stop()


def test_the_first_visitor_gets_it_with_what_his_address_asks_for(port: Port) -> None:
    explorer = port.made[0]()
    assert explorer is not None
    assert "Explore first" in port.visit("?trials=2&unit=3")
    assert len(port.made) == 1
    assert explorer.controls.trials == "2"
    assert explorer.controls.unit == 3
    assert "Explore first" in port.visit()
    assert len(port.made) == 2


def test_who_asks_for_another_recording_or_a_session_by_name_gets_his_own(port: Port) -> None:
    assert "Explore second" in port.visit("?recording=second")
    assert "Explore first" in port.visit("?bokeh-session-id=mine")
    assert len(port.made) == 3


def test_it_stays_until_somebody_comes_and_is_forgotten_when_he_has_gone(port: Port) -> None:
    port.visit("?recording=second")  # nobody connects, so it is forgotten at the next look
    wait_until(lambda: gc.collect() >= 0 and port.made[1]() is None)
    assert port.made[0]() is not None
    assert "Explore first" in port.visit()
    assert len(port.made) == 2
    wait_until(lambda: gc.collect() >= 0 and port.made[0]() is None)


def test_an_address_that_asks_for_nonsense_is_told_so(port: Port) -> None:
    explorer = port.made[0]()
    assert explorer is not None
    assert "Explore first" in port.visit("?unit=99&event=lunch")
    assert "The address asks for what this recording does not have" in explorer.message
