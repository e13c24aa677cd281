"""One open page of a hand: its controls, which follow the session."""

from __future__ import annotations

import asyncio

from bokeh.document import Document
from panel.io.state import set_curdoc, state
from panel.viewable import Viewable

from dashboard.drive.controls import Losing, Playing, Starting
from dashboard.drive.keeping import Keeping
from dashboard.live.controls import Controls
from dashboard.live.decoders import Decoders
from dashboard.live.driving import Driving
from dashboard.notices import notices
from sessions.rest.context import Context
from sessions.session import Session
from sessions.watching import watchers


class DrivePage:
    """The Panel objects of a page, and what moves them. Lives as long as its document.

    Parameters
    ----------
    session : Session
        Of a closed loop.
    context : Context
        The server, as the visitor sees it.
    mount : str
        Path under which a proxy has the pages.
    """

    def __init__(self, session: Session, context: Context, mount: str) -> None:
        self._session = session
        self._document: Document | None = None
        self._waiting = False
        self._starting = Starting(context, mount, session.description.name)
        self._controls: dict[str, Controls] = {
            "playing": Playing(session),
            "driving": Driving(session),
            "decoders": Decoders(session, context.launcher),
            "losing": Losing(session),
            "keeping": Keeping(session, context),
        }

    def roots(self) -> dict[str, Viewable]:
        """By the names that the template has for them."""
        return {
            **{name: each.view() for name, each in self._controls.items()},
            "starting": self._starting.view(),
            "notices": notices(),
        }

    def join(self, document: Document) -> None:
        """Follow the session from now on; on the document's event loop."""
        self._document = document
        self._watchers = watchers(self._session, asyncio.get_running_loop())
        self._watchers.add(self._tell)
        self._tell()

    def leave(self) -> None:
        """Follow it no more."""
        self._watchers.remove(self._tell)

    def _tell(self) -> None:
        if self._document is not None and not self._waiting:
            self._waiting = True
            self._document.add_next_tick_callback(self._follow)

    def _follow(self) -> None:
        self._waiting = False
        with set_curdoc(self._document):
            if not state.loaded:  # what a page is told before it has loaded, Panel loses
                state.onload(self._tell)
                return
            for each in self._controls.values():
                each.follow()
