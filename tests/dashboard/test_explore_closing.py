"""What an Explore page leaves behind: nothing."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import weakref

import pytest

from dashboard.explore import explore_application, page
from dashboard.explore.explorer import Explorer
from dashboard.explore.study import Study
from dashboard.panel_thread import PanelThread
from sessions.store import Store
from tests.builders import small_recording


def test_a_closed_page_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = threading.Event()

    class Watched(Explorer):
        def __init__(self, study: Study) -> None:
            super().__init__(study)
            weakref.finalize(self, gone.set)

    monkeypatch.setattr(page, "Explorer", Watched)
    thread = PanelThread(
        {"/explore": explore_application(Store({"small": small_recording(6, 4000, n_trials=40)}))},
        check_unused_sessions_milliseconds=50,
        unused_session_lifetime_milliseconds=50,
    )
    thread.start()

    async def visit() -> bytes:
        stream = thread.connect("127.0.0.1")
        await stream.write(b"GET /explore HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        return bytes(await stream.read_until_close())

    assert b"Explore small" in asyncio.run(visit())
    until = time.monotonic() + 30
    while not gone.wait(0.05) and time.monotonic() < until:
        gc.collect()  # pages are cycles: how soon one is looked for depends on what else is made
    thread.stop()
    assert gone.is_set()
