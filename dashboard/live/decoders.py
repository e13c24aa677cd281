"""Decoders that run beside the server: start, stop, and how they do."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from html import escape
from typing import Any
from urllib.parse import quote

import panel as pn
import param
from bokeh.document import Document
from markupsafe import Markup
from panel.io.state import set_curdoc, state
from panel.viewable import Viewable

from dashboard.live.controls import Controls, attempt, button, flow, stack
from engine.decoders import DECODERS
from engine.errors import NotNow
from sessions.launcher import Launcher
from sessions.session import Session

USUAL = "kalman"
LINE = Markup('{} <a href="{}" target="_blank" aria-label="Log of {}">Log</a>')
"""What a process has said last, which is no markup, and all of it."""


class Decoders(Controls):
    """Starts and stops them.

    Parameters
    ----------
    session : Session
    launcher : Launcher, optional
    mount : str
        Path under which a proxy has the dashboard.
    """

    decoder: Any = param.Selector(default=USUAL, objects=[USUAL], label="Decoder")

    def __init__(self, session: Session, launcher: Launcher | None, mount: str) -> None:
        self._launcher = launcher
        self._mount = mount
        self._rows: dict[str, Row] = {}
        self._list = stack(css_classes=["started"])
        super().__init__(session)

    def declare(self) -> None:
        self.param.decoder.objects = {name.replace("_", " "): name for name in DECODERS}

    def follow(self) -> None:
        started = self.session.launched.decoders
        for name, each in started.items():
            if name not in self._rows:
                self._rows[name] = Row(name, self)
            self._rows[name].show(each.state, each.line)
        self._rows = {name: row for name, row in self._rows.items() if name in started}
        shown = [row.view for row in self._rows.values()]
        if shown != self._list.objects:
            self._list.objects = shown

    def view(self) -> Viewable:
        start = button("Start", self._start, primary=True)
        return stack(flow(pn.widgets.Select.from_param(self.param.decoder), start), self._list)

    def write(self, changes: Mapping[str, Any]) -> None:
        """Nothing: the button does it."""

    def _start(self) -> None:
        if self._launcher is None:
            raise NotNow("This server starts no decoders. Run serve.py decode yourself.")
        self._launcher.start(self.session.launched, self.session.code, self.decoder)
        self.follow()

    def log(self, name: str) -> str:
        """Address of all that a decoder has said."""
        path = f"/api/sessions/{quote(self.session.code, safe='')}/decoders/{quote(name, safe='')}/log"
        return f"{self._mount}{path}"

    def stop(self, name: str) -> None:
        """End a decoder, which takes a moment, or forget one that has ended."""
        document: Document | None = state.curdoc
        assert document is not None

        async def end() -> None:
            result = asyncio.ensure_future(asyncio.to_thread(self.session.launched.stop, name))
            await asyncio.wait([result])
            document.add_next_tick_callback(lambda: tell(result))

        def tell(result: asyncio.Future[None]) -> None:
            with set_curdoc(document):
                attempt(result.result)
                self.follow()

        self._ending = asyncio.get_running_loop().create_task(end())


class Row:
    """One started decoder; the same while it is there, so that the keyboard's focus stays."""

    def __init__(self, name: str, decoders: Decoders) -> None:
        self._name, self._log = name, decoders.log(name)
        self._state = pn.widgets.StaticText(css_classes=["state"])
        self._line = pn.widgets.StaticText(css_classes=["line"])
        self._bar = pn.indicators.Progress(active=True, value=-1)
        self._end = button("Stop", lambda: decoders.stop(name))
        title = pn.widgets.StaticText(value=escape(name.replace("_", " ")), css_classes=["what"])
        self.view = flow(title, self._state, self._end, self._bar, self._line)

    def show(self, state: str, line: str) -> None:
        alive = state in ("fitting", "running")
        self.view.css_classes = ["flow", "decoder", state]
        self._state.value = state
        self._line.value = LINE.format(line, self._log, self._name)
        self._bar.visible = state == "fitting"
        self._end.label = f"{'Stop' if alive else 'Remove'} {self._name.replace('_', ' ')}"
