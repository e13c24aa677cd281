"""The figures of the Explore page, composed by HoloViews once for all pages.

Composing takes HoloViews about a second, and a DynamicMap 30 to 130 ms per change, on the event loop
that all pages share. So a process of its own makes the figures once and writes them, without data, as
JSON (``python -m dashboard.explore.figures``); the server loads neither HoloViews nor pandas. Afterwards
only sources and ranges change, in the browser. The names by which `dashboard.explore.drawing` speaks of
those are given here.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

import holoviews as hv
import numpy as np
from bokeh.document import Document
from bokeh.document.json import DocJson
from bokeh.models import BoxSelectTool, DataRange1d, FixedTicker, LinearColorMapper, Range1d, Toolbar
from bokeh.plotting import figure

from engine.analysis import MAX_GROUPS
from plotters.drawing import paint, paint_figure

GROUP_COLOURS = {"cmap": ["black"] * MAX_GROUPS, "clim": (-0.5, MAX_GROUPS - 0.5), "color": "group"}
"""The theme gives the real palette; HoloViews maps the groups to it."""
LEFT = 96
"""Pixels left of raster and PSTH, so that their times stand below each other."""
PAIR = np.arange(2.0)
"""Placeholder: with a single value HoloViews would take a constant for a colour."""


def compose() -> DocJson:
    """All figures, without data, as the JSON of a document; its roots are named as in `COMPOSERS`."""
    hv.extension("bokeh", logo=False)
    document = Document()
    for name, composer in COMPOSERS.items():
        plot = hv.render(composer(), backend="bokeh")
        plot.name = name
        dress(plot)
        if name in FINISHERS:
            FINISHERS[name](plot)
        document.add_root(plot)
    return document.to_json(deferred=False)


def part(element: Any, name: str, mapped: str = "", **roles: str) -> Any:
    """Name the source of an element, and leave its colours to the theme.

    Parameters
    ----------
    element : HoloViews element
    name : str
        Of its source.
    mapped : str
        Role of the palette, where colours stand for numbers.
    **roles : str
        Of the glyph's properties.
    """

    def finish(plot: Any, _: Any) -> None:
        renderer = plot.handles["glyph_renderer"]
        renderer.data_source.name = name
        renderer.update(
            nonselection_glyph=None, selection_glyph=None, muted_glyph=None, hover_glyph=None, tags=[]
        )
        paint(renderer.glyph, **roles)
        if mapped:
            mapper = renderer.glyph.select_one({"type": LinearColorMapper})
            mapper.name = f"{name}/colours"
            paint(mapper, palette=mapped)

    return element.opts(hooks=[finish])


def mark(at: float, name: str) -> Any:
    """A vertical line."""

    def finish(plot: Any, _: Any) -> None:
        plot.handles["glyph"].name = name
        paint(plot.handles["glyph"], line_color="text")

    return hv.VLine(at).opts(hooks=[finish], line_width=1.5, line_dash="dashed")


def compose_paths() -> Any:
    x, y = hv.Dimension("x", label="x"), hv.Dimension("y", label="y")
    line = {"x": PAIR, "y": PAIR}
    coloured = [{**line, "group": group} for group in range(2)]
    others = hv.Path([line], [x, y]).opts(line_width=1, alpha=0.55)
    chosen = hv.Path(coloured, [x, y], "group").opts(line_width=1.3, alpha=0.85, **GROUP_COLOURS)
    targets = hv.Points((PAIR, PAIR, PAIR), [x, y], "group")
    return (
        part(others, "paths/others", line_color="unobserved")
        * part(chosen, "paths/chosen", mapped="groups")
        * part(
            targets.opts(size=12, marker="square", line_width=2, **GROUP_COLOURS),
            "paths/targets",
            mapped="groups",
            line_color="card",
        )
    )


def compose_raster() -> Any:
    time, row = hv.Dimension("time"), hv.Dimension("row", label="Trial")
    image = hv.Image((PAIR, PAIR, np.zeros((2, 2))), [time, row], "spikes")
    strip = hv.Rectangles((PAIR, PAIR, PAIR + 1, PAIR + 1, PAIR), [time, row, "x1", "y1"], "group")
    return (
        part(image.opts(cmap=["black", "white"]), "raster/spikes", mapped="counts")
        * part(strip.opts(line_width=0, line_color=None, **GROUP_COLOURS), "raster/strip", mapped="groups")
        * mark(0, "raster/event")
    )


def compose_psth() -> Any:
    time, rate = hv.Dimension("time"), hv.Dimension("rate", label="Rate (Hz)")
    rows = [{"time": PAIR, "rate": PAIR, "group": group} for group in range(2)]
    corners = {"time": np.array([0.0, 1.0, 1.0]), "rate": np.array([0.0, 1.0, 0.0])}
    shapes = [{**corners, "group": group} for group in range(2)]
    band = hv.Polygons(shapes, [time, rate], "group").opts(alpha=0.18, line_alpha=0, **GROUP_COLOURS)
    mean = hv.Path(rows, [time, rate], "group").opts(line_width=2.2, **GROUP_COLOURS)
    return (
        part(band, "psth/sem", mapped="groups")
        * part(mean, "psth/mean", mapped="groups")
        * mark(0, "psth/event")
    )


def compose_tuning() -> Any:
    direction = hv.Dimension("direction", label="Direction of reach (°)")
    rate = hv.Dimension("rate", label="Rate (Hz)")
    fit = hv.Curve((PAIR, PAIR), direction, rate).opts(line_width=2)
    error = hv.Segments((PAIR, PAIR, PAIR, PAIR), [direction, rate, "direction1", "rate1"]).opts(
        line_width=2
    )
    means = hv.Points((PAIR, PAIR, PAIR), [direction, rate], "group")
    return (
        part(fit, "tuning/fit", line_color="muted")
        * part(error, "tuning/sem", line_color="text")
        * part(
            means.opts(size=11, line_width=1.5, **GROUP_COLOURS),
            "tuning/means",
            mapped="groups",
            line_color="card",
        )
        * mark(0, "tuning/preferred")
    )


def compose_preferred() -> Any:
    x, y = hv.Dimension("x", label="x"), hv.Dimension("y", label="y")
    rings = hv.Path([{"x": PAIR, "y": PAIR}], [x, y]).opts(line_width=1)
    ends = [x, y, "x1", "y1"]
    units = hv.Segments((PAIR, PAIR, PAIR, PAIR), ends).opts(line_width=1.3, alpha=0.8)
    unit = hv.Segments((PAIR, PAIR, PAIR, PAIR), ends).opts(line_width=3.5)
    tips = hv.Points((PAIR, PAIR), [x, y]).opts(size=6, line_width=0)
    tip = hv.Points((PAIR, PAIR), [x, y]).opts(size=11, line_width=1.5)
    labels = hv.Labels((PAIR, PAIR, ["", ""]), [x, y], "label").opts(
        text_align="left", text_baseline="bottom", text_font_size="12px"
    )
    return (
        part(rings, "preferred/rings", line_color="line")
        * part(units, "preferred/units", line_color="good")
        * part(tips, "preferred/tips", fill_color="good", line_color="good")
        * part(unit, "preferred/unit", line_color="accent")
        * part(tip, "preferred/tip", fill_color="accent", line_color="card")
        * part(labels, "preferred/labels", text_color="muted", text_font="font")
    )


def compose_rates() -> Any:
    rate = hv.Dimension("rate", label="Mean rate (Hz)")
    bars = hv.Histogram((np.arange(3.0), PAIR), kdims=rate, vdims=hv.Dimension("units", label="Units"))
    return part(bars, "rates/units", fill_color="good", line_color="card") * mark(0, "rates/unit")


COMPOSERS: Mapping[str, Callable[[], Any]] = {
    "paths": compose_paths,
    "raster": compose_raster,
    "psth": compose_psth,
    "tuning": compose_tuning,
    "preferred": compose_preferred,
    "rates": compose_rates,
}


def dress(plot: figure) -> None:
    """Colours and fonts of the theme, no tools, and ranges that updates or the data set."""
    plot.update(
        sizing_mode="stretch_both",
        width=None,
        height=None,
        min_width=None,
        min_height=None,
        max_width=None,
        max_height=None,
        margin=0,
        min_border_left=62,
        title=None,
        border_fill_color=None,
        toolbar=Toolbar(),
        toolbar_location=None,
        x_range=Range1d(name=f"{plot.name}/x"),
        y_range=DataRange1d(start=0, range_padding=0.1),
    )
    paint_figure(plot)


def _square(plot: figure) -> None:
    plot.update(x_range=DataRange1d(), y_range=DataRange1d(), match_aspect=True)


def _finish_paths(plot: figure) -> None:
    _square(plot)
    box = BoxSelectTool(renderers=[])
    plot.add_tools(box)
    plot.toolbar.active_drag = box
    paint(box.overlay, line_color="accent", fill_color="accent")
    box.overlay.update(fill_alpha=0.15, line_width=1.5)


def _finish_aligned(plot: figure) -> None:
    plot.min_border_left = LEFT
    plot.xaxis[0].name = f"{plot.name}/time"


def _finish_raster(plot: figure) -> None:
    _finish_aligned(plot)
    plot.y_range = Range1d(name="raster/y")
    plot.grid.visible = False
    plot.yaxis[0].update(name="raster/groups", ticker=FixedTicker(name="raster/ticks"), axis_label=None)
    for mapper in plot.select({"name": "raster/spikes/colours"}):
        paint(mapper, nan_color="grid")


def _finish_tuning(plot: figure) -> None:
    plot.x_range = Range1d(start=-180, end=180)
    plot.xaxis.ticker = FixedTicker(ticks=[-180, -90, 0, 90, 180])


def _finish_preferred(plot: figure) -> None:
    _square(plot)
    plot.min_border_left = 0
    plot.axis.visible = False
    plot.grid.visible = False


def _finish_rates(plot: figure) -> None:
    plot.x_range = DataRange1d(start=0)


FINISHERS: Mapping[str, Callable[[figure], None]] = {
    "psth": _finish_aligned,
    "paths": _finish_paths,
    "raster": _finish_raster,
    "tuning": _finish_tuning,
    "preferred": _finish_preferred,
    "rates": _finish_rates,
}


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):  # the server has gone down meanwhile
        json.dump(compose(), sys.stdout)
        sys.stdout.flush()
