"""What Panel's server runs at ``/drive?session=CODE``."""

from __future__ import annotations

from dashboard import theme
from dashboard.documents import Page, Visit
from dashboard.drive.controls import Starting
from dashboard.drive.page import DrivePage
from dashboard.drive.words import LEGS
from dashboard.notices import notices
from dashboard.plots import Figures
from dashboard.templates import script_json, templates
from engine.sources.user.source import SimulatedUser
from plotters.arena import Arena
from plotters.base import Plotter
from sessions.awaited import StillWaits
from sessions.refusals import UnknownSession
from sessions.rest.context import Context


class DrivePages:
    """Makes the pages of hands.

    Parameters
    ----------
    context : Context
        The server.
    mount : str
        Path under which a proxy has the pages.
    plotters : tuple of Plotter types
        Of the live page, whose feed this one shares.
    """

    def __init__(self, context: Context, mount: str, plotters: tuple[type[Plotter], ...]) -> None:
        self._context = context
        self._mount = mount
        self._plotters = plotters
        self._templates = templates(mount)

    def __call__(self, visit: Visit) -> Page:
        """A session to steer, or the offer to make one."""
        context, code = visit.context(self._context), visit.asked.get("session", "")
        try:
            session = self._context.store.get(code)
        except StillWaits as waits:
            waiting = self._templates.get_template("waiting.html")
            return Page(waiting, {"code": code, "said": str(waits)})
        except UnknownSession:
            return self._offer(
                context, code, f"There is no session {code[:64]}." if code else "", 404 if code else 200
            )
        source = session.replay.source
        if not isinstance(source, SimulatedUser):
            return self._offer(
                context, code, f"Session {code} plays a recording, which nobody can steer.", 409
            )
        figures = Figures(session.description, self._plotters, only=Arena)
        page = DrivePage(session, context, self._mount)
        variables = {
            "code": code,
            "description": session.description,
            "task": source.task,
            "user": source.user,
            "person": source.hand is not None,
            "legs": LEGS,
            "deck": script_json({"session": code, "scene": figures.scene_id, "roles": theme.roles()}),
            "figures": figures.documents,
        }
        template = self._templates.get_template("drive.html")
        return Page(template, variables, page.roots(), joined=page.join, left=page.leave)

    def _offer(self, context: Context, code: str, why: str, status: int) -> Page:
        roots = {"starting": Starting(context, self._mount).view(), "notices": notices()}
        template = self._templates.get_template("drive_offer.html")
        return Page(template, {"code": code, "why": why}, roots, status=status)
