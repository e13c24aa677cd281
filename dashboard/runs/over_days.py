"""The figure of a score over days: a point a run, a line through each decoder's means of a day."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import panel as pn
from bokeh.models import ColumnDataSource, HoverTool
from bokeh.plotting import figure
from panel.viewable import Viewable

from dashboard import theme
from dashboard.ground import Ground, paint_all
from dashboard.live.controls import stack
from dashboard.runs.words import called
from plotters.drawing import paint, paint_figure

MARKERS: Final = (
    "circle", "triangle", "square", "diamond", "inverted_triangle", "hex", "star", "plus", "x",
)  # fmt: skip
"""A shape as well as a colour to each decoder."""
OTHERS: Final = "others"
DAY: Final = 86_400.0

Points = Sequence[tuple[str, float, float]]
"""Decoder, Unix seconds and score."""


class OverDays:
    """One figure, whose sources change."""

    def __init__(self) -> None:
        self._points = ColumnDataSource({name: [] for name in ("t", "score", "decoder", "marker", "color")})
        self._means = ColumnDataSource({name: [] for name in ("t", "score", "color")})
        self._ranked: list[str] = []
        self._ground = Ground()  # type: ignore[no-untyped-call]
        self._ground.param.watch(lambda _: self._paint(), "theme")
        self._plot = self._made()
        self._paint()

    def view(self) -> Viewable:
        return stack(pn.pane.Bokeh(self._plot, sizing_mode="stretch_width"), self._ground)  # type: ignore[no-untyped-call]

    def fill(self, score: str, points: Points) -> None:
        """Show these."""
        self._plot.yaxis.axis_label = called(score)
        counted = Counter(decoder for decoder, *_ in points).most_common(len(MARKERS))
        self._ranked = [decoder for decoder, _ in counted]
        rank = {decoder: i for i, decoder in enumerate(self._ranked)}
        ranks = [rank.get(decoder, -1) for decoder, *_ in points]
        times = np.array([local(ended) for _, ended, _ in points])
        values = np.array([value for *_, value in points], np.float64)
        colours = self._colours()
        self._points.data = {
            "t": 1e3 * times,
            "score": values,
            "decoder": [OTHERS if i < 0 else self._ranked[i] for i in ranks],
            "marker": ["dot" if i < 0 else MARKERS[i] for i in ranks],
            "color": [colours[i] for i in ranks],
        }
        lines = [_daily(times[chosen], values[chosen]) for chosen in _each(ranks, len(self._ranked))]
        self._means.data = {
            "t": [line[0] for line in lines],
            "score": [line[1] for line in lines],
            "color": colours[: len(lines)],
        }

    def _made(self) -> figure:
        plot = figure(
            height=280,
            sizing_mode="stretch_width",
            x_axis_type="datetime",
            tools="pan,box_zoom,wheel_zoom,reset",
            toolbar_location="above",
        )
        plot.toolbar.logo = None
        plot.toolbar.active_scroll = None
        plot.multi_line("t", "score", color="color", line_width=2, source=self._means)
        points = plot.scatter(
            "t", "score", marker="marker", color="color", size=8, alpha=0.6, legend_field="decoder",
            source=self._points,
        )  # fmt: skip
        tips = [("", "@decoder"), ("", "@t{%F %H:%M}"), ("", "@score{0.000}")]
        plot.add_tools(HoverTool(renderers=[points], tooltips=tips, formatters={"@t": "datetime"}))
        plot.add_layout(plot.legend[0], "right")
        plot.legend[0].update(border_line_color=None, padding=4)
        paint(plot.legend[0], background_fill_color="card", label_text_color="text", label_text_font="font")
        paint_figure(plot)
        plot.border_fill_color = None  # the card's own shows, in either theme
        return plot

    def _colours(self) -> list[str]:
        """By rank; the last is that of all others."""
        return [*theme.group_colours(self._ground.theme), theme.COLOURS[self._ground.theme]["muted"]]

    def _paint(self) -> None:
        paint_all(self._plot, self._ground.theme)
        colours = self._colours()
        rank = {decoder: i for i, decoder in enumerate(self._ranked)}
        decoders = self._points.data["decoder"]
        self._points.data = {
            **self._points.data,
            "color": [colours[rank.get(decoder, -1)] for decoder in decoders],
        }
        self._means.data = {**self._means.data, "color": colours[: len(self._means.data["t"])]}


def local(unix: float) -> float:
    """The server's local time, as Bokeh's axes take it: as if it were UTC."""
    return unix + time.localtime(unix).tm_gmtoff


def _each(ranks: Sequence[int], n: int) -> list[Any]:
    every = np.array(ranks, np.intp)
    return [np.flatnonzero(every == i) for i in range(n)]


def _daily(times: Any, values: Any) -> tuple[Any, Any]:
    """The middles of days in ms, and the means of their scores."""
    days, which = np.unique(times // DAY, return_inverse=True)
    means = np.bincount(which, values) / np.bincount(which)
    return 1e3 * DAY * (days + 0.5), means
