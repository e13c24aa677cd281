"""Which cards a live page has and where they stand: the only place that says so.

Plots say themselves where they stand (`plotters.base.Place`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from engine.bins.source import Capability
from plotters.base import Plotter


@dataclass(frozen=True)
class Card:
    """A card that is no plot.

    Attributes
    ----------
    name, title : str
    column : str
        "plots" is among the plots, "side" beside them, "below" under everything.
    template : str, optional
        Of a card that the feed fills; the others are filled with Panel's objects when they are opened.
    opened : bool
        Whether it is when nobody has opened or closed it.
    summary : str, optional
        The text of the feed that stands in its head.
    note : str
        Above its widgets.
    needs : str, optional
        What the session's source must be able to do, else the card is left out.
    """

    name: str
    title: str
    column: Literal["plots", "side", "below"] = "side"
    template: str | None = None
    opened: bool = False
    summary: str | None = None
    note: str = ""
    needs: Capability | None = None


CARDS: Final = (
    Card("scores", "Scores", "plots", "live/scores.html"),
    Card("listeners", "Listeners", "plots", "live/listeners.html"),
    Card("connect", "Connect", template="live/connect.html", opened=True),
    Card("selection", "Selection", summary="selected", needs="select"),
    Card(
        "decoders",
        "Start a decoder",
        opened=True,
        note="In a process of its own, as yours would be. It learns from the first three quarters of the "
        "trials.",
    ),
    Card(
        "driving",
        "Driver and steering",
        opened=True,
        note="Scores begin anew with every change; those until then are kept as a run.",
        needs="drive",
    ),
    Card(
        "electrodes",
        "Electrodes",
        opened=True,
        note="A change holds at most 0.4 s of bins after the newest.",
        needs="tune",
    ),
    Card("perturbation", "Perturbation", summary="perturbed"),
    Card(
        "schedule",
        "Schedule",
        note="Perturbations that change by themselves, counted from the beginning or the last restart.",
    ),
    Card("view", "View", summary="viewed"),
    Card("safety", "Limits of cursors", summary="limits"),
    Card("pictures", "Pictures"),
    Card(
        "comparison",
        "Comparison",
        "below",
        note="Means over trials. Two decoders are compared on the trials of which both answered every bin: "
        "intervals by bootstrap, p by Wilcoxon's signed-rank test.",
    ),
    Card("trials", "Trials", "below", needs="select"),
)
"""Of the page's own; cards of plugins follow in the same column as controls."""


BESIDE: Final = "controls"
"""The cards of the column "side", which stand beside all plots but the last ones."""
Row = tuple[str, str, str]
"""What stands in the wide, the narrow and the side column."""
PRESENT: Final = ("arena", "raster"), ("arena", "scores")
COMPARE: Final = ("raster", "undisturbed", BESIDE), ("arena", "scores", BESIDE)
"""Rows of the layouts that show a part of it all; the usual one is "monitor"."""


def layouts() -> str:
    """The style sheet of the layouts that ``data-view`` of the page's body names, but the usual one."""
    pair = "minmax(0, 1fr) minmax(0, 1fr)"
    styles = [*_layout("present", PRESENT, pair), *_layout("compare", COMPARE, f"{pair} 19rem")]
    narrow = [*(row[:2] for row in COMPARE), (BESIDE,) * 2]
    twins = ", ".join(f".plot-{name} .figure" for name in COMPARE[0][:2])
    styles.append(f"body[data-view=compare] :is({twins}) {{ min-height: 20rem; }}")
    styles += ["@media (max-width: 1000px) {", *_layout("compare", narrow, pair), "}"]
    return "\n".join(styles)


def _layout(name: str, rows: Sequence[tuple[str, ...]], columns: str) -> list[str]:
    plots, shown = f"body[data-view={name}] .plots", sorted({each for row in rows for each in row})
    classes = ", ".join(f".{BESIDE}" if each == BESIDE else f".plot-{each}" for each in shown)
    return [
        _template(rows, 0, columns, plots),
        f"{plots} > :not({classes}) {{ display: none; }}",
    ]


def grid(plotters: Sequence[type[Plotter]], *, controls: bool = True) -> str:
    """The style sheet that puts plots and cards in their places.

    Two columns of plots are filled from above, with the controls beside them. Below stand the plots that
    have the third column, with those of its row, and the tables. Without controls there are two columns,
    however wide the page.
    """
    twins = [each for each in plotters if each.place.twin]
    plotters = [each for each in plotters if not each.place.twin]
    last = max((i for i, each in enumerate(plotters) if each.place.width == "side"), default=len(plotters))
    first = next((i for i, each in enumerate(plotters) if each.place.last), last)
    above = [*plotters[:first], *plotters[last + 1 :]]
    upper = [(wide, narrow, BESIDE) for wide, narrow in _filled(above)]
    lower = {each.place.width: each.name for each in plotters[first : last + 1]}
    row = lower.get("wide", "."), lower.get("narrow", "."), lower.get("side", ".")
    tables = "scores", "listeners"
    full = [*upper, (".", ".", BESIDE), *([row] if lower else []), (*tables, tables[1])]
    two = [
        *(each[:2] for each in upper),
        *([row[:2]] if lower else []),
        (tables[0], row[2]),
        (tables[1],) * 2,
    ]
    names = [*(each.name for each in (*plotters, *twins)), *tables]
    pair = "minmax(0, 2fr) minmax(0, 1fr)"
    beside = (
        _template(full, len(upper), f"{pair} 19rem"),
        "@media (max-width: 1000px) {",
        _template([*two, (BESIDE,) * 2], -1, pair),
        "}",
    )
    return "\n".join(
        (
            *(beside if controls else (_template(two, -1, pair),)),
            *(f".plot-{name} {{ grid-area: {name}; }}" for name in names),
            *(f".plot-{each.name} .figure {{ min-height: {each.place.height}rem; }}" for each in plotters),
            *(f"body:not([data-view=compare]) .plot-{each.name} {{ display: none; }}" for each in twins),
            layouts(),
        )
    )


def _filled(plotters: Sequence[type[Plotter]]) -> list[tuple[str, str]]:
    """Rows of the two columns; the plot that comes last in one reaches down to the other's end."""
    wide, narrow = (
        [each.name for each in plotters if each.place.width == width for _ in range(each.place.rows)]
        for width in ("wide", "narrow")
    )
    n_rows = max(len(wide), len(narrow))
    for names in (wide, narrow):
        names += (names[-1:] or ["."]) * (n_rows - len(names))
    return list(zip(wide, narrow, strict=True))


def _template(rows: Sequence[tuple[str, ...]], spare: int, columns: str, plots: str = ".plots") -> str:
    """The grid's areas; the row `spare` takes the height that others leave."""
    lines = [f'"{" ".join(row)}" {"1fr" if i == spare else "auto"}' for i, row in enumerate(rows)]
    return f"{plots} {{ grid-template:\n{chr(10).join(lines)} / {columns}; }}"
