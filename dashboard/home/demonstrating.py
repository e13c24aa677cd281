"""A scene to look at in one click: a session that plays, and two decoders that compete in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import panel as pn
from panel.viewable import Viewable

from dashboard.live.controls import button
from dashboard.live.task import Task
from engine.errors import DeckError
from sessions.rest.context import Context
from sessions.rest.launching import start_decoder
from sessions.rest.lifecycle import create_session
from sessions.rest.models.sessions import Created
from sessions.rest.reading import checked
from sessions.rest.requests import Create, DecoderAsk

COMPETING: Final = ("wiener", "kalman")
CANNOT: Final = "No demo: this server starts no decoders. Make a session, and connect your own."


class Demonstrating:
    """Makes the scene, and opens its page.

    Parameters
    ----------
    context : Context
        The server, as the visitor sees it.
    opened : function
        Called with what was made.
    """

    def __init__(self, context: Context, opened: Callable[[Created], None]) -> None:
        self._context = context
        self._opened = opened
        self._task = Task()

    def view(self) -> Viewable:
        """A button, or why there is none."""
        if self._context.launcher is None:
            return pn.widgets.StaticText(value=CANNOT, css_classes=["count"])
        return button("Demo", self._make)

    def waiting(self) -> Viewable:
        """What is there while it is made."""
        return self._task.view()

    def _make(self) -> None:
        self._task.start(
            "Starting two decoders \N{HORIZONTAL ELLIPSIS}",
            lambda: demonstrate(self._context),
            self._opened,
        )


def demonstrate(context: Context) -> Created:
    """Make a session of the first recording, start its decoders, and let it play.

    Raises
    ------
    DeckError
        If one of these cannot be; then nothing of it is left.
    """
    made = create_session(context, checked(Create, {}))
    try:
        for decoder in COMPETING:
            start_decoder(context, made.session_code, DecoderAsk(decoder=decoder))
        context.session(made.session_code).replay.resume()
    except DeckError:
        context.store.delete(made.session_code, force=True)
        raise
    return made
