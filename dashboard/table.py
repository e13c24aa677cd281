"""Tables that follow what they show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import param
from markupsafe import Markup, escape
from panel.custom import JSComponent

RESOURCES = Path(__file__).parents[1] / "resources"
STYLES = ["resources/deck.css", "resources/table.css"]

ACTIONS = Markup('<span class="unseen">Actions</span>')
"""Title of a column of buttons."""

CHUNK = 50
"""Rows of a long table that are asked for at once (as in `resources/table.js`)."""

Cell = str | Markup
"""A text, or markup of ours."""


@dataclass(frozen=True)
class Row:
    """A line of a table.

    Attributes
    ----------
    key : str
        What tells it from the others.
    cells : tuple of str or Markup
    state : str
        That its look depends on.
    """

    key: str
    cells: tuple[Cell, ...]
    state: str = ""


class Table(JSComponent):
    """Rows in the browser, of which it changes what has changed (`resources/table.js`).

    Panel's `Tabulator` takes five times as long to make, and makes all of its rows again when one cell
    changes: with a session that plays, the keyboard's focus would leave the table every second.

    Parameters
    ----------
    columns : sequence of str
        Titles.
    rows : sequence of Row
    hear : function, optional
        Called with what a button is for (its ``data-act``) and its row's key.
    """

    columns = param.List(default=[], item_type=str)
    rows = param.List(default=[], doc="Key, state and cells of each row.")
    span = param.List(default=[], doc="Of a long table: rows before these, and rows in all.")

    _esm = (RESOURCES / "table.js").read_text()

    def __init__(
        self,
        columns: Sequence[str],
        rows: Sequence[Row] = (),
        hear: Callable[[str, str], object] | None = None,
        **params: Any,
    ) -> None:
        self._hear = hear
        titles = [str(escape(title)) for title in columns]
        params = {"stylesheets": STYLES, **params}
        super().__init__(columns=titles, rows=_plain(rows), **params)  # type: ignore[no-untyped-call]

    def fill(self, rows: Sequence[Row]) -> None:
        """Have these rows."""
        self.rows = _plain(rows)

    def _handle_msg(self, data: Any) -> None:
        match data:
            case {"act": str(act), "key": str(key)} if self._hear is not None:
                self._hear(act, key)


class LongTable(Table):
    """A table of which the browser has the rows around those in sight: it opens at once, however long.

    Parameters
    ----------
    hear : function
        As `Table` has it.
    make : function
        Makes the rows from one number to another.
    """

    def __init__(
        self, hear: Callable[[str, str], object], make: Callable[[int, int], Sequence[Row]], **params: Any
    ) -> None:
        self._make = make
        self._chunk = self._total = 0
        super().__init__((), hear=hear, **params)

    def update(self, columns: Sequence[Cell], total: int) -> None:
        """Have these titles and so many rows, and make those around the ones in sight again."""
        self._total = total
        first = max(self._chunk - 1, 0) * CHUNK
        rows = self._make(first, first + 3 * CHUNK)
        self.param.update(
            columns=[str(escape(title)) for title in columns], span=[first, total], rows=_plain(rows)
        )

    def _handle_msg(self, data: Any) -> None:
        match data:
            case {"chunk": int(chunk)} if 0 <= chunk * CHUNK <= self._total:
                self._chunk = chunk
                self.update([Markup(title) for title in self.columns], self._total)
            case _:
                super()._handle_msg(data)


def act(what: str, label: str, name: str = "", *, main: bool = False) -> Markup:
    """A button of a row, which a reader of screens calls `name`."""
    return Markup('<button type="button" class="{}" data-act="{}" aria-label="{}">{}</button>').format(
        "main bad" if main else "", what, name or label, label
    )


def _plain(rows: Sequence[Row]) -> list[list[str]]:
    return [[row.key, row.state, *(str(escape(cell)) for cell in row.cells)] for row in rows]
