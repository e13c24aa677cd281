"""How far decoders' cursors are from the true one: a histogram for each decoder."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
from bokeh.models import Range1d
from bokeh.models.annotations import Span
from bokeh.models.ui import UIElement

from engine.answers.scores.decoder_score import WINDOW
from engine.answers.scores.histogram import ERROR, Counts
from engine.view import PLAIN
from plotters.arena import corners
from plotters.base import LIVE, Floats, News, Place, Replace, Scene, Set, Update
from plotters.drawing import nice_end, paint
from plotters.marks import MARKS, mark_columns
from plotters.scored import Scored

DECADES: Final = 3
"""Of the axis, below the arena's diagonal; what lies outside is shown at its ends."""
JOINED: Final = 2
"""Buckets of the scores that make one of the plot."""


class Errors(Scored):
    """On a logarithmic axis: a good decoder's errors are a tenth of a bad one's, or less."""

    name = "errors"
    title = "Position error"
    place = Place("narrow", height=9.4, last=True)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        low, high = corners(scene.recording)
        self.high = nice_end(float(np.hypot(*(high - low))))
        edges = ERROR.edges[::JOINED]
        self._shown = (edges > self.high / 10**DECADES) & (edges < self.high)
        self.edges = edges[self._shown].astype(np.float32)

    @property
    def caption(self) -> str:
        return f"Distance from the true cursor over {WINDOW} s. Marker: most frequent. Dotted: hit radius."

    def build(self) -> UIElement:
        unit = self.scene.recording.length_unit
        plot = self.plain_figure(
            f"Error ({unit})",
            "Share of bins (%)",
            x_axis_type="log",
            x_range=(self.high / 10**DECADES, self.high),
            y_range=Range1d(start=0, end=20, name=self.full_name("range")),
        )
        plot.xaxis.formatter.update(min_exponent=5)
        radius = Span(
            location=PLAIN.hit_radius, dimension="height", line_dash="dotted", name=self.full_name("radius")
        )
        paint(radius, line_color="muted")
        plot.add_layout(radius)
        blank = np.full(len(self.edges), np.nan, np.float32)
        for mark, (role, _) in enumerate(MARKS):
            source = self.source(f"bars {mark}", edge=self.edges, share=blank)
            steps = plot.step("edge", "share", source=source, level=LIVE, mode="after", line_width=2)
            paint(steps.glyph, line_color=role)
        none = [np.nan] * len(MARKS)
        self.add_markers(plot, self.source("peaks", x=none, y=none, **mark_columns()))
        return plot

    def draw(self, news: News) -> Iterable[Update]:
        peaks = np.full((len(MARKS), 2), np.nan, np.float32)
        for mark, summary in self.summaries(news):
            share = self.shares(summary.errors) if summary else np.full_like(self.edges, np.nan)
            at = int(np.argmax(share))  # of NaN the first, which is nowhere
            peaks[mark] = self.edges[at] * ERROR.ratio ** (JOINED / 2), share[at]
            yield Replace(f"bars {mark}", "share", share)
        yield Replace("peaks", "x", peaks[:, 0])
        yield Replace("peaks", "y", peaks[:, 1])
        highest = float(np.fmax.reduce(peaks[:, 1], initial=0.0))
        yield Set("range", {"end": nice_end(1.1 * highest or 20)})
        yield Set("radius", {"location": news.view.hit_radius})

    def shares(self, counts: Counts) -> Floats:
        """Per cent of bins from each edge to the next, shape (n_edges,); NaN if there are none."""
        total = counts.sum()
        if not total:
            return np.full_like(self.edges, np.nan)
        joined = np.add.reduceat(counts, np.arange(0, len(counts), JOINED))
        first, last = np.flatnonzero(self._shown)[[0, -1]]
        joined[first] += joined[:first].sum()
        joined[last] += joined[last + 1 :].sum()
        share: Floats = (100.0 * joined[self._shown] / total).astype(np.float32)
        return share
