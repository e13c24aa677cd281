"""Which runs the page shows: filter, order, page, and the score that is drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import panel as pn
import param
from markupsafe import Markup
from panel.viewable import Viewable

from dashboard.runs.words import called, names
from sessions.run_choice import Choice, Known, Order
from sessions.runs import Run, Runs

PER_PAGE: Final = 50
MOST: Final = 100_000
"""Runs in a file of all."""
ANY: Final = {"all": ""}
LINK: Final = Markup('<a class="button" href="{}" download>CSV</a>')
SORTED: Final = {"Time": "ended", "Decoder": "decoder", "Recording": "recording"}


@dataclass(frozen=True)
class Look:
    """What the page shows of the runs at one moment.

    Attributes
    ----------
    runs : tuple of Run
        Of one page of the table.
    known : Known
    points : list of tuple
        Decoder, end (Unix seconds) and score of all that are chosen.
    compared : tuple of Run
        Two at most.
    first : int
        Runs before those of the page.
    """

    runs: tuple[Run, ...]
    known: Known
    points: list[tuple[str, float, float]]
    compared: tuple[Run, ...]
    first: int


class Choosing(param.Parameterized):
    """The widgets above table and figure.

    Parameters
    ----------
    changed : function
        Called when something else is to be shown.
    """

    decoder: Any = param.Selector(default="", objects=ANY, label="Decoder")
    recording: Any = param.Selector(default="", objects=ANY, label="Recording")
    tag: Any = param.Selector(default="", objects=ANY, label="Tag")
    by: Any = param.Selector(default="ended", objects=SORTED, label="Sort by")
    ascending = param.Boolean(default=False, label="Smallest first")
    score: Any = param.Selector(default="r2_position", objects=["r2_position"], label="Score over days")

    def __init__(self, changed: Callable[[], None]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        scores = {called(name): name for name in names()}
        self.param.by.objects = {**SORTED, **scores}
        self.param.score.objects = scores
        self.first = 0
        self._changed = changed
        self.param.watch(self._start_over, ["decoder", "recording", "tag", "by", "ascending"])
        self.param.watch(lambda _: changed(), "score")

    def view(self) -> Viewable:
        """Filter and order."""
        chosen = (self.param[name] for name in ("decoder", "recording", "tag", "by"))
        ascending = pn.widgets.Switch.from_param(self.param.ascending)
        return pn.Row(
            *(pn.widgets.Select.from_param(each) for each in chosen), ascending, css_classes=["many"]
        )

    def drawn(self) -> Viewable:
        """The score that is drawn."""
        return pn.widgets.Select.from_param(self.param.score)

    @property
    def choice(self) -> Choice:
        return Choice(self.decoder or None, self.recording or None, self.tag or None)

    def csv(self, mount: str) -> str:
        """Address of a file of what is chosen."""
        asked = {name: value for name, value in vars(self.choice).items() if value is not None}
        return f"{mount}/api/runs.csv?{urlencode({**asked, 'limit': MOST})}"

    def look(self, runs: Runs, compared: tuple[int, ...], *, drawn: bool = True) -> Callable[[], Look]:
        """What reads what is to be shown, in any thread; no points unless they are to be drawn."""
        choice, order, score, first = self.choice, Order(self.by, self.ascending), self.score, self.first

        def read() -> Look:
            known = runs.known(choice)
            begin = min(first, max(0, known.count - 1) // PER_PAGE * PER_PAGE)
            page = tuple(runs.kept(choice, order, PER_PAGE, begin))
            points = runs.over_time(score, choice) if drawn else []
            return Look(page, known, points, tuple(runs.some(compared)), begin)

        return read

    def take(self, look: Look) -> None:
        """Offer what there is; a filter that chooses nothing any more is taken away."""
        for name in ("decoder", "recording", "tag"):
            offered = {**ANY, **{each: each for each in getattr(look.known, f"{name}s")}}
            parameter = self.param[name]
            if dict(parameter.names or {}) != offered:
                if getattr(self, name) not in offered.values():
                    setattr(self, name, "")
                parameter.objects = offered
        self.first = look.first

    def turn(self, pages: int) -> None:
        """Show later or earlier runs of the list."""
        self.first = max(0, self.first + pages * PER_PAGE)
        self._changed()

    def _start_over(self, *_: Any) -> None:
        self.first = 0
        self._changed()
