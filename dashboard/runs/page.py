"""One open page of runs: its Panel objects, and following what is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import panel as pn
from panel.viewable import Viewable

from dashboard.following import Following, FollowingPage
from dashboard.live.controls import button, flow, stack
from dashboard.live.task import Task
from dashboard.notices import notices
from dashboard.runs.choosing import LINK, Choosing, Look
from dashboard.runs.editing import Editing
from dashboard.runs.over_days import OverDays
from dashboard.runs.words import COLUMNS, run_row, score_rows, setting_rows, title
from dashboard.table import ACTIONS, STYLES, Row, Table
from sessions.rest.context import Context
from sessions.rest.running import delete_run, runs_of

LOOKS: Final = [*STYLES, "resources/runs.css"]
NONE: Final = (
    '<p class="empty">No run yet. A run is kept for every decoder that was scored on 40 packets or more, '
    "when its session ends or begins anew, or by <em>Keep this run</em> on the session's page.</p>"
)
ONE: Final = (
    '<p class="empty">Press <em>Compare</em> at two runs of the list: their scores and settings stand here '
    "side by side.</p>"
)
NO_POINTS: Final = '<p class="empty">Each run will be a point here.</p>'


class RunsPage(FollowingPage):
    """The Panel objects of a page, and what moves them.

    Parameters
    ----------
    context : Context
        The server, as the visitor sees it. It keeps runs.
    mount : str
        Path under which a proxy has the pages.
    versions : Following of bytes
        Of what is kept (`Runs.version`).
    """

    def __init__(self, context: Context, mount: str, versions: Following[bytes]) -> None:
        super().__init__(versions)
        self._context, self._mount = context, mount
        self._runs = runs_of(context)
        self._compared: tuple[int, ...] = ()
        self._asked: str | None = None  # the run whose deletion is to be confirmed
        self._reading, self._deleting = Task(), Task()
        self._choosing = Choosing(self._read)
        self._editing = Editing(context, self._changed)
        self._table = Table((*COLUMNS, ACTIONS), hear=self._hear, stylesheets=LOOKS, css_classes=["listed"])
        self._none = pn.pane.HTML(object=NONE, stylesheets=LOOKS)  # type: ignore[no-untyped-call]
        self._count = pn.widgets.StaticText(value="", css_classes=["count"])
        self._before = button("Previous", lambda: self._choosing.turn(-1))
        self._after = button("Next", lambda: self._choosing.turn(1))
        self._list = stack()
        self._file = pn.pane.HTML(stylesheets=LOOKS)  # type: ignore[no-untyped-call]
        self._figure = OverDays()
        self._one = pn.pane.HTML(object=ONE, stylesheets=LOOKS)  # type: ignore[no-untyped-call]
        self._same = pn.widgets.Switch(value=False, label="Also settings that are the same")
        self._same.param.watch(lambda _: self._compare(), "value")
        self._beside = stack()
        self._days = stack()
        self._dated = stack(flow(self._choosing.drawn()), self._figure.view())
        self._undated = pn.pane.HTML(object=NO_POINTS, stylesheets=LOOKS)  # type: ignore[no-untyped-call]
        turning = flow(self._before, self._after, self._file, self._count)
        self._whole = stack(self._choosing.view(), self._editing.view(), self._table, turning)
        self.look = self._choosing.look(self._runs, (), drawn=False)()
        self._show(self.look, drawn=False)

    def roots(self) -> Mapping[str, Viewable]:
        """By the names that the template has for them."""
        return {
            "list": stack(self._list, self._deleting.view()),
            "days": self._days,
            "beside": self._beside,
            "notices": notices(),
        }

    def rows(self) -> list[Row]:
        """Of the table."""
        return [
            run_row(run, run.id in self._compared, str(run.id) == self._asked) for run in self.look.runs
        ]

    def follow(self) -> None:
        self._read()

    def _changed(self) -> None:
        self.hurry()
        self._read()

    def _read(self) -> None:
        """Look again, in a thread, and show that."""
        self._reading.start("", self._choosing.look(self._runs, self._compared), self._show)

    def _show(self, look: Look, *, drawn: bool = True) -> None:
        self.look = look
        self._compared = tuple(run.id for run in look.compared)
        self._choosing.take(look)
        last, count = look.first + len(look.runs), look.known.count
        self._count.value = f"{look.first + 1:,} to {last:,} of {count:,}" if count else "No such run"
        self._before.disabled, self._after.disabled = look.first == 0, last >= count
        self._fill()
        any_kept = bool(look.known.decoders)
        self._file.object = str(LINK.format(self._choosing.csv(self._mount)))
        if any_kept != (self._whole in self._list.objects) or not self._list.objects:
            self._list.objects = [self._whole if any_kept else self._none]
            self._days.objects = [self._dated if any_kept else self._undated]
        if drawn:  # points come after the page: they are many
            self._figure.fill(self._choosing.score, look.points)
        self._compare()

    def _fill(self) -> None:
        self._table.fill(self.rows())

    def _compare(self) -> None:
        if len(self.look.compared) < 2:
            self._beside.objects = [self._one]
            return
        first, second = self.look.compared
        titles = title(first), title(second)
        scores = Table(
            ("Score", *titles, "Difference"),
            score_rows(first, second),
            stylesheets=LOOKS,
            css_classes=["compared"],
        )
        rows = setting_rows(first, second, self._same.value)
        settings = Table(("Setting", *titles), rows, stylesheets=LOOKS, css_classes=["compared"])
        self._beside.objects = [scores, self._same, settings]

    def _hear(self, what: str, key: str) -> None:
        run = next((each for each in self.look.runs if str(each.id) == key), None)
        before, self._asked = self._asked, None
        if run is not None:
            match what:
                case "compare":
                    others = tuple(each for each in self._compared if each != run.id)
                    self._compared = others if run.id in self._compared else (*others, run.id)[-2:]
                    self._read()
                case "edit":
                    self._editing.open(run)
                case "delete":
                    self._asked = key
                case "end" if key == before:
                    self._delete(run.id)
        self._fill()

    def _delete(self, run: int) -> None:
        self._deleting.start(
            "Deleting \N{HORIZONTAL ELLIPSIS}",
            lambda: delete_run(self._context, run),
            lambda _: self._changed(),
        )
