"""The array from above: noise of each electrode, and how many spikes are found there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt
from bokeh.models import (
    BasicTicker,
    ColumnDataSource,
    DataRange1d,
    HoverTool,
    LinearColorMapper,
)
from bokeh.models.annotations import ColorBar
from bokeh.models.glyphs import Circle, Rect
from bokeh.models.renderers import GlyphRenderer
from bokeh.models.ui import UIElement
from bokeh.plotting import figure

from engine.bins.description import Description
from engine.geometry import PITCH, places
from engine.view import waveform_channel
from plotters.base import LIVE, Floats, News, Place, Plotter, Replace, Scene, Set, Update
from plotters.columns import spike_rates
from plotters.drawing import nice_end, paint, paint_labels
from plotters.raster import UNTHEMED

NOW: Final = 2.0
"""Seconds of recording, over which spikes are counted."""
PERIOD: Final = 1.0
"""Seconds of recording from one update to the next."""
CELL: Final = 0.92
"""Of the pitch, that a cell takes."""
FULL: Final = 100.0
"""Spikes per second whose dot fills its cell; areas go with rates."""
UNUSUAL: Final = 0.5, 1.5
"""Noise below or above so many times the array's median is marked."""


class Array(Plotter):
    """A cell an electrode, where `engine.geometry.places` has it."""

    name = "array"
    title = "Array"
    place = Place("narrow")

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self.n_now = scene.bins(NOW)

    @classmethod
    def suits(cls, description: Description) -> bool:
        return description.sampled

    @property
    def caption(self) -> str:
        return (
            f"Colour: noise, uV. Dot: spikes found, full at {FULL:g}/s. Red: unusual noise. "
            "Click one to see its waveforms."
        )

    def build(self) -> UIElement:
        n = self.scene.recording.n_units
        ranges = DataRange1d(range_padding=0.02), DataRange1d(range_padding=0.02)
        plot = self.plain_figure(
            "x (mm)", "y (mm)", x_range=ranges[0], y_range=ranges[1], match_aspect=True
        )
        plot.grid.visible = False
        for axis in plot.axis:
            axis.ticker = BasicTicker(desired_num_ticks=4)
        x, y = places(n).T
        unknown = np.full(n, np.nan, np.float32)
        source = self.source(
            "electrodes",
            x=x,
            y=y,
            noise=unknown,
            rate=unknown,
            radius=unknown,
            unusual=np.zeros(n, np.float32),
            channel=[str(channel) for channel in range(n)],
        )
        mapper = LinearColorMapper(
            palette=UNTHEMED, low=0, high=1, nan_color="rgba(0, 0, 0, 0)", name=self.full_name("colours")
        )
        paint(mapper, palette="counts")
        cells = self._add_cells(plot, source, mapper)
        ranges[0].renderers = ranges[1].renderers = [cells]
        tip = [("Electrode", "@channel"), ("Noise", "@noise{0.0} uV"), ("Found", "@rate{0.0} spikes/s")]
        plot.add_tools(HoverTool(renderers=[cells], tooltips=tip))
        bar = ColorBar(color_mapper=mapper, ticker=BasicTicker(desired_num_ticks=4), width=10, padding=8)
        paint_labels(bar)
        paint(bar, background_fill_color="card", bar_line_color="line")
        plot.add_layout(bar, "right")
        return plot

    def _add_cells(
        self, plot: figure, source: ColumnDataSource, mapper: LinearColorMapper
    ) -> GlyphRenderer[Rect]:
        side = CELL * PITCH
        cell = Rect(
            x="x",
            y="y",
            width=side,
            height=side,
            fill_color={"field": "noise", "transform": mapper},
            line_width="unusual",
        )
        cells = plot.add_glyph(source, cell, level=LIVE)
        paint(cells.glyph, line_color="bad")
        dot = Circle(x="x", y="y", radius="radius", line_color=None)
        paint(plot.add_glyph(source, dot, level=LIVE).glyph, fill_color="plot")
        nowhere = self.source("chosen", x=[np.nan], y=[np.nan])
        chosen = Rect(x="x", y="y", width=PITCH, height=PITCH, fill_color=None, line_width=2.5)
        paint(plot.add_glyph(nowhere, chosen, level=LIVE).glyph, line_color="text")
        return cells

    def should_update(self, news: News) -> bool:
        return news.every(self.scene.bins(PERIOD))

    def update(self, news: News) -> Iterable[Update]:
        assert news.noise is not None
        rates = spike_rates(news.recent[-self.n_now :], self.scene.recording.bin_width)
        median = float(np.median(news.noise))
        radii = CELL * PITCH / 2 * np.sqrt(rates / FULL).clip(0, 1)
        yield Replace("electrodes", "noise", news.noise)
        yield Replace("electrodes", "rate", rates)
        yield Replace("electrodes", "radius", radii.astype(np.float32))
        yield Replace("electrodes", "unusual", 2.5 * unusual(news.noise).astype(np.float32))
        yield Set("colours", {"high": nice_end(2 * median)})

    def start(self, news: News) -> Iterable[Update]:
        yield from self.update(news)
        channel = waveform_channel(self.scene.recording, news.view)
        for column, value in zip(("x", "y"), places(self.scene.recording.n_units)[channel], strict=True):
            yield Replace("chosen", column, np.full(1, value, np.float32))


def unusual(noise: Floats) -> npt.NDArray[np.bool_]:
    """Which electrodes are far from the median of all, as dead and noisy ones are, shape (n_channels,)."""
    low, high = UNUSUAL
    median = np.median(noise)
    return (noise < low * median) | (noise > high * median)
