"""One open page of a session: its cards, what the page asks for, and following the session."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import Any

import panel as pn
from panel.io.state import state
from panel.viewable import Viewable

from dashboard.following import FollowingPage, FollowingSession
from dashboard.layout import CARDS, Card
from dashboard.live.comparing import Comparing
from dashboard.live.controls import Controls, attempt, button, flow, stack
from dashboard.live.decoders import Decoders
from dashboard.live.driving import Driving
from dashboard.live.electrodes import Detecting, choose_electrode, drag_threshold
from dashboard.live.guarding import Guarding
from dashboard.live.keeping import Keeping
from dashboard.live.marks import marks
from dashboard.live.perturbation import Perturbing, Presets
from dashboard.live.pictures import Pictures
from dashboard.live.recording import Recording
from dashboard.live.reel import selected_spans, tape
from dashboard.live.schedule import Scheduling
from dashboard.live.selection import Selecting
from dashboard.live.sharing import Sharing
from dashboard.live.tape import Tape
from dashboard.live.transport import Transport
from dashboard.live.trial_list import errors, failures, scores_by_trial
from dashboard.live.trials import Trials
from dashboard.live.viewing import Viewing
from dashboard.notices import notices
from plotters.base import Plotter
from sessions.rest.context import Context
from sessions.rest.report import show_report
from sessions.rest.requests import WindowQuery
from sessions.session import Session

log = logging.getLogger(__name__)

MakeCard = Callable[[Session], Any]
"""A plugin's: any object that Panel shows."""

FAR = 1e4
"""Beyond what any figure of the page shows."""
PERIODS = {"10 s": "window", "Trial": "trial", "Since start": "total"}


@dataclass(frozen=True)
class Parts:
    """What the pages of a server share.

    Attributes
    ----------
    context : Context
        The server; what it lacks is refused when it is asked for.
    mount : str
        Path under which a proxy has the pages.
    plotters : tuple of Plotter types
    plugins : mapping
        Functions that make cards, by name.
    """

    context: Context
    mount: str
    plotters: tuple[type[Plotter], ...]
    plugins: Mapping[str, MakeCard]


