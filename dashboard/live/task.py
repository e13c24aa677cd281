"""Something that takes its time: a bar while it lasts, and a button that ends the waiting."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TypeVar

import panel as pn
from bokeh.document import Document
from panel.io.state import set_curdoc, state
from panel.viewable import Viewable

from dashboard.live.controls import attempt, button, flow
from engine.errors import DeckError
from sessions.refusals import Busy, NotDrawn, Soon

log = logging.getLogger(__name__)

T = TypeVar("T")
AGAIN = 1.0
"""Seconds after which something that is busy is asked again."""
PATIENCE = 60.0
"""Seconds in which it is; what is being made is waited for."""


class Task:
    """One at a time, in a thread; the document goes on meanwhile."""

    def __init__(self) -> None:
        self._running: asyncio.Task[None] | None = None
        self._bar = pn.indicators.Progress(active=True, value=-1, css_classes=["whole"])
        self._text = pn.widgets.StaticText(value="")
        self._stop = button("Stop", self.stop)
        self._view = flow(css_classes=["whole"])
        self._view.visible = False

    def view(self) -> Viewable:
        return self._view

    def start(self, text: str, work: Callable[[], T], done: Callable[[T], object]) -> None:
        """Call `work` in a thread, again while it is busy, and `done` with what comes of it.

        Without a text nobody is told.
        """
        self.stop()
        document = state.curdoc
        assert document is not None
        self._text.value = text
        self._view.param.update(
            objects=[self._text, self._stop, self._bar] if text else [], visible=bool(text)
        )
        self._running = asyncio.get_running_loop().create_task(self._run(document, work, done))

    def stop(self) -> None:
        """Wait no longer; what comes is dropped."""
        if self._running is not None:
            self._running.cancel()
            self._running = None
        self._view.param.update(objects=[], visible=False)

    async def _run(self, document: Document, work: Callable[[], T], done: Callable[[T], object]) -> None:
        found = asyncio.ensure_future(self._patiently(work))
        await asyncio.wait([found])
        task = asyncio.current_task()

        def finish() -> None:
            if task is not self._running:  # stopped, or another one was started meanwhile
                return
            with set_curdoc(document):
                self._running = None
                self._view.param.update(objects=[], visible=False)
                attempt(lambda: done(_result(found)), clear=False)

        document.add_next_tick_callback(finish)

    async def _patiently(self, work: Callable[[], T]) -> T:
        until = asyncio.get_running_loop().time() + PATIENCE
        while True:
            try:
                return await asyncio.to_thread(work)
            except Soon:  # it is on its way, and whoever waits has a button
                pass
            except Busy:
                if asyncio.get_running_loop().time() > until:
                    raise
            await asyncio.sleep(AGAIN)


def _result(found: asyncio.Future[T]) -> T:
    """What came of it; a fault of ours is for the log.

    Raises
    ------
    DeckError
    """
    error = found.exception()
    if error is not None and not isinstance(error, DeckError):
        log.error("A task of a page has failed", exc_info=error)
        raise NotDrawn("That has failed. The server's log says why.")
    return found.result()
