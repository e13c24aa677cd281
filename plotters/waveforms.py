"""Waveforms of the spikes that are found on one electrode, and their first two principal components."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt
from bokeh.models import BasicTicker, Range1d, Row
from bokeh.models.glyphs import Scatter, Segment
from bokeh.models.ui import UIElement
from bokeh.plotting import figure
from scipy.linalg import eigh
from scipy.signal import sosfilt

from engine.bins.description import Description
from engine.broadband import SAMPLING_RATE, TROUGH, WAVEFORM, Samples
from engine.stages.detection.detector import sections
from engine.stages.detection.settings import Detection
from engine.view import PLAIN, View, waveform_channel
from plotters.base import LATE, LIVE, Floats, News, Place, Plotter, Replace, Scene, Set, Trace, Update
from plotters.drawing import nice_end, paint

SHOWN: Final = 100
"""The newest, so many at most."""
PERIOD: Final = SAMPLING_RATE // 2
"""Samples from one drawing to the next."""
TOLERANCE: Final = SAMPLING_RATE // 2000
"""Samples between the trough of a found spike and that of a true one at most: 0.5 ms."""
KINDS: Final = (("true", "good", "circle"), ("other", "bad", "x"))
"""Found spikes that are true, and those that are made up: name, role of the colour, and marker."""
TIMES: Final = (np.arange(WAVEFORM + 1) - TROUGH) * 1e3 / SAMPLING_RATE
"""ms; the last is where lines break."""
NARROW: Final = "@media (max-width: 760px) { :host { flex-direction: column !important; } }"
"""On a phone one figure is below the other."""
BORDER: Final = 62
"""Pixels for a vertical axis of the second figure."""


class Waveforms(Plotter):
    """Band-passed as the detector does, and cut from the voltages around the troughs that it has found."""

    name = "waveforms"
    title = "Waveforms"
    place = Place(height=15.0)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._sections = sections(Detection())
        self._begin(PLAIN)

    def _begin(self, view: View) -> None:
        """Show nothing yet, in a view."""
        self._view = view
        self._state = np.zeros((len(self._sections), 2, 1), np.float32)
        self._tail: Floats = np.empty(
            0, np.float32
        )  # band-passed, as long as a spike may still be cut from it
        self._stop = self._settled = self._drawn = 0  # samples; the filter has settled from one on
        self._true: Samples = np.zeros(0, np.int64)
        self._found: Samples = np.zeros(0, np.int64)
        self._values: Floats = np.empty((0, WAVEFORM), np.float32)
        self._axes: Floats | None = None

    @classmethod
    def suits(cls, description: Description) -> bool:
        return description.sampled

    @property
    def caption(self) -> str:
        colours = "Blue: true spikes. Red, crosses: made up."
        if not self.scene.recording.truth:
            colours = "Which are true is not known."
        return f"The last {SHOWN} found, and first two components. {colours}"

    def build(self) -> UIElement:
        return Row(
            children=[self._build_lines(), self._build_scores()],
            name=self.name,
            sizing_mode="stretch_both",
            stylesheets=[NARROW],
        )

    def _build_lines(self) -> figure:
        plot = self._figure("lines", "Time from the trough (ms)", "uV", float(TIMES[0]), float(TIMES[-2]))
        plot.yaxis.update(name=self.full_name("electrode"))
        blank = np.full(SHOWN * len(TIMES), np.nan, np.float32)
        times = np.tile(TIMES, SHOWN).astype(np.float32)
        source = self.source("lines", time=times, **{name: blank for name, *_ in KINDS})
        for name, role, _ in KINDS:
            line = plot.line("time", name, source=source, level=LIVE, line_alpha=0.4)
            paint(line.glyph, line_color=role)
        threshold = Segment(x0="from", x1="to", y0="y", y1="y", line_dash="dashed")
        ends = {"from": TIMES[:1], "to": TIMES[-2:-1], "y": np.full(1, np.nan)}
        dashed = plot.add_glyph(self.source("threshold", **ends), threshold, level=LIVE)
        paint(dashed.glyph, line_color="text")
        return plot

    def _build_scores(self) -> figure:
        plot = self._figure("scores", "First component (uV)", "Second (uV)", -1.0, 1.0)
        plot.min_border_left = BORDER
        nowhere = np.full(1, np.nan, np.float32)
        for name, role, marker in KINDS:
            mark = Scatter(x="x", y="y", marker=marker, size=6, fill_alpha=0.6, line_width=1.5)
            made = plot.add_glyph(self.source(f"{name} scores", x=nowhere, y=nowhere), mark, level=LIVE)
            paint(made.glyph, fill_color=role, line_color=role)
        return plot

    def _figure(self, name: str, x_label: str, y_label: str, start: float, end: float) -> figure:
        plot = self.plain_figure(
            x_label,
            y_label,
            x_range=Range1d(start=start, end=end, name=self.full_name(f"{name} x")),
            y_range=Range1d(start=-1, end=1, name=self.full_name(f"{name} y")),
        )
        plot.name = self.full_name(f"{name} figure")
        for axis in plot.axis:
            axis.ticker = BasicTicker(desired_num_ticks=4)
        return plot

    def should_update(self, news: News) -> bool:
        return news.single is not None

    def update(self, news: News) -> Iterable[Update]:
        if news.view is not self._view:
            self._begin(news.view)
        assert news.single is not None
        self._take(news.single)
        if self._stop - self._drawn >= PERIOD:
            self._drawn = self._stop
            yield from self._draw(news)

    def start(self, news: News) -> Iterable[Update]:
        if news.view is not self._view:
            self._begin(news.view)
        channel = waveform_channel(self.scene.recording, news.view)
        yield Set("electrode", {"axis_label": f"Electrode {channel} (uV)"})
        yield from self._draw(news)

    def _take(self, trace: Trace) -> None:
        """Cut the waveforms of the spikes that are known now."""
        if trace.first != self._stop:  # samples were lost, or nobody looked
            self._state[:], self._tail = 0, self._tail[:0]
            self._settled = trace.first + LATE
        band, self._state = sosfilt(self._sections, trace.samples, axis=0, zi=self._state)
        tail = np.concatenate([self._tail, band[:, 0]])
        self._stop = trace.first + len(band)
        first = self._stop - len(tail)
        found = trace.found.samples
        found = found[found >= max(self._settled, first + TROUGH)]
        values = tail[(found - first - TROUGH)[:, None] + np.arange(WAVEFORM)]
        self._tail = tail[-(LATE + WAVEFORM) :]
        self._found = np.concatenate([self._found, found])[-SHOWN:]
        self._values = np.concatenate([self._values, values])[-SHOWN:]
        oldest = min([*self._found.tolist(), self._stop - 2 * LATE]) - TOLERANCE
        true = np.concatenate([self._true, trace.true.samples])
        self._true = true[true >= oldest]

    def _draw(self, news: News) -> Iterable[Update]:
        assert news.thresholds is not None
        threshold = news.thresholds[waveform_channel(self.scene.recording, self._view)]
        known = self.scene.recording.truth
        are_true = near(self._found, self._true) if known else np.ones(len(self._found), np.bool_)
        scores = self._scores()
        for (name, *_), those in zip(KINDS, (are_true, ~are_true), strict=True):
            lines = np.full((SHOWN, len(TIMES)), np.nan, np.float32)
            lines[: len(those), :WAVEFORM] = np.where(those[:, None], self._values, np.nan)
            yield Replace("lines", name, lines.ravel())
            for column, values in zip(("x", "y"), scores.T, strict=True):
                yield Replace(f"{name} scores", column, values[those])
        yield Replace("threshold", "y", np.full(1, threshold, np.float32))
        lowest = min(float(self._values.min(initial=0)), float(np.nan_to_num(threshold)))
        yield Set(
            "lines y", {"start": -nice_end(-lowest), "end": nice_end(float(self._values.max(initial=0)))}
        )
        for axis, reach in zip(
            ("scores x", "scores y"), np.abs(scores).max(axis=0, initial=0), strict=True
        ):
            end = nice_end(1.05 * float(reach))
            yield Set(axis, {"start": -end, "end": end})

    def _scores(self) -> Floats:
        """First two principal components of the waveforms on screen, uV, shape (n, 2).

        Their signs are those of the drawing before, so that nothing turns over.
        """
        if len(self._values) < 2:
            return np.zeros((len(self._values), 2), np.float32)
        centred = self._values - self._values.mean(axis=0)
        _, vectors = eigh(centred.T @ centred, subset_by_index=(WAVEFORM - 2, WAVEFORM - 1))
        axes = vectors[:, ::-1]
        if self._axes is not None:
            axes = np.where((axes * self._axes).sum(axis=0) < 0, -axes, axes)
        self._axes = axes
        scores: Floats = centred @ axes
        return scores


def near(samples: Samples, others: Samples) -> npt.NDArray[np.bool_]:
    """Which samples are at most `TOLERANCE` from one of the others, shape (n,)."""
    others = np.sort(others)
    n = np.searchsorted(others, samples + TOLERANCE, "right") - np.searchsorted(others, samples - TOLERANCE)
    return n > 0
