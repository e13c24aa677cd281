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


def act(what: str, label: str, name: str = "", *, main: bool = False) -> Markup:
    """A button of a row, which a reader of screens calls `name`."""
    return Markup('<button type="button" class="{}" data-act="{}" aria-label="{}">{}</button>').format(
        "main bad" if main else "", what, name or label, label
    )


def _plain(rows: Sequence[Row]) -> list[list[str]]:
    return [[row.key, row.state, *(str(escape(cell)) for cell in row.cells)] for row in rows]
