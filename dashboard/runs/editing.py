"""Notes and tags of a run, to be edited."""

from __future__ import annotations

from collections.abc import Callable

import panel as pn
import param
from panel.viewable import Viewable

from dashboard.live.controls import button, flow, stack
from dashboard.live.task import Task
from sessions.rest.context import Context
from sessions.rest.reading import checked
from sessions.rest.requests import RunAsk
from sessions.rest.running import annotate_run
from sessions.runs import Run


class Editing(param.Parameterized):
    """A form for one run at a time, which is there while one is edited.

    Parameters
    ----------
    context : Context
        The server, as the visitor sees it.
    changed : function
        Called when something was written.
    """

    tags = param.String(default="", label="Tags, such as baseline, monday")
    notes = param.String(default="", label="Notes")

    def __init__(self, context: Context, changed: Callable[[], None]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._context = context
        self._changed = changed
        self._run: int | None = None
        self._task = Task()
        self._title = pn.widgets.StaticText(value="", css_classes=["what"])
        widgets = pn.widgets
        self._form = stack(
            self._title,
            widgets.TextInput.from_param(self.param.tags),
            widgets.TextAreaInput.from_param(self.param.notes, rows=3),
            flow(button("Save", self._save, primary=True), button("Cancel", self.close), self._task.view()),
            css_classes=["editing"],
        )
        self._place = stack()

    def view(self) -> Viewable:
        return self._place

    def open(self, run: Run) -> None:
        """Edit this one."""
        self._run = run.id
        self._title.value = f"Tags and notes of run {run.id}"
        self.param.update(tags=", ".join(run.tags), notes=run.notes)
        self._place.objects = [self._form]

    def close(self) -> None:
        """Edit none."""
        self._run = None
        self._place.objects = []

    def _save(self) -> None:
        run = self._run
        tags = [each for each in (tag.strip() for tag in self.tags.split(",")) if each]
        asked = checked(RunAsk, {"notes": self.notes, "tags": list(dict.fromkeys(tags))})
        if run is None:
            return

        def done(_: object) -> None:
            self.close()
            self._changed()

        self._task.start(
            "Writing \N{HORIZONTAL ELLIPSIS}", lambda: annotate_run(self._context, run, asked), done
        )
