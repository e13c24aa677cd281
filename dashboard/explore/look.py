"""How the plots of the Explore page look: the dark theme's colours, which the page turns for the light one.

Bokeh draws on a canvas that cannot read the page's variables. So every plot is drawn in the colours of the
dark theme on no ground, and `resources/explore.css` turns lightness and keeps hue where the page is light.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import holoviews as hv
import numpy as np
from bokeh.themes import Theme

from dashboard.theme import COLOURS, FONT, GROUP_COLOURS, count_palette
from engine.analysis import MAX_GROUPS

hv.extension("bokeh", logo=False)

DARK: Final = COLOURS["dark"]
COUNTS: Final = count_palette("dark")[1:]
GROUPS: Final[dict[str, Any]] = {"cmap": list(GROUP_COLOURS), "clim": (-0.5, MAX_GROUPS - 0.5)}
"""For elements whose colour stands for a group, as a float: Bokeh takes an integer for a colour."""
BORDERS: Final = {
    "paths": (62, 12, 12, 62),
    "raster": (104, 12, 6, 48),
    "psth": (104, 12, 6, 48),
    "tuning": (62, 12, 12, 62),
    "preferred": (10, 10, 10, 10),
    "rates": (62, 12, 12, 62),
    "found": (62, 12, 12, 62),
}
"""Pixels left, right, above and below: times stand below each other, and squares are square."""


def bokeh_theme(card: str) -> Theme:
    """What Bokeh draws around a plot."""
    sides = zip(("left", "right", "top", "bottom"), BORDERS[card], strict=True)
    axis = {
        f"{part}_text_{what}": value
        for part, colour in (("major_label", DARK["muted"]), ("axis_label", DARK["text"]))
        for what, value in (
            ("color", colour),
            ("font", FONT),
            ("font_size", "12px"),
            ("font_style", "normal"),
        )
    }
    lines = {f"{part}_line_color": DARK["edge"] for part in ("axis", "major_tick")}
    attributes = {
        "Plot": {
            "background_fill_color": None,
            "border_fill_color": None,
            "outline_line_color": None,
            **{f"min_border_{side}": pixels for side, pixels in sides},
        },
        "Axis": {**axis, **lines, "minor_tick_line_color": None},
        "Grid": {"grid_line_color": DARK["grid"]},
        "BoxAnnotation": {
            "fill_color": DARK["accent"],
            "fill_alpha": 0.15,
            "line_color": DARK["accent"],
        },
    }
    return Theme(json={"attrs": attributes})


class Said(NamedTuple):
    """What a card says of its plot; or, in its place, why there is none."""

    text: str
    lacks: bool = False


def dressed(element: Any, **opts: Any) -> Any:
    """A plot as large as its place, without a toolbar; its ranges follow what it shows."""
    common = {"responsive": True, "show_legend": False, "show_grid": True, "framewise": True}
    return element.opts(**common | {"toolbar": None, "default_tools": []} | opts)


def square(x: Any, y: Any) -> dict[str, tuple[float, float]]:
    """Limits of as much in both directions, around all points."""
    low, high = np.array([np.nanmin((x, y), axis=1), np.nanmax((x, y), axis=1)])
    half = 0.54 * max((high - low).max(), 1e-9)
    (left, bottom), (right, top) = (low + high) / 2 - half, (low + high) / 2 + half
    return {"xlim": (left, right), "ylim": (bottom, top)}


def mark(at: float) -> Any:
    """A vertical line at an event or a value."""
    return hv.VLine(at).opts(color=DARK["text"], line_width=1.5, line_dash="dashed")
