"""Calibration in closed loop: what is asked for, how far it is, and how each block went."""

from __future__ import annotations

from typing import Any, Final

import panel as pn
import param
from panel.viewable import Viewable

from dashboard.calibrate.hyperparameters import Hyperparameters
from dashboard.calibrate.results import called
from dashboard.live.controls import button, flow, stack
from dashboard.live.task import Task
from dashboard.table import Row, Table
from engine.decoders import DECODERS
from engine.errors import BadSetting, DeckError
from engine.sources.user.source import SimulatedUser
from sessions.rest.context import Context
from sessions.rest.guiding import cancel_guided, show_guided, start_guided
from sessions.rest.lifecycle import create_session
from sessions.rest.models.calibrations import GuidedAnswer, GuidedAsk
from sessions.rest.reading import checked
from sessions.rest.requests import Create
from sessions.session import Session

NONE: Final = "It takes a session with a simulated user, who reacts to what a decoder makes of the cursor."
COLUMNS: Final = ("Driver", "Targets", "Acquired", "Time to a target")


def loops(context: Context) -> dict[str, Session]:
    """Sessions in closed loop that go at a pace, by code."""
    sessions = context.store.entries.items()
    return {code: each for code, each in sessions if isinstance(each, Session) and _is_loop(each)}


def _is_loop(session: Session) -> bool:
    source = session.replay.source
    return isinstance(source, SimulatedUser) and not source.lockstep


class Guiding(param.Parameterized):
    """The card of one page.

    Parameters
    ----------
    context : Context
        The server, as the visitor sees it.
    session : str, optional
        The one to begin with.
    """

    session: Any = param.Selector(default="", objects=[""], label="Session")
    decoder: Any = param.Selector(default="refit", objects=["refit"], label="What learns")
    blocks: Any = param.Integer(default=3, bounds=(2, 20), allow_None=True, label="Blocks")
    trials: Any = param.Integer(default=16, bounds=(1, 1000), allow_None=True, label="Targets of each")

    def __init__(self, context: Context, session: str | None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._context, self._preferred = context, session
        self.param.decoder.objects = {
            key.replace("_", " "): key for key, each in DECODERS.items() if each.learned
        }
        self._hyperparameters = Hyperparameters()
        self._task = Task()
        self._step = pn.widgets.StaticText(value="", css_classes=["whole"])
        self._bar = pn.indicators.Progress(value=0, max=1000)  # type: ignore[no-untyped-call]
        self._progress = flow(
            self._step, self._bar, button("Stop calibrating", self._cancel), css_classes=["progress"]
        )
        self._told = pn.widgets.StaticText(value=NONE, css_classes=["whole"])
        self._table: Table | None = None
        self._fields: Viewable | None = None
        self._make = flow(button("Make one", self._made_one))
        self._view = stack(self._told, self._make, self._task.view())
        self.param.watch(lambda _: self.follow(), "session")

    def view(self) -> Viewable:
        return self._view

    def follow(self) -> None:
        """Show what there is by now."""
        codes = list(loops(self._context))
        if not codes:
            self._told.value = NONE
            self._show(self._told, self._make, self._task.view())
            return
        if self.param.session.objects != codes:
            self.param.session.objects = codes
        if self.session not in codes:
            self.session = self._preferred if self._preferred in codes else codes[0]
        if self._fields is None:
            self._fields = self._made()
        self._show(self._fields, self._task.view(), *self._parts())

    def _show(self, *parts: Viewable) -> None:
        if self._view.objects != list(parts):
            self._view.objects = list(parts)

    def _made(self) -> Viewable:
        widgets, of = pn.widgets, self.param
        numbers = self._hyperparameters.view()
        numbers.visible = False
        more = widgets.Toggle(label="Set its hyperparameters", css_classes=["more"])

        def show(_: Any) -> None:
            if more.value:
                self._hyperparameters.show(self.decoder)
            numbers.visible = more.value

        more.param.watch(show, "value")
        self.param.watch(show, "decoder")
        asked = pn.Row(
            widgets.Select.from_param(of.session),
            widgets.Select.from_param(of.decoder),
            widgets.IntInput.from_param(of.blocks, start=2, end=20),
            widgets.IntInput.from_param(of.trials, start=1, end=1000),
            button("Begin", self._begin, primary=True),
            css_classes=["many"],
        )
        return stack(asked, flow(more), numbers)

    def _parts(self) -> list[Viewable]:
        """How the chosen session's run is, if it has had one."""
        try:
            run = show_guided(self._context, self.session)
        except DeckError:  # there is none, or the session has just gone
            return []
        parts: list[Viewable] = []
        if run.state in ("collecting", "fitting"):
            self._step.value, self._bar.value = spell(run), round(1000 * share(run))
            parts.append(self._progress)
        elif run.error is not None or run.state == "cancelled":
            self._told.value = run.error or "It was stopped; whoever drives goes on."
            parts.append(self._told)
        if run.blocks:
            if self._table is None:
                self._table = Table(COLUMNS, stylesheets=["resources/deck.css", "resources/calibrate.css"])
            self._table.fill(rows(run))
            parts.append(self._table)
        return parts

    def _begin(self) -> None:
        if self.blocks is None or self.trials is None:
            raise BadSetting("Blocks and targets are numbers, such as 3 and 16.")
        settings = self._hyperparameters.settings(self.decoder)
        asked = checked(
            GuidedAsk,
            {"decoder": self.decoder, "settings": settings, "blocks": self.blocks, "trials": self.trials},
        )
        code = self.session

        def begin() -> None:
            start_guided(self._context, code, asked)
            self._context.session(code).replay.start()

        self._task.start("", begin, lambda _: self.follow())

    def _made_one(self) -> None:
        asked = checked(Create, {"source": "user"})
        self._task.start(
            "Making it \N{HORIZONTAL ELLIPSIS}",
            lambda: create_session(self._context, asked),
            lambda _: self.follow(),
        )

    def _cancel(self) -> None:
        code = self.session
        self._task.start("", lambda: cancel_guided(self._context, code), lambda _: self.follow())


def spell(run: GuidedAnswer) -> str:
    """How far it is, in words."""
    number = len(run.blocks) + 1
    if run.state == "fitting":
        return f"{called(run.decoder)} learns from block {number - 1} of {run.n_blocks}"
    return f"Block {number} of {run.n_blocks}, {run.driver}: {run.trials_done} of {run.n_trials} targets"


def share(run: GuidedAnswer) -> float:
    """How far it is, 0 to 1."""
    under_way = run.trials_done / run.n_trials if run.state == "collecting" else 0.0
    return (len(run.blocks) + under_way) / run.n_blocks


def rows(run: GuidedAnswer) -> list[Row]:
    """A line for each block that has ended."""
    return [
        Row(
            str(number),
            (
                block.driver,
                str(block.n_trials),
                f"{block.success:.0%}",
                "none acquired" if block.seconds is None else f"{block.seconds:.2f} s",
            ),
        )
        for number, block in enumerate(run.blocks)
    ]
