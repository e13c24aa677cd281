"""Many sessions at once, for a class: how many, what they are called, and what they play."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

import panel as pn
import param
from panel.io.state import state
from panel.viewable import Viewable

from dashboard.live.controls import button, flow, stack
from dashboard.live.task import Task
from dashboard.notices import Notices
from engine.errors import BadSetting
from sessions.rest.context import Context
from sessions.rest.many import create_many
from sessions.rest.reading import checked
from sessions.rest.requests import CreateMany

MOST = 100


class Teaching(param.Parameterized):
    """Makes sessions, and opens the sheet of their cards.

    Parameters
    ----------
    context : Context
        The server, as the visitor sees it.
    recordings : iterable of str
        Names.
    mount : str
        Path under which a proxy has the pages.
    """

    count: Any = param.Integer(default=40, bounds=(1, MOST), allow_None=True, label="Sessions for a class")
    prefix = param.String(default="class", label="Name")
    recording: Any = param.Selector(default="", objects=[""], label="What they play")

    def __init__(self, context: Context, recordings: Iterable[str], mount: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._context = context
        self._mount = mount
        self._task = Task()
        self.param.recording.objects = names = list(recordings)
        self.recording = names[0]

    def view(self) -> Viewable:
        widgets, of = pn.widgets, self.param
        make = button(self._label(), self._make)
        of.watch(lambda _: make.param.update(label=self._label()), "count")
        several = len(of.recording.objects) > 1
        return stack(
            flow(
                widgets.IntInput.from_param(of.count, width=150),
                widgets.TextInput.from_param(of.prefix, width=150),
                *([widgets.Select.from_param(of.recording)] if several else []),
                make,
            ),
            self._task.view(),
        )

    def asked(self) -> CreateMany:
        """What REST would be asked for.

        Raises
        ------
        DeckError
            If that cannot be.
        """
        if self.count is None:
            raise BadSetting(f"Sessions are a number from 1 to {MOST}, such as 40.")
        return checked(
            CreateMany,
            {"count": self.count, "prefix": self.prefix.strip(), "recording": self.recording},
        )

    def _make(self) -> None:
        asked = self.asked()
        self._task.start(
            "Making the sessions \N{HORIZONTAL ELLIPSIS}",
            lambda: create_many(self._context, asked),
            lambda _: self._open(asked.prefix),
        )

    def _open(self, prefix: str) -> None:
        """The sheet, in place of this page."""
        if isinstance(state.notifications, Notices):
            state.notifications.go(f"{self._mount}/print?prefix={quote(prefix, safe='')}")

    def _label(self) -> str:
        return f"Make {self.count or 'many'} session{'' if self.count == 1 else 's'}"
