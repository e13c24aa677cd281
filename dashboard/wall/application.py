"""What Panel's server runs at ``/wall``, and the wall of those who can only look."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import panel as pn
from panel.viewable import Viewable

from dashboard.documents import Page, Visit
from dashboard.live.controls import button, flow, stack
from dashboard.live.task import Task
from dashboard.notices import notices
from dashboard.templates import templates
from dashboard.wall.acting import Everyone, Report
from engine.stages.perturb import ALL_PRESETS
from sessions.rest.context import Context


class WallPages:
    """Makes walls.

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
        self._templates = templates(mount)

    def __call__(self, visit: Visit) -> Page:
        """The wall with what is done to all."""
        told = self._told(visit, "live")
        everyone = Everyone(visit.context(self._context), told["prefix"])
        roots = {"everyone": Doing(everyone).view(), "notices": notices()}
        return Page(self._templates.get_template("wall.html"), told, roots)

    def looking(self, visit: Visit) -> Page:
        """The wall alone."""
        told = {**self._told(visit, "look/session"), "looking": True}
        return Page(self._templates.get_template("look/wall.html"), told)

    def _told(self, visit: Visit, page: str) -> dict[str, Any]:
        prefix = visit.asked.get("prefix", "")[:64]
        return {
            "prefix": prefix,
            "page": f"{self._mount}/{page}?session=",
            "feed": f"wall/feed?prefix={quote(prefix, safe='')}",
        }


class Doing:
    """Buttons that act on all sessions of a wall, and a line that says what came of it."""

    def __init__(self, everyone: Everyone) -> None:
        self._everyone = everyone
        self._task = Task()
        self._said = pn.widgets.StaticText(value="", css_classes=["said"])
        self._preset = pn.widgets.Select(  # type: ignore[no-untyped-call]
            label="Perturbation of all", options=[*ALL_PRESETS], width=150
        )

    def view(self) -> Viewable:
        do, everyone = self._do, self._everyone
        return stack(
            flow(
                button("Pause all", lambda: do(everyone.pause)),
                button("Play all", lambda: do(everyone.resume), primary=True),
                self._preset,
                button("Set for all", lambda: do(lambda: everyone.perturb(self._preset.value))),
                button("Record all", lambda: do(everyone.record), "record"),
                button("Stop recording", lambda: do(everyone.stop_records)),
                self._said,
            ),
            self._task.view(),
        )

    def _do(self, act: Callable[[], Report]) -> None:
        self._said.value = ""
        self._task.start("Asking all sessions \N{HORIZONTAL ELLIPSIS}", act, self._tell)

    def _tell(self, report: Report) -> None:
        self._said.value = str(report)
