"""Pictures and the report: downloaded or opened, as the studio's process draws them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args
from urllib.parse import urlencode

import panel as pn
import param
from panel.io.state import state
from panel.viewable import Viewable

from dashboard.live.controls import Controls, button, fields
from dashboard.live.task import Task
from dashboard.notices import Notices
from engine.moment import Plot
from plotters.base import Plotter
from sessions.refusals import NotDrawn
from sessions.rest.pictures import moment_of
from sessions.session import Session
from sessions.studio import Studio

WIDTH = 1200
"""Pixels."""


class Pictures(Controls):
    """Asks for pictures of the session's newest seconds."""

    format: Any = param.Selector(
        default="png", objects={"PNG": "png", "SVG": "svg", "PDF": "pdf"}, label="Format"
    )
    of: Any = param.Selector(default="", objects={"all plots": ""}, label="Of")
    seconds: Any = param.Number(default=10.0, bounds=(1.0, 60.0), allow_None=True, label="Last seconds")
    ground: Any = param.Selector(default="light", objects=["light", "dark"], label="Ground")

    def __init__(
        self,
        session: Session,
        studio: Studio | None,
        report: Callable[[Session, float], bytes],
        plotters: Sequence[type[Plotter]],
        mount: str,
    ) -> None:
        self._studio = studio
        self._report = report
        self._mount = mount
        self._plots = {each.title: each.name for each in plotters if each.name in get_args(Plot)}
        self._task = Task()
        self._open = pn.pane.HTML(css_classes=["links"])
        super().__init__(session)
        self._link()

    def declare(self) -> None:
        self.param.of.objects = {"all plots": "", **self._plots}

    def write(self, changes: Mapping[str, Any]) -> None:  # noqa: ARG002
        self._link()

    def view(self) -> Viewable:
        widgets = pn.widgets
        return fields(
            widgets.Select.from_param(self.param.format),
            widgets.Select.from_param(self.param.of),
            widgets.FloatInput.from_param(self.param.seconds),
            widgets.Select.from_param(self.param.ground),
            button("Download", self._download, primary=True),
            self._open,
            button("Report", self._download_report),
            self._task.view(),
        )

    def _link(self) -> None:
        query = {"seconds": f"{self.seconds:g}", "theme": self.ground} | (
            {"plots": self.of} if self.of else {}
        )
        href = f"{self._mount}/api/sessions/{self.session.code}/snapshot.{self.format}?{urlencode(query)}"
        self._open.object = (
            f'<a class="button" href="{href.replace("&", "&amp;")}" target="_blank" rel="noopener">Open</a>'
        )

    def _download(self) -> None:
        session, kind, plots, ground = self.session, self.format, self.of, self.ground
        moment, studio = moment_of(session, self.seconds), self._studio

        def draw() -> bytes:
            if studio is None:
                raise NotDrawn("This server draws no pictures. Start it with serve.py.")
            return studio.draw(moment, (plots,) if plots else (), kind, ground, WIDTH)

        name = f"{session.code}{plots and f'-{plots}'}.{kind}"
        self._task.start("Drawing \N{HORIZONTAL ELLIPSIS}", draw, lambda drawn: save(name, drawn))

    def _download_report(self) -> None:
        session, seconds = self.session, self.seconds
        self._task.start(
            "Writing the report \N{HORIZONTAL ELLIPSIS}",
            lambda: self._report(session, seconds),
            lambda report: save(f"{session.code}-report.html", report),
        )


def save(name: str, content: bytes) -> None:
    """Have the page's browser save a file."""
    if isinstance(state.notifications, Notices):
        state.notifications.hand_over(name, content)
