"""One open start page: its Panel objects, and following the server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import panel as pn
from markupsafe import Markup
from panel.viewable import Viewable

from dashboard.following import Following, FollowingPage
from dashboard.home.creating import Creating
from dashboard.home.demonstrating import Demonstrating
from dashboard.home.rows import ELSEWHERE, RECORDS, SESSIONS, Overview, plural
from dashboard.home.teaching import Teaching
from dashboard.live.controls import stack
from dashboard.live.task import Task
from dashboard.notices import notices
from dashboard.table import ACTIONS, STYLES, Row, Table, act
from sessions.rest.context import Context
from sessions.rest.lifecycle import delete_session
from sessions.rest.requests import DeleteQuery

NO_SESSION: Final = (
    '<p class="empty">No session yet. Make one here, or let a decoder connect to any address: it creates '
    "its own.</p>"
)


class HomePage(FollowingPage):
    """The Panel objects of a page, and what moves them.

    Parameters
    ----------
    context : Context
        The server, as the visitor sees it.
    mount : str
        Path under which a proxy has the pages.
    sessions : Following of Overview
    records : Following of rows
    describe : function
        The markup that tells of a recording, by its name; may take long.
    """

    def __init__(
        self,
        context: Context,
        mount: str,
        sessions: Following[Overview],
        records: Following[tuple[Row, ...]],
        describe: Callable[[str], str],
    ) -> None:
        super().__init__(sessions, records)
        self._context = context
        self._sessions, self._records = sessions, records
        self._describe = describe
        self._asked: str | None = None  # the session whose deletion is to be confirmed
        self._ending = Task()
        names = list(context.store.recordings)
        self.overview, self.records = sessions.now(), records.now()
        self._creating = Creating(context, names, mount)
        self._demo = Demonstrating(context, self._creating.open)
        self._teaching = Teaching(context, names, mount)
        self._count = pn.widgets.StaticText(value=self.overview.count, css_classes=["count"])
        self._here = Table((*SESSIONS, ACTIONS), hear=self._hear)
        self._none = pn.pane.HTML(object=NO_SESSION, stylesheets=STYLES)  # type: ignore[no-untyped-call]
        self._place = stack()
        self._others = Table(ELSEWHERE)
        self._kept = Table(RECORDS)
        self._elsewhere, self._files = stack(), stack()
        self._reading = Task()
        self._recording = pn.pane.HTML(  # type: ignore[no-untyped-call]
            object=describe(names[0]),
            css_classes=["recording"],
            stylesheets=[*STYLES, "resources/home.css"],
        )
        self._which = pn.widgets.Select(label="Recording", options=names, css_classes=["which"])  # type: ignore[no-untyped-call]
        self._which.param.watch(lambda event: self._read(event.new), "value")
        self._show()

    def roots(self) -> Mapping[str, Viewable]:
        """By the names that the template has for them."""
        several = len(self._context.store.recordings) > 1
        return {
            "create": stack(self._creating.view(self._demo.view(), self._count), self._demo.waiting()),
            "class": self._teaching.view(),
            "sessions": stack(self._place, self._ending.view()),
            "elsewhere": self._elsewhere,
            "records": self._files,
            "notices": notices(),
            **({"recording": stack(self._which, self._reading.view(), self._recording)} if several else {}),
        }

    def follow(self) -> None:
        self.overview = self._sessions.latest or self.overview
        latest = self._records.latest
        self.records = self.records if latest is None else latest
        self._show()

    def _show(self) -> None:
        now = self.overview
        self._count.value = now.count
        self._here.fill([self._with_buttons(row) for row in now.sessions])
        self._others.fill(now.elsewhere)
        self._kept.fill(self.records)
        for place, shown in (
            (self._place, self._here if now.sessions else self._none),
            (self._elsewhere, self._others if now.elsewhere else None),
            (self._files, self._kept if self.records else None),
        ):
            objects = [] if shown is None else [shown]
            if place.objects != objects:
                place.param.update(
                    objects=objects, css_classes=["stack", "something"] if objects else ["stack"]
                )

    # Recordings

    def _read(self, name: str) -> None:
        self._recording.object = ""
        self._reading.start(
            "Reading the recording \N{HORIZONTAL ELLIPSIS}",
            lambda: self._describe(name),
            lambda told: self._recording.param.update(object=told),
        )

    # Deletion

    def _with_buttons(self, row: Row) -> Row:
        if row.key != self._asked:
            return Row(row.key, (*row.cells, act("delete", "Delete", f"Delete {row.key}")), row.state)
        n = self.overview.decoders.get(row.key, 0)
        told = f"{plural(n, 'decoder')} will be cut off." if n else "Its replay ends."
        asked = Markup('<span class="confirm" role="alert">Delete {}? {} {} {}</span>').format(
            row.key, told, act("keep", "Keep it"), act("end", "Delete", main=True)
        )
        return Row(row.key, (*row.cells, asked), row.state)

    def _hear(self, what: str, key: str) -> None:
        code = self._asked
        self._asked = key if what == "delete" and key in self.overview.decoders else None
        if what == "end" and key == code:
            self._ending.start(
                f"Ending {code} \N{HORIZONTAL ELLIPSIS}", lambda: self._delete(key), lambda _: self.hurry()
            )
        self._show()

    def _delete(self, code: str) -> None:
        """End a session, with the decoders that this visitor has been told of."""
        force = self.overview.decoders.get(code, 0) > 0
        delete_session(self._context, code, DeleteQuery(force=force))
