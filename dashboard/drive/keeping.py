"""Keeps what a player has reached under a name, and lists who has reached most."""

from __future__ import annotations

from typing import Any, Final

import panel as pn
import param
from panel.io.state import state
from panel.viewable import Viewable

from dashboard.live.controls import Controls, button, flow, stack
from dashboard.live.task import Task
from dashboard.table import Row, Table
from engine.errors import NotNow
from sessions.players import Played, best, keep
from sessions.rest.context import Context
from sessions.rest.running import runs_of
from sessions.session import Session

COLUMNS: Final = ("Player", "bit/s", "Success", "Acquired in", "Decoder")
NONE: Final = "Nobody has kept a run with this task and steering yet."
NAME: Final = 40
"""Characters of a player's name."""


class Keeping(Controls):
    """A name, a button, and the best runs with the same task and steering.

    Parameters
    ----------
    session : Session
    context : Context
    """

    player = param.String(default="", label="Player")

    def __init__(self, session: Session, context: Context) -> None:
        self._context = context
        self._task = Task()
        self._told = pn.widgets.StaticText(value="")
        self._table = Table(COLUMNS)
        self._none = pn.widgets.StaticText(value=NONE)
        self._known: Any = None
        super().__init__(session)

    def view(self) -> Viewable:
        name = pn.widgets.TextInput.from_param(self.param.player, placeholder="your name", max_length=NAME)
        return stack(
            flow(name, button("Keep this run", self._keep, primary=True)),
            self._told,
            self._none,
            self._table,
        )

    def follow(self) -> None:
        """Read the runs anew if they have changed, or what they are compared by has."""
        if self._context.runs is None or state.curdoc is None or not state.loaded:
            return  # the page, once it has loaded, follows again
        known = self._context.runs.version(), self.session.replay.changes
        if known != self._known:
            self._known = known
            self._task.start("", lambda: best(runs_of(self._context), self.session), self._show)

    def write(self, changes: Any) -> None:
        """Nothing: the button does it."""

    def _keep(self) -> None:
        name = self.player.strip()[:NAME]
        if not name:
            raise NotNow("Write your name first.")
        runs = runs_of(self._context)

        def work() -> list[Played]:
            keep(runs, self.session, name)
            return best(runs, self.session)

        def done(found: list[Played]) -> None:
            self._told.value = "Kept. It stands among the runs, too."
            self._show(found)

        self._task.start("", work, done)

    def _show(self, found: list[Played]) -> None:
        self._table.fill([row(number, each) for number, each in enumerate(found)])
        self._table.visible = bool(found)
        self._none.visible = not found


def row(number: int, played: Played) -> Row:
    seconds = "\N{EN DASH}" if played.acquisition_time is None else f"{played.acquisition_time:.2f} s"
    return Row(
        f"{number} {played.run}",
        (played.player, f"{played.bit_rate:.2f}", f"{played.success:.0%}", seconds, played.decoder),
    )
