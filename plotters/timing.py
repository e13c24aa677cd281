"""How late ticks were, and packets sent: over time, and as histograms beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
from bokeh.models import FixedTicker
from bokeh.models.annotations import Span
from bokeh.models.ui import UIElement
from bokeh.plotting import figure

from plotters.base import LIVE, TIME, Floats, News, Place, Plotter, Replace, Shift, Update
from plotters.columns import highest_of_columns
from plotters.drawing import paint

KINDS: Final = (
    ("tick", "good", "solid", 0.55),
    ("sent", "accent", "dashed", 0.0),
)
"""Name, the role of the colour, and dash and filling for those who see none."""

LOW, HIGH = 0.01, 1000.0
"""Milliseconds of the axis; what lies outside is shown at its ends."""
EDGES: Final = np.geomspace(LOW, HIGH, 51, dtype=np.float32)
WIDTH: Final = 0.2
"""Of the histograms, as a share of the time on screen."""
PERIOD: Final = 0.25
"""Seconds of recording from one histogram to the next."""


class Timing(Plotter):
    """On a logarithmic axis, so that a tenth of a millisecond and a tenth of a second both show."""

    name = "timing"
    title = "Timing"
    place = Place("narrow")

    @property
    def caption(self) -> str:
        return "Solid: lateness of ticks. Dashed: sent to decoders. Right: histograms. Dotted: one bin."

    def build(self) -> UIElement:
        seconds = self.scene.n_bins * self.scene.recording.bin_width
        plot = self.plain_figure(
            TIME,
            "Delay (ms)",
            y_axis_type="log",
            x_range=(-seconds, 1.05 * WIDTH * seconds),
            y_range=(LOW, HIGH),
        )
        plot.xaxis.ticker = FixedTicker(ticks=list(np.linspace(-seconds, 0, 6)))
        decades = [0.01, 0.1, 1.0, 10.0, 100.0, 1000.0]
        plot.yaxis.ticker = plot.ygrid.ticker = FixedTicker(ticks=decades)
        plot.yaxis.major_label_overrides = {value: f"{value:g}" for value in decades}
        bin_width = 1e3 * self.scene.recording.bin_width
        for line in (Span(location=0, dimension="height"), Span(location=bin_width, line_dash="dotted")):
            paint(line, line_color="muted")
            plot.add_layout(line)
        self._add_kinds(plot)
        return plot

    def update(self, news: News) -> Iterable[Update]:
        for name, values in delays(news, len(news.rows)).items():
            yield Shift("trace", name, highest_of_columns(values, self.scene.bins_per_column))
        if news.every(self.scene.bins(PERIOD)):
            yield from self._histograms(news)

    def start(self, news: News) -> Iterable[Update]:
        if len(news.rows):
            yield from self.update(news)
            yield from self._histograms(news)

    def _add_kinds(self, plot: figure) -> None:
        trace = self.source("trace", time=self.times(), tick=self.blank(), sent=self.blank())
        none = np.full(len(EDGES) - 1, np.nan, np.float32)
        bars = self.source("histogram", low=EDGES[:-1], high=EDGES[1:], tick=none, sent=none)
        for name, role, dash, alpha in KINDS:
            line = plot.line("time", name, source=trace, level=LIVE, line_dash=dash, line_width=1.5)
            paint(line.glyph, line_color=role)
            quads = plot.quad(
                left=0, right=name, bottom="low", top="high", source=bars, level=LIVE, fill_alpha=alpha
            )
            paint(quads.glyph, fill_color=role, line_color=role)

    def _histograms(self, news: News) -> Iterator[Update]:
        for name, values in delays(news, self.scene.n_bins).items():
            yield Replace("histogram", name, self.bars(values))

    def bars(self, delays: Floats) -> Floats:
        """Lengths of a histogram's bars, s of the axis, shape (len(EDGES) - 1,); NaN for no bar."""
        known = delays[np.isfinite(delays)]
        n, _ = np.histogram(known, EDGES)
        length = WIDTH * self.scene.n_bins * self.scene.recording.bin_width
        return np.where(n > 0, n * length / max(n.max(), 1), np.nan).astype(np.float32)


def delays(news: News, n: int) -> dict[str, Floats]:
    """Milliseconds, within the axis, of the newest n bins, shape (n,), by kind."""
    return {
        name: np.clip(1e3 * seconds[-n:], LOW, HIGH)
        for name, seconds in (("tick", news.recent["lateness"]), ("sent", news.sent))
    }
