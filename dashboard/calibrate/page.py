"""One open Calibrate page: its Panel objects, and following the runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import panel as pn
from panel.viewable import Viewable

from dashboard.calibrate import results
from dashboard.calibrate.curves import Curves
from dashboard.calibrate.figure import Figure
from dashboard.calibrate.guiding import Guiding
from dashboard.calibrate.ordering import Ordering
from dashboard.following import Following, FollowingPage
from dashboard.live.controls import attempt, button, flow, stack
from dashboard.live.task import Task
from dashboard.notices import notices
from dashboard.table import ACTIONS, STYLES, Table
from sessions.calibrations import Run
from sessions.refusals import UnknownCalibration
from sessions.rest.calibrating import delete_calibration, get_svg, show_calibration, start_calibration
from sessions.rest.context import Context
from sessions.rest.models.calibrations import CalibrationAnswer, CalibrationAsk, FigureQuery
from sessions.rest.requests import Theme

NONE = (
    '<p class="empty">No calibration yet. Choose a decoder and press Calibrate; the result appears '
    "here.</p>"
)
ABOUT = (
    "R\N{SUPERSCRIPT TWO} at each level of perturbation, and paths of test trials as they were and as "
    "they were decoded"
)
NUMBERS = ["resources/deck.css", "resources/calibrate.css"]
LOOKS = [*STYLES, "resources/calibrate.css"]


class CalibratePage(FollowingPage):
    """The Panel objects of a page, and what moves them.

    Parameters
    ----------
    context : Context
        The server, as the visitor sees it.
    mount : str
        Path under which a proxy has the pages.
    asked : mapping
        Of the address: ``session`` and ``recording`` that somebody comes from, ``run`` to show.
    following : Following
        Of all runs.
    """

    def __init__(
        self, context: Context, mount: str, asked: Mapping[str, str], following: Following[Any]
    ) -> None:
        super().__init__(following)
        self._context, self._mount = context, mount
        self._session = asked.get("session")
        self._shown = int(asked["run"]) if asked.get("run", "").isdecimal() else None
        self._ordering = Ordering(context.store.recordings, asked.get("recording"))
        self._guiding = Guiding(context, self._session)
        self._task, self._others, self._drawing = Task(), Task(), Task()
        self._drawn: Any = None
        self._above = pn.pane.HTML(object=NONE, stylesheets=LOOKS)  # type: ignore[no-untyped-call]
        self._step = pn.widgets.StaticText(value="", css_classes=["whole"])
        self._bar = pn.indicators.Progress(active=True, value=-1, max=1000)  # type: ignore[no-untyped-call]
        self._progress = flow(
            self._step, self._bar, button("Cancel", self._cancel), css_classes=["progress"]
        )
        self._place = stack()
        self._below = pn.pane.HTML(stylesheets=LOOKS)  # type: ignore[no-untyped-call]
        self._curves = Curves()
        self._figure = Figure(ABOUT)
        self._figure.param.watch(lambda _: self._draw(), ["theme", "space"])
        self._levels: Table | None = None
        self._all: Table | None = None
        self._earlier = stack()
        self.follow()

    def roots(self) -> Mapping[str, Viewable]:
        """By the names that the template has for them."""
        order = button("Calibrate", self._order, primary=True)
        return {
            "order": stack(self._ordering.view(order), self._task.view(), self._others.view()),
            "run": self._place,
            "loop": self._guiding.view(),
            "earlier": self._earlier,
            "notices": notices(),
        }

    @property
    def runs(self) -> Sequence[Run]:
        """All, the oldest first."""
        return () if self._context.calibrations is None else list(self._context.calibrations)

    def follow(self) -> None:
        self._guiding.follow()
        sessions = self._context.store.sessions.items()
        self._ordering.offer(code for code, each in sessions if each.description.sampled)
        numbers = [run.number for run in self.runs]
        if self._shown not in numbers:
            self._shown = numbers[-1] if numbers else None
        shown = self._found(self._shown)
        parts: list[Viewable] = [self._above]
        self._above.object = NONE if shown is None else self._told(*shown)
        if shown is not None:
            parts += self._parts(*shown)
        if parts != self._place.objects:
            self._place.objects = parts
        self._list(numbers)
        self._draw()

    # One run

    def _found(self, number: int | None) -> tuple[Run, CalibrationAnswer] | None:
        if number is None or self._context.calibrations is None:
            return None
        try:
            return self._context.calibrations.get(number), show_calibration(self._context, number)
        except UnknownCalibration:  # it has just been forgotten
            return None

    def _told(self, run: Run, answer: CalibrationAnswer) -> str:
        subject = f"{results.called(answer.decoder)} on {answer.recording}, seed {answer.seed}"
        title = f'<header data-run="{run.state}"><h2>Calibration {run.number}</h2>'
        told = f'{title}<p class="muted">{escape(subject)}</p></header>'
        if answer.error is not None:
            return f'{told}<p class="refusal" role="alert">{escape(answer.error)}</p>'
        split = f'<p class="muted" id="split">{results.spell_split(answer)}</p>'
        return told if answer.fit_seconds is None else told + split

    def _parts(self, run: Run, answer: CalibrationAnswer) -> list[Viewable]:
        parts: list[Viewable] = []
        if not run.ended:
            self._step.value = escape(results.step(run))
            self._bar.value = round(1000 * answer.progress) or -1
            parts.append(self._progress)
        if answer.fit_seconds is not None and run.state != "failed":
            columns = [*results.columns(answer.length_unit)]
            if self._levels is None or self._levels.columns != columns:
                self._levels = Table(columns, stylesheets=NUMBERS)
            self._levels.fill(results.levels(answer))
            parts.append(self._levels)
            if self._curves.show(answer.choices):
                parts.append(self._curves.view())
        if run.state == "done":
            self._below.object = str(results.done(answer, self._mount, self._session))
            parts += [self._figure, self._drawing.view(), self._below]
        return parts

    def _n_others(self, number: int) -> int:
        """How many runs are drawn beside one."""
        assert self._context.calibrations is not None
        return len(self._context.calibrations.outcome(number).others)

    def _draw(self) -> None:
        """Draw the figure, if there is another to draw than the one that is there, or on its way."""
        shown, place = self._found(self._shown), self._figure.place
        if shown is None or shown[0].state != "done" or place is None:
            return
        number, (theme, width) = shown[0].number, place
        what = number, place, self._n_others(number)
        if self._drawn == what:
            return
        self._drawn = what
        self._figure.source = ""
        asked = FigureQuery(theme=_theme(theme), width=width)
        self._drawing.start(
            "Drawing \N{HORIZONTAL ELLIPSIS}",
            lambda: get_svg(self._context, number, asked).content,
            self._figure.put,
        )

    # What the buttons do

    def _order(self) -> None:
        self._others.stop()
        self._start(self._ordering.asked_of_all())

    def _start(self, asked: Sequence[CalibrationAsk]) -> None:
        """Begin the first of these, and each of the others when the one before has ended."""
        first, *others = asked

        def started(answer: CalibrationAnswer) -> None:
            self._shown = answer.id
            self.hurry()
            self.follow()
            if others:
                run = self._found(answer.id)
                names = ", ".join(results.called(each.decoder) for each in others)
                self._others.start(
                    f"To come: {names}", lambda: run and run[0].wait(), lambda _: self._start(others)
                )

        at = f"Finding the spikes at the electrodes of {first.session}" if first.session else ""
        self._task.start(
            f"{at or 'Taking the trials apart'} {results.COMING}",
            lambda: start_calibration(self._context, first),
            started,
        )

    def _cancel(self) -> None:
        if self._shown is not None:
            self._forget(self._shown)

    def _forget(self, number: int) -> None:
        def ended(_: object) -> None:
            self.hurry()
            self.follow()

        self._task.start(
            "Ending it \N{HORIZONTAL ELLIPSIS}", lambda: delete_calibration(self._context, number), ended
        )

    # All runs

    def _list(self, numbers: Sequence[int]) -> None:
        if len(numbers) < 2:
            self._earlier.param.update(objects=[], css_classes=["stack"])
            return
        if self._all is None:
            self._all = Table((*results.EARLIER, ACTIONS), hear=self._hear)
        found = (self._found(number) for number in reversed(numbers))
        self._all.fill([results.earlier(each[1], self._shown) for each in found if each is not None])
        if not self._earlier.objects:
            self._earlier.param.update(objects=[self._all], css_classes=["stack", "something"])

    def _hear(self, what: str, key: str) -> None:
        if key.isdecimal() and what == "show":
            self._shown = int(key)
            self.follow()
        elif key.isdecimal() and what == "forget":
            attempt(lambda: self._forget(int(key)))


def _theme(name: str) -> Theme:
    return "dark" if name == "dark" else "light"
