"""One open Explore page: what it asks, and what it is told."""

from __future__ import annotations

import asyncio
from typing import Any

from bokeh.core.properties import Any as AnyValue
from bokeh.document import Document
from bokeh.model import DataModel
from pydantic import ValidationError

from dashboard.explore.asked import Asked
from dashboard.explore.cards import draw
from dashboard.explore.draw_trials import groups_of, raster_rows
from dashboard.explore.drawing import View
from dashboard.explore.settings import for_recording
from dashboard.explore.study import Rows, Study
from engine.errors import BadSetting, DeckError

MAX_STEPS = 2000
"""Of a PSTH. More than a screen shows."""


class Channel(DataModel):
    """All that page and server share: figures and data live in the page (`resources/explore.js`)."""

    asked = AnyValue(
        default="", help="JSON of the page's latest wish, as `Asked`; checked when it is answered."
    )
    told = AnyValue(default=None, help="A drawing with legend and settings, or an error.")


class ExplorePage:
    """The state of a page. Lives as long as its document.

    Parameters
    ----------
    study : Study
    """

    def __init__(self, study: Study) -> None:
        self.study = study
        self.settings = for_recording(study.recording)
        self._shown: View | None = None
        self.channel = Channel(name="channel", told=self.tell(Asked.model_validate({})))

    def join(self, document: Document) -> None:
        """Serve a document, on its event loop."""
        document.add_root(self.channel)
        self.channel.on_change("asked", lambda _, __, asked: self._answer(document, asked))

    def _answer(self, document: Document, asked: object) -> None:
        async def compute() -> None:  # holds the document's lock throughout: wishes keep their order
            self.channel.told = await asyncio.to_thread(self.answer, asked)  # type: ignore[arg-type]

        document.add_next_tick_callback(compute)  # type: ignore[arg-type]

    def answer(self, asked: object) -> dict[str, Any]:
        """What the page is told when it asks for something in JSON, whatever that is."""
        try:
            return self.tell(Asked.model_validate_json(asked if isinstance(asked, str) else ""))
        except ValidationError:
            return {
                "wish": 0,
                "error": "That cannot be read. Load the page again.",
                "settings": self._values(),
            }

    def tell(self, asked: Asked) -> dict[str, Any]:
        """Do what the page asks for, and draw what that changes."""
        answer = {"wish": asked.wish}  # first, and never the same twice: the page waits for it
        before = self.settings.param.values()
        try:
            self.settings.change(asked.settings)
            self._point(asked)
            view = self._view()
        except DeckError as error:
            self.settings.param.update(**{k: v for k, v in before.items() if k != "name"})
            return {**answer, "error": str(error), "settings": self._values()}
        drawing = draw(self.study, view, self._shown)
        self._shown = view
        return {
            **answer,
            "error": "",
            "settings": self._values(),
            **vars(drawing),
            **self._summary(view),
        }

    def _values(self) -> dict[str, Any]:
        return {name: value for name, value in self.settings.param.values().items() if name != "name"}

    def _view(self) -> View:
        values = self._values()
        chosen = self.study.rows(values.pop("trials"))
        step = values["bins_per_step"] * self.study.recording.bin_width
        if (values["before"] + values["after"]) / step > MAX_STEPS:
            raise BadSetting(f"That is more than {MAX_STEPS} bins. Choose wider bins or a shorter window.")
        return View(**values, chosen=tuple(chosen.tolist()))

    def _point(self, asked: Asked) -> None:
        """Choose what a finger or a button points at."""
        view, study = self._view(), self.study
        match asked:
            case Asked(box=(x0, x1, y0, y1)):
                self._choose(study.paths.through((x0, x1), (y0, y1)))
            case Asked(path=(x, y, near)):
                trial = study.paths.nearest(x, y, near)
                self._choose([] if trial is None else [trial])
            case Asked(row=int(row)):
                rows = raster_rows(study, view)
                self._choose([int(rows[row])] if 0 <= row < len(rows) else [])
            case Asked(group=int(group)):
                self._toggle(view, group)
            case Asked(tip=(x, y)):
                unit = study.nearest_tip(x, y)
                self.settings.unit = self.settings.unit if unit is None else unit

    def _choose(self, rows: Rows | list[int]) -> None:
        """Nothing pointed at is all trials again."""
        self.settings.trials = self.study.spell(rows) if len(rows) else ""

    def _toggle(self, view: View, group: int) -> None:
        """Add a group to what is chosen, or take it away; from all trials, choose it alone."""
        members = {int(row) for row in (self.study.split(view.split).group == group).nonzero()[0]}
        chosen = set(view.chosen) if self.settings.trials else set()
        self._choose(sorted(chosen - members if members <= chosen else chosen | members))

    def _summary(self, view: View) -> dict[str, Any]:
        """Legend and count of trials."""
        split, all_chosen = self.study.split(view.split), not self.settings.trials
        legend = [
            {
                "label": label,
                "n": len(rows),
                "chosen": not all_chosen and len(rows) == int((split.group == i).sum()) > 0,
            }
            for i, (label, rows) in enumerate(zip(split.labels, groups_of(self.study, view), strict=True))
        ]
        n_trials = len(self.study.recording.trials)
        count = f"All {n_trials} trials" if all_chosen else f"{len(view.chosen)} of {n_trials} trials"
        return {"legend": legend, "count": count, "note": split.note}
