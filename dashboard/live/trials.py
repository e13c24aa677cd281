"""The trials of a recording as a table: what became of each, and the way to it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import panel as pn
import param
from panel.viewable import Viewable

from dashboard.frames import spell_time
from dashboard.live.controls import Controls, attempt, button, flow, stack
from dashboard.live.transport import bookmark
from dashboard.live.trial_list import OF_TRIAL, TrialList, Value, scores_by_trial
from dashboard.table import LongTable, Row, act
from engine.errors import OutsideSelection
from sessions.session import Session

UNKNOWN: Final = "\N{EN DASH}"
START: Final = [*OF_TRIAL].index("Start")
OUTCOME: Final = [*OF_TRIAL].index("Outcome")


class Trials(Controls):
    """Lists the trials in any order, and goes to one."""

    failures_first = param.Boolean(default=False, label="Failures first")

    def __init__(self, session: Session) -> None:
        self._column, self._descending = 0, False
        self._decoders: list[str] = []
        self._order: list[int] = []
        self._table = LongTable(self._hear, self._rows)
        super().__init__(session)

    def write(self, changes: Mapping[str, Any]) -> None:  # noqa: ARG002
        self._sort()

    def follow(self) -> None:
        scores = scores_by_trial(self.session.scores.latest().decoders)
        self._decoders += [name for name in scores if name not in self._decoders]
        self._list = TrialList(self.session.description, scores)
        self._sort()

    def view(self) -> Viewable:
        return stack(
            flow(
                button("Previous failure", partial(self._go_to_failure, -1)),
                button("Next failure", partial(self._go_to_failure, 1)),
                button("Bookmark", self._bookmark),
                button("Previous bookmark", partial(self._go_to_bookmark, -1)),
                button("Next bookmark", partial(self._go_to_bookmark, 1)),
                pn.widgets.Switch.from_param(self.param.failures_first),
            ),
            self._table,
        )

    def _sort(self) -> None:
        self._order = self._list.order(
            self._column,
            self._decoders,
            descending=self._descending,
            failures_first=self.failures_first,
        )
        titles = self._list.columns(self._decoders)
        self._table.update([self._title(i, title) for i, title in enumerate(titles)], len(self._order))

    def _title(self, column: int, title: str) -> Any:
        arrow = (" \N{UPWARDS ARROW}", " \N{DOWNWARDS ARROW}")[self._descending]
        return act(f"sort {column}", title + (arrow if column == self._column else ""), f"Sort by {title}")

    def _rows(self, first: int, end: int) -> list[Row]:
        return [self._row(i) for i in self._order[first:end]]

    def _row(self, i: int) -> Row:
        trial_id, *values = self._list.values(i, self._decoders)
        cells = [spell(column, value) for column, value in enumerate(values, start=1)]
        go = act("seek", str(trial_id), f"Go to trial {trial_id}")
        return Row(str(trial_id), (go, *cells), "bad" if i in self._list.failures else "")

    def _hear(self, what: str, key: str) -> None:
        match what.split():
            case ["seek"] if key.isdecimal():
                attempt(partial(self._go, int(key)))
            case ["sort", column] if column.isdecimal() and int(column) < len(
                self._list.columns(self._decoders)
            ):
                self._descending = int(column) == self._column and not self._descending
                self._column = int(column)
                self._sort()

    def _go(self, trial_id: int) -> None:
        replay = self.session.replay
        replay.seek(replay.selection.first_bin(trial_id, self.session.recording))

    def _go_to_failure(self, n: int) -> None:
        trial_id = self._list.failure_away(self.session.replay.position().packet_id, n)
        if trial_id is None:
            raise OutsideSelection(f"No trial {'after' if n > 0 else 'before'} this one has failed.")
        self._go(trial_id)

    def _bookmark(self) -> None:
        bookmark(self.session, self.session.replay.position().packet_id)

    def _go_to_bookmark(self, n: int) -> None:
        here, bookmarks = self.session.replay.position().packet_id, self.session.view.bookmarks
        beyond = [bin_ for bin_ in bookmarks if (bin_ - here) * n > 0]
        if not beyond:
            raise OutsideSelection(f"There is no bookmark {'after' if n > 0 else 'before'} this bin.")
        self.session.replay.seek(beyond[0] if n > 0 else beyond[-1])


def spell(column: int, value: Value) -> str:
    """A value of a column as the table has it."""
    if value is None:
        return UNKNOWN
    if isinstance(value, bool):
        return ("failed", "succeeded")[value] if column == OUTCOME else ("miss", "hit")[value]
    if column == START:
        return spell_time(float(value))
    return f"{value:.3g}" if isinstance(value, float) else str(value)
