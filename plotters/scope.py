"""The scope: voltages of up to 16 electrodes as spikes are found in them, with found and true ones."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

import numpy as np
from bokeh.models import FixedTicker, Range1d
from bokeh.models.annotations import Span
from bokeh.models.glyphs import Scatter, Segment
from bokeh.models.ui import UIElement
from scipy.signal import sosfilt

from engine.bins.description import Description
from engine.bins.troughs import Troughs
from engine.broadband import SAMPLING_RATE
from engine.stages.detection.detector import sections
from engine.stages.detection.settings import Detection
from engine.view import PLAIN, SCOPE, View, scope_channels
from plotters.base import LIVE, Floats, News, Place, Plotter, Replace, Scene, Set, Shift, Trace, Update
from plotters.drawing import paint

N_COLUMNS: Final = 500
"""On screen; each shows the least and the most of its samples."""
BELOW: Final = 0.6
"""Of a row: where its spikes are marked."""
ROOM: Final = 0.85
"""Of a row: as far a line goes at most, as the outermost must lie within the axes."""
LOWEST, HIGHEST = 0.1, 0.9
"""Ends of the axis of rows, from the last one less one and the first."""
SPIKES: Final = (("true", "good", False), ("found", "accent", True))
"""Sources of spikes, the roles of their colours, and whether their marks are filled."""


class Scope(Plotter):
    """Band-passed as the detector does; a channel's line is the least and the most of each column."""

    name = "scope"
    title = "Scope"
    place = Place(rows=2, height=20.0)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._sections = sections(Detection())
        self._begin(PLAIN)

    def _begin(self, view: View) -> None:
        """Show nothing yet, in a view."""
        self._view = view
        self._per_column = round(view.scope_seconds * SAMPLING_RATE / N_COLUMNS)
        self._window: Floats = np.full((2 * N_COLUMNS, SCOPE), np.nan, np.float32)
        self._left: Floats = np.empty((0, SCOPE), np.float32)  # samples that fill no column yet
        self._stop = 0  # of the samples in columns
        self._state = np.zeros((len(self._sections), 2, SCOPE), np.float32)
        nothing = Troughs(np.zeros(0, np.int64), np.zeros(0, np.int32))
        self._spikes: list[Troughs] = [nothing, nothing]
        self._thresholds: Floats = np.full(0, np.nan, np.float32)

    @classmethod
    def suits(cls, description: Description) -> bool:
        return description.sampled

    @property
    def caption(self) -> str:
        spikes = "Ring: a true spike. Dot: a found one; alone, made up."
        if not self.scene.recording.truth:
            spikes = "Dot: a found spike."
        threshold = "Dashed: threshold; drag it to set it by hand, double-click to undo that."
        return f"300 to 3,000 Hz. {spikes} {threshold}"

    def build(self) -> UIElement:
        labels = self._labels(PLAIN)
        plot = self.plain_figure(
            "Time before the newest sample (s)",
            "Electrode",
            x_range=Range1d(start=-PLAIN.scope_seconds, end=0, name=self.full_name("times")),
            y_range=Range1d(start=LOWEST - len(labels), end=HIGHEST, name=self.full_name("rows")),
        )
        plot.ygrid.visible = False
        plot.yaxis.update(
            name=self.full_name("electrodes"),
            ticker=FixedTicker(ticks=list(labels), name=self.full_name("ticks")),
            major_label_overrides=labels,
        )
        blank = np.full(2 * N_COLUMNS, np.nan, np.float32)
        rows = {f"c{row}": blank for row in range(SCOPE)}
        source = self.source("trace", time=self._times(PLAIN), **rows)
        for row in rows:
            line = plot.line("time", row, source=source, level=LIVE, line_width=1)
            paint(line.glyph, line_color="text")
        threshold = Segment(x0="from", x1="to", y0="y", y1="y", line_dash="dashed", line_alpha=0.7)
        nowhere = np.full(1, np.nan, np.float32)
        lines = self.source("threshold", **{"from": nowhere, "to": nowhere, "y": nowhere})
        paint(plot.add_glyph(lines, threshold, level=LIVE).glyph, line_color="bad")
        handle = Scatter(x="to", y="y", marker="diamond", size=9)  # dragged in resources/live.js
        paint(plot.add_glyph(lines, handle, level=LIVE).glyph, line_color="bad", fill_color="bad")
        hand = Span(location=None, line_width=2, level=LIVE, name=self.full_name("hand"))
        paint(hand, line_color="bad")
        plot.add_layout(hand)
        for name, role, filled in SPIKES:
            mark = Scatter(x="x", y="y", marker="circle", size=4 if filled else 8)
            made = plot.add_glyph(self.source(name, x=nowhere, y=nowhere), mark, level=LIVE)
            made.glyph.fill_alpha = float(filled)
            paint(made.glyph, line_color=role, fill_color=role)
        return plot

    def should_update(self, news: News) -> bool:
        return news.trace is not None or not np.array_equal(
            self._thresholds, self._now(news), equal_nan=True
        )

    def update(self, news: News) -> Iterable[Update]:
        if news.view is not self._view:
            self._begin(news.view)
        if news.trace is not None:
            yield from self._show(news.trace)
        now = self._now(news)
        if not np.array_equal(self._thresholds, now, equal_nan=True):
            self._thresholds = now
            yield from self._lines()

    def start(self, news: News) -> Iterable[Update]:
        if news.view is not self._view:
            self._begin(news.view)
        labels = self._labels(news.view)
        yield Set("times", {"start": -news.view.scope_seconds})
        yield Set("rows", {"start": LOWEST - len(labels)})
        yield Set("ticks", {"ticks": list(labels)})
        yield Set("electrodes", {"major_label_overrides": labels})
        yield Replace("trace", "time", self._times(news.view))
        for row in range(SCOPE):
            yield Replace("trace", f"c{row}", self._window[:, row])
        yield from self._marks()
        self._thresholds = self._now(news)
        yield from self._lines()

    # What is on screen

    def _now(self, news: News) -> Floats:
        """Thresholds of the rows, uV."""
        assert news.thresholds is not None
        return news.thresholds[scope_channels(self.scene.recording, news.view)]

    def _show(self, trace: Trace) -> Iterable[Update]:
        columns = self._columns(trace)
        if not len(columns):
            return
        self._window = np.concatenate([self._window, columns])[-2 * N_COLUMNS :]
        for row in range(trace.samples.shape[1]):
            yield Shift("trace", f"c{row}", columns[:, row])
        self._spikes = [
            _newest(before, now, self._first)
            for before, now in zip(self._spikes, (trace.true, trace.found), strict=True)
        ]
        yield from self._marks()

    @property
    def _first(self) -> int:
        """The oldest sample on screen."""
        first: int = self._stop - N_COLUMNS * self._per_column
        return first

    def _columns(self, trace: Trace) -> Floats:
        """Two points for each column that is whole now, as rows' heights, shape (2 n, SCOPE)."""
        samples = np.zeros((len(trace.samples), SCOPE), np.float32)
        n_shown = trace.samples.shape[1]
        gap = trace.first - self._stop - len(self._left)
        lost = np.empty((0, SCOPE), np.float32)
        if gap:  # they were made while nobody looked, or were lost
            lost = np.full((2 * min(math.ceil(max(gap, 0) / self._per_column), N_COLUMNS), SCOPE), np.nan)
            self._left, self._stop = self._left[:0], trace.first
            self._state[:] = 0
        samples[:, :n_shown], self._state[..., :n_shown] = sosfilt(
            self._sections, trace.samples, axis=0, zi=self._state[..., :n_shown]
        )
        samples = np.concatenate([self._left, samples])
        n = len(samples) // self._per_column
        whole = samples[: n * self._per_column].reshape(n, self._per_column, SCOPE)
        self._left = samples[n * self._per_column :]
        self._stop += n * self._per_column
        ends = np.stack([whole.min(axis=1), whole.max(axis=1)], axis=1).reshape(2 * n, SCOPE)
        heights = (ends / self._view.scope_microvolts).clip(-ROOM, ROOM) - np.arange(SCOPE)
        heights[:, n_shown:] = np.nan
        return np.concatenate([lost, heights]).astype(np.float32)[-2 * N_COLUMNS :]

    def _marks(self) -> Iterable[Update]:
        for (name, *_), (samples, rows) in zip(SPIKES, self._spikes, strict=True):
            yield Replace(name, "x", ((samples - self._stop) / SAMPLING_RATE).astype(np.float32))
            yield Replace(name, "y", (-rows - BELOW).astype(np.float32))

    def _lines(self) -> Iterable[Update]:
        heights = (self._thresholds / self._view.scope_microvolts).clip(-ROOM, ROOM)
        n = len(heights)
        yield Replace("threshold", "from", np.full(n, -self._view.scope_seconds, np.float32))
        yield Replace("threshold", "to", np.zeros(n, np.float32))
        yield Replace("threshold", "y", (heights - np.arange(n)).astype(np.float32))

    def _labels(self, view: View) -> dict[float, str]:
        channels = scope_channels(self.scene.recording, view)
        return {float(-row): str(channel) for row, channel in enumerate(channels)}

    def _times(self, view: View) -> Floats:
        """Of the two points of each column, s before the newest sample."""
        times = np.arange(1 - N_COLUMNS, 1) * (view.scope_seconds / N_COLUMNS)
        return np.repeat(times, 2).astype(np.float32)


def _newest(before: Troughs, now: Troughs, first: int) -> Troughs:
    """Both, without what has left the screen."""
    both = Troughs(
        np.concatenate([before.samples, now.samples]), np.concatenate([before.channels, now.channels])
    )
    return both.between(first, np.iinfo(np.int64).max)
