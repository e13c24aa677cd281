"""What the plots of decoders' scores have in common: they change when scores do, twice a second."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterable, Iterator

from bokeh.models import ColumnDataSource
from bokeh.models.glyphs import Scatter
from bokeh.plotting import figure

from engine.answers.scores.summary import Summary
from plotters.base import LIVE, News, Plotter, Scene, Update
from plotters.drawing import paint
from plotters.marks import mark_colour


class Scored(Plotter):
    """Draws nothing, and costs nothing, while no decoder has answered."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._at = -math.inf

    @abstractmethod
    def draw(self, news: News) -> Iterable[Update]:
        """Show the scores as they are now."""

    def should_update(self, news: News) -> bool:
        return news.scores.at > self._at

    def update(self, news: News) -> Iterable[Update]:
        self._at = news.scores.at
        return self.draw(news)

    def start(self, news: News) -> Iterable[Update]:
        return self.draw(news) if news.scores.decoders else ()

    @staticmethod
    def add_markers(plot: figure, source: ColumnDataSource) -> None:
        """Each mark's marker, at ``x`` and ``y`` of a source that has `plotters.marks.mark_columns`."""
        markers = Scatter(x="x", y="y", size=9, marker="marker", fill_color=mark_colour())
        paint(plot.add_glyph(source, markers, level=LIVE).glyph, line_color="plot")

    @staticmethod
    def summaries(news: News) -> Iterator[tuple[int, Summary | None]]:
        """Each mark's number and what is known of the decoder that has it."""
        for mark, name in enumerate(news.marked):
            yield mark, news.scores.decoders.get(name)
