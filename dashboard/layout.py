"""Where the cards of a live page stand: two columns, filled from above in the order of the cards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from plotters.base import Place, Plotter


class Card(NamedTuple):
    """One that is no plot."""

    name: str
    place: Place


BELOW: Final = (Card("scores", Place("wide")), Card("decoders", Place("wide")))
"""What stands in the wide column below the plots."""
LAST: Final = "listeners"
"""What stands below all, across both columns."""


def grid(plotters: Sequence[type[Plotter]]) -> str:
    """The style sheet that puts plots and cards in their places.

    The plot that comes last in the narrow column reaches down to its end.
    """
    cards = [*(Card(plotter.name, plotter.place) for plotter in plotters), *BELOW]
    columns = {
        width: [card.name for card in cards if card.place.width == width for _ in range(card.place.rows)]
        for width in ("wide", "narrow")
    }
    n_rows = max(map(len, columns.values()))
    for names in columns.values():
        names += (names[-1:] or ["."]) * (n_rows - len(names))
    rows = [f'"{wide} {narrow}" auto' for wide, narrow in zip(*columns.values(), strict=True)]
    rows[-1] = rows[-1].replace(" auto", " 1fr")
    template = "\n".join([*rows, f'"{LAST} {LAST}" auto'])
    areas = "\n".join(f".plot-{name} {{ grid-area: {name}; }}" for name in (*(c.name for c in cards), LAST))
    heights = "\n".join(
        f".plot-{plotter.name} .figure {{ min-height: {plotter.place.height}rem; }}" for plotter in plotters
    )
    return f".plots {{ grid-template:\n{template} / minmax(0, 2fr) minmax(0, 1fr); }}\n{areas}\n{heights}"
