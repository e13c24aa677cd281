"""Where the time goes between a bin's being due and a decoder's answer on screen."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from bokeh.models import FixedTicker
from bokeh.models.annotations import Span
from bokeh.models.glyphs import HBar, Text
from bokeh.models.ui import UIElement
from bokeh.plotting import figure

from plotters.base import LIVE, News, Place, Replace, Update
from plotters.drawing import paint, paint_labels
from plotters.marks import MARKS, mark_colour
from plotters.scored import Scored

STAGES: Final = ("Replayed", "Sent", "Answered", "On screen")
"""From above. The page itself knows the last one (`resources/latency.js`)."""
LOW, HIGH = 0.05, 1000.0
"""Milliseconds of the axis; what lies outside is shown at its ends."""
THICK: Final = 0.8
"""Of a stage's bars together, as a share of its row."""


class Latency(Scored):
    """A waterfall of medians: each stage begins where the one before it ends."""

    name = "latency"
    title = "Latency"
    place = Place("side", height=9.4, last=True)

    @property
    def caption(self) -> str:
        return "Medians, ms after a bin was due, by stage. Dotted: the next bin is due."

    def build(self) -> UIElement:
        plot = self.plain_figure(
            "Time since due (ms)",
            "",
            x_axis_type="log",
            x_range=(LOW, HIGH),
            y_range=(-0.5, len(STAGES) - 0.5),
            min_border_right=34,
        )
        decades = [0.1, 1.0, 10.0, 100.0, 1000.0]
        plot.xaxis.ticker = plot.xgrid.ticker = FixedTicker(ticks=decades)
        plot.xaxis.major_label_overrides = {value: f"{value:g}" for value in decades}
        plot.yaxis.ticker = FixedTicker(ticks=list(range(len(STAGES))))
        plot.yaxis.major_label_overrides = {row(stage): name for stage, name in enumerate(STAGES)}
        plot.ygrid.visible = False
        paint_labels(plot.yaxis[0])
        due = Span(location=1e3 * self.scene.recording.bin_width, dimension="height", line_dash="dotted")
        paint(due, line_color="muted")
        plot.add_layout(due)
        n = len(MARKS)
        self._add_bars(plot, "stages", [0, 0, *range(1, n + 1)])
        self._add_bars(plot, "screen", [*range(1, n + 1)])
        return plot

    def draw(self, news: News) -> Iterable[Update]:
        ticked, sent = (median_ms(seconds) for seconds in (news.recent["lateness"], news.sent))
        stages = [(*place(0), LOW, ticked), (*place(1), ticked, sent)]
        screen = []
        begins = ticked if math.isnan(sent) else sent
        known = {mark: summary for mark, summary in self.summaries(news) if summary}
        for mark in range(len(MARKS)):
            answered = known[mark].window.latency_p50_ms if mark in known else math.nan
            part = ([*known].index(mark), len(known)) if mark in known else (0, 1)
            stages.append((*place(2, *part), begins, answered))
            screen.append((*place(3, *part), answered))
        yield from columns("stages", ("middle", "height", "left", "right"), stages)
        yield from columns("screen", ("middle", "height", "left"), screen)
        yield Replace(
            "stages", "text", ["" if math.isnan(right) else f"{right:.2g}" for *_, right in stages]
        )

    def _add_bars(self, plot: figure, name: str, marked: list[int]) -> None:
        none = [math.nan] * len(marked)
        ends = dict.fromkeys(("left", "right", "middle", "height"), none)
        source = self.source(name, **ends, mark=marked, text=[""] * len(marked))
        bars = HBar(y="middle", height="height", left="left", right="right", line_color=None)
        bars.fill_color = mark_colour()
        plot.add_glyph(source, bars, level=LIVE)
        label = Text(x="right", y="middle", text="text", x_offset=4, text_baseline="middle")
        paint(
            plot.add_glyph(source, label, level=LIVE).glyph,
            text_color="text",
            text_font="font",
            text_font_size="small",
        )


def columns(source: str, names: Sequence[str], rows: Sequence[tuple[float, ...]]) -> Iterator[Update]:
    """Columns from rows; times are kept within the axis."""
    for name, values in zip(names, np.array(rows, np.float32).T, strict=True):
        yield Replace(source, name, values.clip(LOW, HIGH) if name in ("left", "right") else values)


def place(stage: int, i: int = 0, n: int = 1) -> tuple[float, float]:
    """Middle and height of bar `i`, from above, of the `n` in a stage's row."""
    height = THICK / n
    return row(stage) + THICK / 2 - (i + 0.5) * height, height


def row(stage: int) -> int:
    """Where the vertical axis has a stage."""
    return len(STAGES) - 1 - stage


def median_ms(seconds: npt.NDArray[np.floating[Any]]) -> float:
    """Of those that are known, in milliseconds; NaN if none is."""
    known = seconds[np.isfinite(seconds)]
    return 1000.0 * float(np.median(known)) if len(known) else math.nan
