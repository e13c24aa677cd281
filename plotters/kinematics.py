"""What position and velocity have in common: two traces, x and y."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import numpy as np
from bokeh.models import Range1d
from bokeh.models.ui import UIElement

from plotters.base import LIVE, Floats, News, Plotter, Scene, Set, Shift, Update
from plotters.columns import last_of_columns
from plotters.drawing import paint

LINES = (("x", "good", "solid"), ("y", "accent", "dashed"))
"""Two columns of the bins' kinematics, the roles of their colours, and a dash for those who see none."""


ROOM = 0.1
"""Share of the range that is added where a live stream goes beyond it."""


class Traces(Plotter):
    """Two of a bin's kinematics over time; a line is broken where nothing is known, and at a jump."""

    first: ClassVar[int]
    """The first of the two among the kinematics."""
    quantity: ClassVar[str]

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._ends = self.ends()

    @property
    def caption(self) -> str:
        return "Solid: x. Dashed: y."

    @property
    def unit(self) -> str:
        return self.scene.recording.length_unit

    def ends(self) -> tuple[float, float]:
        """Of the vertical axis: the same all the time, unless what comes lies beyond."""
        raise NotImplementedError

    def build(self) -> UIElement:
        plot = self.time_figure(f"{self.quantity} ({self.unit})", y_range=self._range())
        source = self.source("trace", time=self.times(), x=self.blank(), y=self.blank())
        for name, role, dash in LINES:
            line = plot.line("time", name, source=source, level=LIVE, line_width=2, line_dash=dash)
            paint(line.glyph, line_color=role)
        return plot

    def _range(self) -> Range1d:
        return Range1d(start=self._ends[0], end=self._ends[1], name=self.full_name("range"))

    def update(self, news: News) -> Iterable[Update]:
        values = news.rows["kinematics"][:, self.first : self.first + len(LINES)]
        columns = last_of_columns(news, values, self.scene.bins_per_column)
        for i, (name, *_) in enumerate(LINES):
            yield Shift("trace", name, columns[:, i])
        yield from self._widen(values)

    def start(self, news: News) -> Iterable[Update]:
        yield from super().start(news)
        if self.scene.recording.n_bins is None:
            yield Set("range", {"start": self._ends[0], "end": self._ends[1]})

    def _widen(self, values: Floats) -> Iterable[Update]:
        """Make room for what a live stream brings."""
        low, high = self._ends
        if self.scene.recording.n_bins is not None or not np.isfinite(values).any():
            return
        lowest, highest = float(np.nanmin(values)), float(np.nanmax(values))
        if lowest < low or highest > high:
            room = ROOM * max(highest - lowest, high - low)
            self._ends = (
                low if lowest >= low else lowest - room,
                high if highest <= high else highest + room,
            )
            yield Set("range", {"start": self._ends[0], "end": self._ends[1]})
