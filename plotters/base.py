"""What a live plot is: a figure that is made once, and updates for its sources.

Three kinds of update are all that the page knows (`resources/feed.js`), so a new plot needs no
JavaScript. Every column has its final length from the beginning, and time runs relative to now, so
that nothing but numbers changes while a plot is live.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Final, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt
from bokeh.models import ColumnDataSource
from bokeh.models.ui import UIElement
from bokeh.plotting import figure

from engine.answers.scores.scorer import Scoreboard
from engine.bins.description import Description
from engine.bins.phases import TrialState
from engine.bins.schema import Rows
from engine.bins.troughs import Troughs
from engine.broadband import WAVEFORM
from engine.errors import BadSetting
from engine.view import View
from plotters.drawing import paint_figure

Floats = npt.NDArray[np.float32]

MAX_COLUMNS = 500
"""Of time on screen. Where bins are shorter, several make one column."""

LEAD = 1.0
"""Seconds of recording before those on screen that plotters may look back at."""

LEFT, RIGHT = 80, 48
"""Pixels for a vertical axis and for a colour bar, so that plots below each other have the same times
below each other."""

TIME = "Time before the newest bin (s)"

LATE: Final = 2 * WAVEFORM
"""Samples of voltages after which all is known that was found before."""

LIVE: Final = "overlay"
"""Level of what moves: it has a canvas of its own, so that axes and grids are not painted anew with it.
Nothing on that level is clipped: what moves must lie within the axes."""


@dataclass(frozen=True)
class Scene:
    """What stays the same while a session is watched.

    Parameters
    ----------
    recording : Description
        Of the recording, or of whatever else makes the bins.
    seconds : float
        Of recording on screen.
    """

    recording: Description
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

    @property
    def n_recent(self) -> int:
        """Bins that plotters are given: those on screen and the `LEAD`."""
        return self.n_bins + self.bins(LEAD)

    def bins(self, seconds: float) -> int:
        """Whole columns that last about so long, at least one; in bins."""
        k = self.bins_per_column
        return max(round(seconds * self.recording.bin_rate / k), 1) * k


class Trace(NamedTuple):
    """Voltages of some channels since the last frame.

    Attributes
    ----------
    first : int
        Index of the first sample.
    samples : ndarray of float32, shape (n, n_shown)
        uV.
    true, found : Troughs
        Spikes of the samples up to `LATE` before the last one; their channels are columns of `samples`.
    """

    first: int
    samples: Floats
    true: Troughs
    found: Troughs


@dataclass(frozen=True)
class News:
    """What happened since the last frame.

    Attributes
    ----------
    rows : ndarray, shape (n,), dtype `engine.bins.schema.row_dtype`
        New bins, oldest first, a multiple of ``Scene.bins_per_column`` and at most ``Scene.n_bins``.
        Empty in the frames that only tell that the session is alive.
    state : str
        Of the replay.
    recent : ndarray, shape (m,), dtype `engine.bins.schema.row_dtype`
        The new bins and those before them, at most ``Scene.n_recent``.
    sent : ndarray of float32, shape (m,)
        Seconds from each recent bin's being due to its being handed to the last decoder's socket; NaN
        without decoders.
    trial : TrialState
        At the newest bin.
    view : View
        How people have chosen to look at the session. When it changes, everyone starts anew.
    decoded : mapping of str to ndarray of float32, shape (m, 2)
        Positions that decoders made of the recent bins, by decoder; NaN where it made none.
    marked : sequence of str
        Which decoder has which colour, "" for nobody; as many as `plotters.marks.MARKS`.
    scores : Scoreboard
        As they were last summed up.
    means : ndarray of float64, shape (n_units,), optional
        Spikes per second of each unit since the session's start; NaN before its first bin.
    trace : Trace, optional
        Of sessions that have voltages, the channels that the view has in its scope.
    single : Trace, optional
        Of the one channel whose waveforms the view has.
    noise, thresholds : ndarray of float32, shape (n_units,), optional
        Of the electrodes of those, uV; NaN before they are known.
    """

    rows: Rows
    state: str
    recent: Rows
    sent: Floats
    trial: TrialState
    view: View
    decoded: Mapping[str, Floats] = field(default_factory=dict)
    marked: Sequence[str] = ()
    scores: Scoreboard = field(default_factory=Scoreboard)
    means: npt.NDArray[np.float64] | None = None
    trace: Trace | None = None
    single: Trace | None = None
    noise: Floats | None = None
    thresholds: Floats | None = None

    def with_lead(self, n: int) -> slice:
        """Where among the recent bins the new ones are, and `n` (or as many as there are) before them."""
        end = len(self.recent)
        return slice(max(end - len(self.rows) - n, 0), end)

    def every(self, n: int) -> bool:
        """Whether the new bins hold one whose number in the session is a multiple of `n`."""
        if not len(self.rows):
            return False
        first, last = int(self.rows["sequence_number"][0]), int(self.rows["sequence_number"][-1])
        return last // n != (first - 1) // n

    def newest_answered(self, decoder: str) -> int:
        """Which of the recent bins is the newest that a decoder has answered; -1 if none."""
        if decoder not in self.decoded:
            return -1
        answered = np.flatnonzero(np.isfinite(self.decoded[decoder][:, 0]))
        return int(answered[-1]) if len(answered) else -1

    @cached_property
    def jumps(self) -> npt.NDArray[np.bool_]:
        """Whether each recent bin is another than the one after its predecessor, shape (m,)."""
        return np.not_equal(np.diff(self.recent["packet_id"], prepend=-2), 1)


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


Width = Literal["wide", "narrow", "side"]


@dataclass(frozen=True)
class Place:
    """Where a plot stands on the page.

    Attributes
    ----------
    width : str
        Of its column: "wide", as for what has a time axis, "narrow", or "side", below the controls.
    rows : int
        How many rows of the page it takes.
    height : float
        Of the figure at least, in rem.
    last : bool
        Whether it stands in the row below all others.
    twin : bool
        Whether it stands beside the raster, of pages that compare what is sent with what was undisturbed.
    """

    width: Width = "wide"
    rows: int = 1
    height: float = 8.1
    last: bool = False
    twin: bool = False

    def __post_init__(self) -> None:
        if self.width not in get_args(Width):
            raise BadSetting(f"Unknown width {self.width!r} of a plot. There are wide, narrow and side.")


class Plotter(ABC):
    """One live plot.

    An instance either builds the figure of a page or makes the updates of a session, once per frame
    for all who watch. Sources and models have names that are unique within the plotter.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    place: ClassVar[Place] = Place()

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    @classmethod
    def suits(cls, description: Description) -> bool:
        """Whether sessions of such bins have this plot."""
        del description
        return True

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

        `news` holds the bins on screen. A plotter that shows more than those overrides this.
        """
        return self.update(news) if len(news.rows) else ()

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
            min_border_left=LEFT,
            toolbar_location=None,
            tools="",
            x_axis_label=x_label,
            y_axis_label=y_label,
            border_fill_color=None,
            **options,
        )
        paint_figure(plot)
        return plot

    def time_figure(self, y_label: str, **options: Any) -> figure:
        """One whose horizontal axis is the time on screen."""
        seconds = self.scene.n_bins * self.scene.recording.bin_width
        return self.plain_figure(TIME, y_label, x_range=(-seconds, 0), min_border_right=RIGHT, **options)

    def times(self) -> Floats:
        """When each column on screen ends, s before the newest bin's end, shape (n_columns,)."""
        n, k = self.scene.n_columns, self.scene.bins_per_column
        return (np.arange(1 - n, 1) * k / self.scene.recording.bin_rate).astype(np.float32)

    def blank(self) -> Floats:
        """A column over time before the first bin, shape (n_columns,)."""
        return np.full(self.scene.n_columns, np.nan, np.float32)
