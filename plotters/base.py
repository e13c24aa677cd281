"""What a live plot is: a figure that is made once, and updates for its sources.

Three kinds of update are all that the page knows (`resources/feed.js`), so a new plot needs no
JavaScript. Every column has its final length from the beginning, and time runs relative to now, so
that nothing but numbers changes while a plot is live.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy.typing as npt
from bokeh.model import Model
from bokeh.models import ColumnDataSource
from bokeh.models.ui import UIElement
from bokeh.plotting import figure

from engine.recording import Recording
from engine.ring import Rows

MAX_COLUMNS = 500
"""Of time on screen. Where bins are shorter, several make one column."""


@dataclass(frozen=True)
class Scene:
    """What stays the same while a session is watched.

    Parameters
    ----------
    recording : Recording
    seconds : float
        Of recording on screen.
    """

    recording: Recording
    seconds: float = 10.0

    @cached_property
    def bins_per_column(self) -> int:
        """Plots get whole columns: always a multiple of so many bins."""
        return math.ceil(self.seconds * self.recording.bin_rate / MAX_COLUMNS)

    @cached_property
    def n_columns(self) -> int:
        return max(round(self.seconds * self.recording.bin_rate / self.bins_per_column), 1)

    @property
    def n_bins(self) -> int:
        """On screen."""
        return self.n_columns * self.bins_per_column


@dataclass(frozen=True)
class News:
    """What happened since the last frame.

    Attributes
    ----------
    rows : ndarray, shape (n,), dtype `engine.ring.row_dtype`
        New bins, oldest first, a multiple of ``Scene.bins_per_column`` and at most ``Scene.n_bins``.
        Empty in the frames that only tell that the session is alive.
    state : str
        Of the replay.
    """

    rows: Rows
    state: str


@dataclass(frozen=True)
class Shift:
    """Append to a column of fixed length; as many of its oldest values go.

    ``values`` has shape (n,), or (n_rows, n) for an image of n_rows rows, whose newest column is the
    last one.
    """

    source: str
    column: str
    values: npt.NDArray[Any]


@dataclass(frozen=True)
class Replace:
    """Set a column whole: numbers, or a list for anything else that JSON can say."""

    source: str
    column: str
    values: npt.NDArray[Any] | list[Any]


@dataclass(frozen=True)
class Set:
    """Set properties of a model that has a name: the text of a title, the end of a range.

    It outlasts a start, which resets columns alone: a plotter that ever sets something also does so
    in its `Plotter.start`.
    """

    model: str
    properties: Mapping[str, Any]


Update = Shift | Replace | Set


class Plotter(ABC):
    """One live plot.

    An instance either builds the figure of a page or makes the updates of a session, once per frame
    for all who watch. Sources and models have names that are unique within the plotter.
    """

    name: ClassVar[str]
    title: ClassVar[str]

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    @property
    def caption(self) -> str:
        """One sentence below the title that says how to read the plot."""
        return ""

    @abstractmethod
    def build(self) -> UIElement:
        """Build the models, with sources as they are before the first bin."""

    @abstractmethod
    def update(self, news: News) -> Iterable[Update]:
        """Turn new bins into updates."""

    def start(self, news: News) -> Iterable[Update]:
        """The updates that lead from the figure as built to what others see now.

        `news` holds the bins on screen. A plotter that remembers more than that overrides this.
        """
        return self.update(news)

    def should_update(self, news: News) -> bool:
        """Whether `update` has anything to say."""
        return len(news.rows) > 0

    # What figures are made of

    def source(self, name: str, **columns: Sequence[Any] | npt.NDArray[Any]) -> ColumnDataSource:
        """A source that updates can name."""
        return ColumnDataSource(data=dict(columns), name=self.full_name(name))

    def full_name(self, name: str) -> str:
        """What the page calls a source or model."""
        return f"{self.name}/{name}"

    def plain_figure(self, x_label: str, y_label: str, **options: Any) -> figure:
        """A figure that fills its place on the page, in the colours and fonts of the theme."""
        plot = figure(
            name=self.name,
            sizing_mode="stretch_both",
            toolbar_location=None,
            tools="",
            x_axis_label=x_label,
            y_axis_label=y_label,
            border_fill_color=None,
            **options,
        )
        paint(plot, background_fill_color="plot", outline_line_color="line")
        for axis in plot.axis:
            axis.axis_label_text_font_style = "normal"
            paint_labels(axis)
            paint(
                axis,
                axis_line_color="line",
                axis_label_text_color="muted",
                axis_label_text_font="font",
                axis_label_text_font_size="small",
            )
        for grid in plot.grid:
            paint(grid, grid_line_color="grid")
        return plot


def paint(model: Model, **roles: str) -> None:
    """Let the theme set properties of a model: dark, light, and whenever that changes."""
    model.tags = [*model.tags, {"theme": roles}]


def paint_labels(axis: Model) -> None:
    """Let the theme set the numbers and ticks of an axis or of a colour bar."""
    axis.update(major_tick_in=0, minor_tick_line_color=None)
    paint(
        axis,
        major_label_text_color="muted",
        major_label_text_font="font",
        major_label_text_font_size="small",
        major_tick_line_color="line",
    )
