"""How good decoders are over time: R2 of position and velocity."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
from bokeh.models.annotations import Span
from bokeh.models.ui import UIElement

from engine.answers.scores.decoder_score import HISTORY, WINDOW
from plotters.base import LIVE, RIGHT, Floats, News, Place, Replace, Update
from plotters.drawing import paint
from plotters.marks import MARKS, mark_columns
from plotters.scored import Scored

LINES: Final = (("position", "solid"), ("velocity", "dashed"))
"""In the order of `Summary.history`, and a dash for each."""
FLOOR: Final = -0.25
"""Of the axis; what is worse has a mark there."""


class Quality(Scored):
    """A line over the last minute for each decoder and signal, and its marker at the newest value."""

    name = "quality"
    title = "R\N{SUPERSCRIPT TWO} over time"
    place = Place(height=9.4, last=True)

    @property
    def caption(self) -> str:
        course = f"Of the last {WINDOW} s. Solid: position. Dashed: velocity. 0: as good as the mean."
        return f"{course} \N{BLACK DOWN-POINTING TRIANGLE}: below {FLOOR:g}."

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
        for mark, (role, _) in enumerate(MARKS):
            blank = {name: np.full(HISTORY, np.nan, np.float32) for name, _ in LINES}
            source = self.source(f"trace {mark}", time=time, below=blank[LINES[0][0]], **blank)
            for name, dash in LINES:
                trace = plot.line("time", name, source=source, level=LIVE, line_dash=dash, line_width=2)
                paint(trace.glyph, line_color=role)
            worse = plot.scatter(
                "time",
                "below",
                source=source,
                level=LIVE,
                marker="inverted_triangle",
                size=6,
                line_color=None,
            )
            paint(worse.glyph, fill_color=role)
        n = len(LINES) * len(MARKS)
        newest = self.source("newest", x=[0.0] * n, y=[np.nan] * n, **mark_columns(len(LINES)))
        self.add_markers(plot, newest)
        return plot

    def draw(self, news: News) -> Iterable[Update]:
        newest = np.full((len(MARKS), len(LINES)), np.nan, np.float32)
        for mark, summary in self.summaries(news):
            history = summary.history if summary else np.empty((0, len(LINES)), np.float32)
            values, below = courses(history)
            yield Replace(f"trace {mark}", "below", below)
            for i, (name, _) in enumerate(LINES):
                yield Replace(f"trace {mark}", name, values[:, i])
            newest[mark] = values[-1]
        yield Replace("newest", "y", newest.ravel())


def courses(history: Floats) -> tuple[Floats, Floats]:
    """What is drawn of a history of shape (n, 2), a value a second.

    Returns
    -------
    values : ndarray of float32, shape (HISTORY, 2)
        NaN before the first, and where they are below the axis.
    below : ndarray of float32, shape (HISTORY,)
        `FLOOR` where one of them is, NaN elsewhere.
    """
    values = np.full((HISTORY, len(LINES)), np.nan, np.float32)
    if len(history):
        values[-len(history) :] = history
    worse = values < FLOOR
    values[worse] = np.nan
    return values, np.where(worse.any(axis=1), np.float32(FLOOR), np.float32(np.nan))
