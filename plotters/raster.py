"""Spike raster: one row a unit, one column a bin, the newest on the right."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from bokeh.models import BasicTicker, FixedTicker, LinearColorMapper, Range1d
from bokeh.models.annotations import ColorBar
from bokeh.models.glyphs import Image
from bokeh.models.ui import UIElement

from engine.bins.schema import Rows
from engine.view import PLAIN, Units, View, shown_units
from plotters.base import LIVE, News, Plotter, Scene, Set, Shift, Update
from plotters.drawing import nice_end, paint, paint_labels

BLANK = 0
UNOBSERVED = 255
"""Pixels that are no counts; a count c is 1 + c."""

UNTHEMED = ("black",)
"""A mapper must have a palette; the theme gives it the real one."""

LABELS = 8
"""Units named at the axis, at most."""

ORDERS = {"index": "Unit", "rate": "Unit, by mean rate", "direction": "Unit, by preferred direction"}

MIN_TOP, MAX_TOP = 3, 200
"""Bounds of the count that has the last colour."""


class Raster(Plotter):
    """An image of spike counts that moves to the left. Hidden units leave rows free at the top."""

    name = "raster"
    title = "Spike raster"

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self.n_units = scene.recording.n_units
        self.top = top_count(scene)

    @property
    def caption(self) -> str:
        width = 1e3 * self.scene.bins_per_column * self.scene.recording.bin_width
        return f"Colour: spikes of a unit in {width:g} ms. Grey: not recorded. Empty: lost."

    def build(self) -> UIElement:
        seconds = self.scene.n_bins * self.scene.recording.bin_width
        y_range = Range1d(start=0, end=self.n_units, name=self.full_name("rows"))
        plot = self.time_figure(ORDERS["index"], y_range=y_range)
        plot.grid.visible = False
        labels = self.labels(PLAIN)
        plot.yaxis.update(
            name=self.full_name("units"),
            ticker=FixedTicker(ticks=list(labels), name=self.full_name("ticks")),
            major_label_overrides=labels,
        )
        blank = np.full((self.n_units, self.scene.n_columns), BLANK, np.uint8)
        mapper = LinearColorMapper(palette=UNTHEMED, low=1, high=1 + self.top, low_color="rgba(0, 0, 0, 0)")
        paint(mapper, palette="counts", high_color="unobserved")
        image = Image(image="image", x=-seconds, y=0, dw=seconds, dh=self.n_units, color_mapper=mapper)
        plot.add_glyph(self.source("spikes", image=[blank]), image, level=LIVE)
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
        shown = shown_units(self.scene.recording, news.view)
        pixels = self.pixels(news.rows, shown)
        image = np.full((self.n_units, pixels.shape[1]), BLANK, np.uint8)
        image[: len(shown)] = pixels
        yield Shift("spikes", "image", image)

    def start(self, news: News) -> Iterable[Update]:
        shown, labels = shown_units(self.scene.recording, news.view), self.labels(news.view)
        yield Set("rows", {"end": max(len(shown), 1)})
        yield Set("ticks", {"ticks": list(labels)})
        yield Set("units", {"axis_label": ORDERS[news.view.order], "major_label_overrides": labels})
        yield from super().start(news)

    def labels(self, view: View) -> dict[float, str]:
        """Some of the units, by the places of their rows on the axis."""
        shown = shown_units(self.scene.recording, view)
        step = math.ceil(nice_end(max(len(shown) / LABELS, 1)))
        return {row + 0.5: str(shown[row]) for row in range(0, len(shown), step)}

    def pixels(self, rows: Rows, units: Units) -> npt.NDArray[np.uint8]:
        """Colour indices of whole columns.

        Parameters
        ----------
        rows : ndarray, shape (n,), dtype `engine.bins.schema.row_dtype`
        units : ndarray of int, shape (n_shown,)
            From below.

        Returns
        -------
        ndarray of uint8, shape (n_shown, n_columns)
        """
        k = self.scene.bins_per_column
        shape = len(rows) // k, k, len(units)
        lost = rows["lost"]
        sent = rows["counts"][:, units]
        sent[lost] = 0
        counts = sent.reshape(shape).sum(axis=1, dtype=np.uint32)
        pixels: npt.NDArray[np.uint8] = (1 + np.minimum(counts, self.top)).astype(np.uint8)
        gone = np.logical_not(rows["observed"].reshape(-1, k).any(axis=1))
        if gone.any():
            pixels[gone[:, None] & (counts == 0)] = UNOBSERVED
        pixels[lost.reshape(-1, k).all(axis=1)] = BLANK
        return pixels.T


def top_count(scene: Scene) -> int:
    """The count that one column in a thousand exceeds, for the end of the palette."""
    counts, k = scene.recording.counts, scene.bins_per_column
    n = len(counts) // k
    if n == 0:
        return MIN_TOP
    columns = counts[: n * k].reshape(n, k, -1)[:: n // 1000 + 1].sum(axis=1, dtype=np.uint32)
    return int(np.clip(np.ceil(np.quantile(columns, 0.999)), MIN_TOP, MAX_TOP))
