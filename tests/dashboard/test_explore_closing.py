"""What an Explore page leaves behind: nothing."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import weakref
from typing import Any

import pytest
from bokeh.client import pull_session

from dashboard import build_server, close_server
from dashboard.explore import application
from dashboard.explore.page import ExplorePage
from sessions.gate import Rules
from sessions.rest.context import Context
from sessions.store import Store
from tests.builders import small_recording


def test_a_closed_page_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    gone, made = threading.Event(), []

    class Watched(ExplorePage):
        def join(self, document: Any) -> None:
            super().join(document)
            made.append(weakref.ref(self))
            weakref.finalize(document, gone.set)

    monkeypatch.setattr(application, "ExplorePage", Watched)

    async def scenario() -> None:
        server = build_server(
            Context(Store({"small": small_recording(6, 4000, n_trials=40)}), 0, 0),
            port=0,
            address="127.0.0.1",
            gate=Rules(),
            check_unused_sessions_milliseconds=50,
            unused_session_lifetime_milliseconds=50,
        )
        server.start()

        def visit() -> None:
            with pull_session(url=f"http://127.0.0.1:{server.port}/explore") as session:
                assert session.document.roots[0].told["count"] == "All 40 trials"

        await asyncio.to_thread(visit)
        until = time.monotonic() + 20
        while not gone.is_set() and time.monotonic() < until:
            await asyncio.sleep(0.05)
            gc.collect()  # pages are cycles: how soon one is looked for depends on what else is made
        assert gone.is_set()
        await close_server(server)

    asyncio.run(scenario())
    assert [page() for page in made] == [None]
