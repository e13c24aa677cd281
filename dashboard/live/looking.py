"""A session's page for those who can only look: its plots and scores, and no control."""

from __future__ import annotations

from markupsafe import Markup

from dashboard import theme
from dashboard.documents import Page, Visit
from dashboard.layout import grid
from dashboard.live.application import LivePages
from dashboard.live.page import Parts
from dashboard.templates import script_json, templates
from plotters import suited
from plotters.marks import MARKS
from plotters.scored import Scored
from sessions.awaited import StillWaits
from sessions.refusals import UnknownSession


class LookingPages:
    """Makes these pages.

    Parameters
    ----------
    parts : Parts
        What the pages of all sessions share.
    live : LivePages
        Whose figures these are, too.
    """

    def __init__(self, parts: Parts, live: LivePages) -> None:
        self._parts = parts
        self._live = live
        self._templates = templates(parts.mount)

    def __call__(self, visit: Visit) -> Page:
        """One session, or that there is none."""
        code = visit.asked.get("session", "")
        try:
            session = self._parts.context.store.get(code)
        except (UnknownSession, StillWaits):
            return Page(
                self._templates.get_template("look/absent.html"),
                {"code": code, "looking": True},
                status=404,
            )
        recording = session.description
        plotters = suited(self._parts.plotters, recording)
        figures = self._live.figures_of(recording)
        variables = {
            "code": code,
            "recording": recording,
            "plots": figures.shown,
            "of_decoders": [plotter.name for plotter in plotters if issubclass(plotter, Scored)],
            "n_marks": len(MARKS),
            "roots": {},
            "looking": True,
            "waits": "The first bin appears here.",
            "places": Markup(grid(plotters, controls=False)),
            "deck": script_json({"session": code, "scene": figures.scene_id, "roles": theme.roles()}),
            "figures": figures.documents,
        }
        return Page(self._templates.get_template("look/session.html"), variables)
