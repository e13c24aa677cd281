"""A link that can only look at this session: made, shown, and put on the clipboard."""

from __future__ import annotations

import panel as pn
from panel.io.state import state
from panel.viewable import Viewable

from dashboard.live.controls import button, stack
from dashboard.notices import Notices
from sessions.rest.context import Context


class Sharing:
    """A button, and the address once it is asked for.

    Parameters
    ----------
    context : Context
        The server, as the visitor sees it.
    code : str
        Of the session.
    """

    def __init__(self, context: Context, code: str) -> None:
        self._context = context
        self._code = code
        self._address = pn.widgets.StaticText(value="", css_classes=["address"], visible=False)

    def view(self) -> Viewable:
        return stack(button("Copy a link that can only look", self._copy), self._address)

    def _copy(self) -> None:
        """The same link each time, until it is revoked."""
        address = self._context.look(self._context.links.to(self._code))
        self._address.param.update(value=address, visible=True)
        if isinstance(state.notifications, Notices):
            state.notifications.copy(address)
