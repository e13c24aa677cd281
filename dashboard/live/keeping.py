"""Keeps the scores of a session's decoders as they are now, as runs."""

from __future__ import annotations

from typing import Final

import panel as pn
from panel.viewable import Viewable

from dashboard.live.controls import button, flow
from dashboard.live.task import Task
from engine.errors import NotNow
from sessions.rest.context import Context
from sessions.rest.models.runs import RunList
from sessions.rest.running import keep_runs
from sessions.runs import LEAST_BINS

KEPT: Final = 'Kept {} run{}: see <a href="{}/runs">Runs</a>.'


class Keeping:
    """A button near the scores, and what came of it.

    Parameters
    ----------
    context : Context
    code : str
        Of the session.
    mount : str
        Path under which a proxy has the pages.
    """

    def __init__(self, context: Context, code: str, mount: str) -> None:
        self._context, self._code, self._mount = context, code, mount
        self._task = Task()
        self._told = pn.widgets.StaticText(value="", css_classes=["state"])

    def view(self) -> Viewable:
        return flow(button("Keep this run", self._keep), self._told)

    def _keep(self) -> None:
        self._told.value = ""
        self._task.start(
            "Keeping it \N{HORIZONTAL ELLIPSIS}", lambda: keep_runs(self._context, self._code), self._tell
        )

    def _tell(self, kept: RunList) -> None:
        if not kept.count:
            raise NotNow(
                f"No decoder was scored on {LEAST_BINS} packets yet. Connect or start one, and let it play."
            )
        self._told.value = KEPT.format(kept.count, "" if kept.count == 1 else "s", self._mount)