class LivePage(FollowingPage):
    """The Panel objects of a page, and what moves them. Lives as long as its document.

    Parameters
    ----------
    session : Session
    parts : Parts
    seen : Context, optional
        The server as the visitor sees it.
    """

    def __init__(self, session: Session, parts: Parts, seen: Context | None = None) -> None:
        super().__init__(FollowingSession(session))
        self.session = session
        self._parts = parts
        self._seen = seen or parts.context
        self._theme = "light"
        self.transport = Transport(session)
        self.presets = Presets(session)
        self.recording = Recording(session, parts.context.archive, parts.mount)
        self._tape = Tape(
            self.hear, recording=tape(session.description), spans=self._spans(), marks=marks(session)
        )
        self._places: dict[str, pn.Column] = {
            card.name: stack() for card in self.cards if not card.template
        }
        self._open: dict[str, Controls | None] = {}
        for card in self.cards:
            if card.opened and not card.template:
                self._fill(card.name)

    @property
    def cards(self) -> tuple[Card, ...]:
        """All that are no plots, those of plugins last."""
        can = self.session.replay.source.can
        own = (card for card in CARDS if card.needs is None or card.needs in can)
        return (*own, *(Card(name, name.replace("_", " ").capitalize()) for name in self._parts.plugins))

    def roots(self) -> dict[str, Viewable]:
        """By the names that the template has for them."""
        parts = self._parts
        period = pn.widgets.RadioBoxGroup(
            options=PERIODS, value="window", inline=True, css_classes=["chips"]
        )
        period.param.watch(lambda event: self._tape.param.update(flags={"period": event.new}), "value")
        return {
            "transport": self.transport.view(),
            "tape": self._tape,
            "presets": self.presets.view(),
            "record": self.recording.view(),
            "drift": button("Set reference", self.session.drift.set_reference),
            "scores": flow(period, Keeping(parts.context, self.session.code, parts.mount).view()),
            "link": Sharing(self._seen, self.session.code).view(),
            "notices": notices(),
            **self._places,
        }

    # The session

    def follow(self) -> None:
        """Show what there is now; called with the document's lock."""
        scores = scores_by_trial(self.session.scores.latest().decoders)
        self._tape.param.update(
            spans=self._spans(),
            marks=marks(self.session),
            failures=failures(self.session.description, scores),
            errors=errors(self.session.description, scores),
        )
        for controls in (self.transport, self.presets, self.recording, *self._open.values()):
            if controls is not None:
                controls.follow()

    def _spans(self) -> list[list[int]]:
        if "select" not in self.session.replay.source.can:
            return []
        return selected_spans(self.session.replay.selection, self.session.recording)

    # The page

    def hear(self, message: Mapping[str, Any]) -> None:
        """Do what the page asks for, once it has loaded."""
        state.onload(partial(self._answer, message))

    def _answer(self, message: Mapping[str, Any]) -> None:
        """Whoever has the page's socket can send anything."""
        match message:
            case {"seek": int(bin_)}:
                attempt(partial(self.transport.seek, bin_))
            case {"key": "r"}:
                attempt(self.recording.toggle)
            case {"key": str(key), "at": int(at)}:
                attempt(partial(self.transport.press, key, at))
            case {"target": int(target)} if (
                "selection" in self._places and target in self.session.description.target_ids
            ):
                self._opened("selection").toggle(target)
            case {"threshold": int(row), "height": None}:
                attempt(partial(drag_threshold, self.session, row, None))
            case {"threshold": int(row), "height": int() | float() as height} if abs(height) < FAR:
                attempt(partial(drag_threshold, self.session, row, height))
            case {"electrode": [int() | float() as x, int() | float() as y]} if abs(x) + abs(y) < FAR:
                attempt(partial(choose_electrode, self.session, x, y))
            case {"theme": "dark" | "light" as theme}:
                self._theme = theme
                if isinstance(pictures := self._open.get("pictures"), Pictures):
                    pictures.ground = theme
            case {"layout": str(name)}:
                self.transport.present(name == "present")
            case {"open": str(name)} if name in self._places:
                self._opened(name)

    def _opened(self, name: str) -> Any:
        if name not in self._open:
            self._fill(name)
        return self._open[name]

    def _fill(self, name: str) -> None:
        """Make the widgets of a card."""
        if name in self._parts.plugins:
            self._open[name] = None
            self._show(name, self._parts.plugins[name])
            return
        controls = self._open[name] = self._controls(name)
        self._places[name].objects = [controls.view()]

    def _show(self, name: str, make: MakeCard) -> None:
        """Let a plugin show something, or what is wrong with it: it is made, and drawn at once."""
        place = self._places[name]
        try:
            place.objects = [pn.panel(make(self.session))]
        except Exception as error:  # whatever it is, it is that file's
            log.exception("The card %s has failed", name)
            said = escape(f"This card has failed. {type(error).__name__}: {error}")
            place.objects = [pn.widgets.StaticText(value=said)]

    def _controls(self, name: str) -> Controls:
        session, context = self.session, self._parts.context
        match name:
            case "selection":
                return Selecting(session)
            case "driving":
                return Driving(session)
            case "electrodes":
                return Detecting(session)
            case "perturbation":
                return Perturbing(session)
            case "schedule":
                return Scheduling(session)
            case "comparison":
                return Comparing(session)
            case "trials":
                return Trials(session)
            case "view":
                return Viewing(session)
            case "safety":
                return Guarding(session)
            case "pictures":
                plotters, mount = self._parts.plotters, self._parts.mount
                pictures = Pictures(session, context.studio, self._report, plotters, mount)
                pictures.ground = self._theme
                return pictures
            case "decoders":
                return Decoders(session, context.launcher, self._parts.mount)
        raise LookupError(name)

    def _report(self, session: Session, seconds: float) -> bytes:
        return show_report(self._parts.context, session.code, WindowQuery(seconds=seconds)).content
