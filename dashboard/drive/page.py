"""One open page of a hand: its controls, which follow the session."""

from __future__ import annotations

from panel.viewable import Viewable

from dashboard.drive.controls import Losing, Playing, Starting
from dashboard.drive.keeping import Keeping
from dashboard.following import FollowingPage, FollowingSession
from dashboard.live.controls import Controls
from dashboard.live.decoders import Decoders
from dashboard.live.driving import Driving
from dashboard.notices import notices
from sessions.rest.context import Context
from sessions.session import Session


class DrivePage(FollowingPage):
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
        super().__init__(FollowingSession(session))
        self._starting = Starting(context, mount, session.description.name)
        self._controls: dict[str, Controls] = {
            "playing": Playing(session),
            "driving": Driving(session),
            "decoders": Decoders(session, context.launcher, mount),
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

    def follow(self) -> None:
        """Show what there is now; called with the document's lock."""
        for each in self._controls.values():
            each.follow()
