"""Spike raster: one row a unit, one column a bin, the newest on the right."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from bokeh.models import BasicTicker, LinearColorMapper
from bokeh.models.annotations import ColorBar
from bokeh.models.glyphs import Image
from bokeh.models.ui import UIElement

from engine.ring import Rows
from plotters.base import News, Plotter, Scene, Shift, Update, paint, paint_labels

BLANK = 0
UNOBSERVED = 255
"""Pixels that are no counts; a count c is 1 + c."""

UNTHEMED = ("black",)
"""A mapper must have a palette; the theme gives it the real one."""

MIN_TOP, MAX_TOP = 3, 200
"""Bounds of the count that has the last colour."""


class Raster(Plotter):
    """An image of spike counts that moves to the left."""

    name = "raster"
    title = "Spike raster"

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self.n_units = scene.recording.n_units
        self.top = top_count(scene)

    @property
    def caption(self) -> str:
        width = 1e3 * self.scene.bins_per_column * self.scene.recording.bin_width
        return f"Colour: spikes of a unit in {width:g} ms. Hatched: not recorded."

    def build(self) -> UIElement:
        seconds = self.scene.n_bins * self.scene.recording.bin_width
        plot = self.plain_figure(
            "Time before the newest bin (s)", "Unit", x_range=(-seconds, 0), y_range=(0, self.n_units)
        )
        plot.grid.visible = False
        plot.yaxis.ticker = BasicTicker(min_interval=1)
        blank = np.full((self.n_units, self.scene.n_columns), BLANK, np.uint8)
        mapper = LinearColorMapper(palette=UNTHEMED, low=1, high=1 + self.top, low_color="rgba(0, 0, 0, 0)")
        paint(mapper, palette="counts", high_color="unobserved")
        image = Image(image="image", x=-seconds, y=0, dw=seconds, dh=self.n_units, color_mapper=mapper)
        plot.add_glyph(self.source("spikes", image=[blank]), image)
        # The pixels are counts plus one, so the bar has a mapper of its own, which counts from zero.
        scale = LinearColorMapper(palette=UNTHEMED, low=0, high=self.top)
        paint(scale, palette="counts")
        bar = ColorBar(
            color_mapper=scale,
            ticker=BasicTicker(min_interval=1, desired_num_ticks=4),
            width=10,
            padding=8,
        )
        paint_labels(bar)
        paint(bar, background_fill_color="card", bar_line_color="line")
        plot.add_layout(bar, "right")
        return plot

    def update(self, news: News) -> Iterable[Update]:
        yield Shift("spikes", "image", self.pixels(news.rows))

    def pixels(self, rows: Rows) -> npt.NDArray[np.uint8]:
        """Colour indices of whole columns.

        Returns
        -------
        ndarray of uint8, shape (n_units, n_columns)
        """
        k = self.scene.bins_per_column
        counts = rows["counts"].reshape(-1, k, self.n_units).sum(axis=1, dtype=np.uint32)
        pixels = (1 + np.minimum(counts, self.top)).astype(np.uint8)
        gone = np.logical_not(rows["observed"].reshape(-1, k).any(axis=1))
        if gone.any():
            # Diagonals that travel with their bins: a column's phase is its number in the session.
            column = rows["sequence_number"][::k] // k
            stripe = (column[:, None] + np.arange(self.n_units)) % 6 < 2
            pixels[gone[:, None] & stripe & (counts == 0)] = UNOBSERVED
        return np.ascontiguousarray(pixels.T)


def top_count(scene: Scene) -> int:
    """The count that one column in a thousand exceeds, for the end of the palette."""
    counts, k = scene.recording.counts, scene.bins_per_column
    n = len(counts) // k
    if n == 0:
        return MIN_TOP
    columns = counts[: n * k].reshape(n, k, -1)[:: n // 1000 + 1].sum(axis=1, dtype=np.uint32)
    return int(np.clip(np.ceil(np.quantile(columns, 0.999)), MIN_TOP, MAX_TOP))
