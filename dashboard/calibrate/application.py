"""What Panel's server runs at ``/calibrate``."""

from __future__ import annotations

from typing import Any

from dashboard.calibrate.guiding import loops
from dashboard.calibrate.page import CalibratePage
from dashboard.calibrate.results import back
from dashboard.documents import Page, Visit
from dashboard.following import Following
from dashboard.templates import templates
from sessions.calibrations import KEPT
from sessions.codes import CODE
from sessions.rest.context import Context

PERIOD = 0.4
"""Seconds between looks at the runs."""


class CalibratePages:
    """Makes Calibrate pages: ``/calibrate?session=CODE&recording=NAME``.

    Parameters
    ----------
    context : Context
        The server.
    mount : str
        Path under which a proxy has the pages.
    """

    def __init__(self, context: Context, mount: str) -> None:
        self._context = context
        self._mount = mount
        self._following = Following(self._runs, PERIOD)
        self._template = templates(mount).get_template("calibrate.html")

    def __call__(self, visit: Visit) -> Page:
        """Runs of this server, and a form for another."""
        session = visit.asked.get("session", "")
        asked = {**visit.asked, "session": session if CODE.fullmatch(session) else ""}
        page = CalibratePage(visit.context(self._context), self._mount, asked, self._following)
        variables: dict[str, Any] = {
            "kept": KEPT,
            "back": back(self._mount, asked["session"]) if asked["session"] else "",
        }
        return Page(self._template, variables, page.roots(), joined=page.join, left=page.leave)

    def _runs(self) -> list[Any]:
        runs = self._context.calibrations or ()
        guided = [(code, each.guided) for code, each in loops(self._context).items()]
        return [
            *((run.number, run.state, len(run.scores), run.step) for run in runs),
            *((code, run and (run.state, len(run.blocks), run.n_done)) for code, run in guided),
        ]
