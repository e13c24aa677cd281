"""What position and velocity have in common: two traces, x and y."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from bokeh.models.ui import UIElement

from plotters.base import LIVE, News, Plotter, Shift, Update
from plotters.columns import last_of_columns
from plotters.drawing import paint

LINES = (("x", "good", "solid"), ("y", "accent", "dashed"))
"""Two columns of the bins' kinematics, the roles of their colours, and a dash for those who see none."""


class Traces(Plotter):
    """Two of a bin's kinematics over time; a line is broken where nothing is known, and at a jump."""

    first: ClassVar[int]
    """The first of the two among the kinematics."""
    quantity: ClassVar[str]

    @property
    def caption(self) -> str:
        return "Solid: x. Dashed: y."

    @property
    def unit(self) -> str:
        return self.scene.recording.length_unit

    def ends(self) -> tuple[float, float]:
        """Of the vertical axis: the same all the time."""
        raise NotImplementedError

    def build(self) -> UIElement:
        plot = self.time_figure(f"{self.quantity} ({self.unit})", y_range=self.ends())
        source = self.source("trace", time=self.times(), x=self.blank(), y=self.blank())
        for name, role, dash in LINES:
            line = plot.line("time", name, source=source, level=LIVE, line_width=2, line_dash=dash)
            paint(line.glyph, line_color=role)
        return plot

    def update(self, news: News) -> Iterable[Update]:
        values = news.rows["kinematics"][:, self.first : self.first + len(LINES)]
        columns = last_of_columns(news, values, self.scene.bins_per_column)
        for i, (name, *_) in enumerate(LINES):
            yield Shift("trace", name, columns[:, i])
