"""What Panel's server runs at ``/runs``."""

from __future__ import annotations

from markupsafe import Markup

from dashboard.documents import Page, Visit
from dashboard.following import Following
from dashboard.notices import notices
from dashboard.runs.page import NONE, RunsPage
from dashboard.runs.words import COLUMNS
from dashboard.table import Row
from dashboard.templates import templates
from sessions.refusals import NoRecords
from sessions.rest.context import Context
from sessions.rest.running import runs_of

PERIOD = 1.0
"""Seconds between looks at what is kept."""


class RunsPages:
    """Makes pages of runs.

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
        self._versions = Following(self._version, PERIOD)
        self._template = templates(mount).get_template("runs.html")

    def __call__(self, visit: Visit) -> Page:
        """The runs that are kept, or why none can be shown."""
        try:
            page = RunsPage(visit.context(self._context), self._mount, self._versions)
        except NoRecords as error:
            return Page(self._template, {"error": str(error)}, {"notices": notices()})
        early = [Row(row.key, row.cells[:-1]) for row in page.rows()]  # whose buttons would do nothing
        told = {"error": "", "columns": COLUMNS, "rows": early, "none": Markup(NONE)}
        return Page(self._template, told, page.roots(), joined=page.join, left=page.leave)

    def _version(self) -> bytes:
        try:
            return runs_of(self._context).version()
        except NoRecords:  # whoever opens the page is told
            return b""
