"""How good decoders are over time: R2 of position and velocity."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
from bokeh.models.annotations import Span
from bokeh.models.ui import UIElement

from engine.scores.account import HISTORY, WINDOW
from plotters.base import LIVE, RIGHT, Floats, News, Replace, Update
from plotters.drawing import paint
from plotters.lanes import LANES, marks
from plotters.scored import Scored

LINES: Final = (("position", "solid"), ("velocity", "dashed"))
"""In the order of `Summary.history`, and a dash for each."""
FLOOR: Final = -0.25
"""Of the axis; what is worse is shown there."""


class Quality(Scored):
    """A line over the last minute for each decoder and signal, and its marker at the newest value."""

    name = "quality"
    title = "R\N{SUPERSCRIPT TWO} over time"

    @property
    def caption(self) -> str:
        return f"Of the last {WINDOW} s. Solid: position. Dashed: velocity. At 0 the mean would do as well."

    def build(self) -> UIElement:
        plot = self.plain_figure(
            "Time (s of recording)",
            "R\N{SUPERSCRIPT TWO}",
            x_range=(1 - HISTORY, 1.5),
            y_range=(FLOOR - 0.02, 1.02),
            min_border_right=RIGHT,
        )
        for level in (0.0, 1.0):
            line = Span(location=level, line_dash="dotted")
            paint(line, line_color="muted")
            plot.add_layout(line)
        time = np.arange(1 - HISTORY, 1, dtype=np.float32)
        for lane, (role, _) in enumerate(LANES):
            blank = {name: np.full(HISTORY, np.nan, np.float32) for name, _ in LINES}
            source = self.source(f"trace {lane}", time=time, **blank)
            for name, dash in LINES:
                trace = plot.line("time", name, source=source, level=LIVE, line_dash=dash, line_width=2)
                paint(trace.glyph, line_color=role)
        n = len(LINES) * len(LANES)
        newest = self.source("newest", x=[0.0] * n, y=[np.nan] * n, **marks(len(LINES)))
        self.add_markers(plot, newest)
        return plot

    def draw(self, news: News) -> Iterable[Update]:
        newest = np.full((len(LANES), len(LINES)), np.nan, np.float32)
        for lane, summary in self.summaries(news):
            values = courses(summary.history) if summary else np.full((HISTORY, 2), np.nan, np.float32)
            for i, (name, _) in enumerate(LINES):
                yield Replace(f"trace {lane}", name, values[:, i])
            newest[lane] = values[-1]
        yield Replace("newest", "y", newest.ravel())


def courses(history: Floats) -> Floats:
    """Values within the axis, one a second, NaN before the first: shape (HISTORY, 2) from (n, 2)."""
    values = np.full((HISTORY, history.shape[1]), np.nan, np.float32)
    if len(history):
        values[-len(history) :] = np.maximum(history, FLOOR)
    return values
