"""The arena from above: the cursor with its trail, the targets, and what decoders make of the spikes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np
from bokeh.models import BasicTicker, DataRange1d
from bokeh.models.glyphs import Circle, Rect, Scatter, Segment, Text
from bokeh.models.ui import UIElement
from bokeh.plotting import figure

from engine.bins.description import Description
from engine.bins.trials import Phase
from plotters.base import LIVE, Floats, News, Place, Plotter, Replace, Scene, Shift, Update
from plotters.columns import last_of_columns
from plotters.drawing import paint
from plotters.marks import MARKS

CURSORS: Final = (("good", "circle"), *MARKS)
"""Role of the colour, and marker: the true cursor, then those of decoders, as many as can be shown."""

TRAIL: Final = 2.0
"""Seconds of recording."""
FILL: Final[dict[Phase, float]] = {"target on": 0.15, "go": 0.35, "moving": 0.35, "hit": 0.9}
"""How full the current target is; empty in other phases."""
MARGIN: Final = 0.06
"""Share of the arena that is left free on either side."""
TICKS: Final = 3
"""About so many on an axis: in large type more would run into each other."""
REACH: Final = {"mm": 100.0, "cm": 10.0, "m": 0.1}
"""How far a live stream's cursor may go before anything is known of it, by the unit."""
ROOM: Final = 1.3
"""Times the farthest place of a closed loop that its arena goes."""
NOWHERE: Final = np.full((1, 2), np.nan, np.float32)
SIGNS: Final = (
    "",
    "\N{BLACK SQUARE}",
    "\N{BLACK UP-POINTING TRIANGLE}",
    "\N{BLACK DIAMOND}",
    "\N{BLACK DOWN-POINTING TRIANGLE}",
)
"""Before the names of the legend: the cursors' markers."""
LINE: Final = 17
"""Pixels from one name of the legend to the next."""
WHERE: Final = ("x", "y")
SIDES: Final = (*WHERE, "width", "height")


class Arena(Plotter):
    """Fixed axes of equal scale, where decoders' cursors stop. Those without a mark are not shown."""

    name = "arena"
    title = "Arena"
    place = Place("narrow")

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self.n_trail = scene.bins(TRAIL) // scene.bins_per_column
        self._corners = corners(scene.recording)
        self._seen = np.empty((0, 2), np.float32)  # of a live stream: its extreme places
        self._middle = np.zeros(2, np.float32)  # of a closed loop
        self._moving: set[int] = set()

    @property
    def caption(self) -> str:
        return "The target fills when it is on, more at the go cue, and wholly at a hit."

    def build(self) -> UIElement:
        unit = self.scene.recording.length_unit
        ranges = DataRange1d(range_padding=0.0), DataRange1d(range_padding=0.0)
        plot = self.plain_figure(
            f"x ({unit})", f"y ({unit})", x_range=ranges[0], y_range=ranges[1], match_aspect=True
        )
        for axis in plot.axis:
            axis.ticker = BasicTicker(desired_num_ticks=TICKS)
        source = self.source("corners", x=self._corners[:, 0], y=self._corners[:, 1])
        frame = plot.add_glyph(source, Scatter(line_color=None, fill_color=None))
        ranges[0].renderers = ranges[1].renderers = [frame]
        self._add_targets(plot)
        for i, (role, marker) in enumerate(CURSORS):
            self._add_cursor(plot, i, role, marker)
        return plot

    def update(self, news: News) -> Iterable[Update]:
        yield from self._widen(news)
        yield from self._move(news)
        yield Replace("target", "fill", np.full(1, FILL.get(news.trial.phase, 0.0), np.float32))
        trials = news.recent["trial"][news.with_lead(1)]
        if len(trials) == len(news.rows) or (trials != trials[0]).any():
            yield from self._aim(news)

    def start(self, news: News) -> Iterable[Update]:
        if len(news.rows):
            yield from self.update(news)
            yield from self._aim(news)
            if self.scene.recording.n_bins is None:
                yield from self._frame()

    def _widen(self, news: News) -> Iterator[Update]:
        """Make room for the places that a live stream brings."""
        if self.scene.recording.n_bins is not None:
            return
        places = np.concatenate(
            (self._seen, news.rows["kinematics"][:, :2], news.rows["intention"][:, 1:3])
        )
        places = places[np.isfinite(places).all(axis=1)]
        if not len(places):
            return
        extremes = np.array([places.min(axis=0), places.max(axis=0)])
        if not np.array_equal(extremes, self._seen):
            self._middle = self._middle if len(self._seen) else places[0]
            self._seen = extremes
            self._corners = around(extremes) if self.scene.recording.goal is None else self._about_middle()
            yield from self._frame()

    def _about_middle(self) -> Floats:
        """Opposite corners of a square, so that targets in other directions bring no other scale."""
        reach = np.float32(ROOM * np.abs(self._seen - self._middle).max() or 1.0)
        return np.array([self._middle - reach, self._middle + reach], np.float32)

    def _frame(self) -> Iterator[Update]:
        for axis, column in enumerate(WHERE):
            yield Replace("corners", column, self._corners[:, axis])

    # Targets

    def _add_targets(self, plot: figure) -> None:
        walls = self.source("barriers", x=[], y=[], width=[], height=[])
        wall = Rect(x="x", y="y", width="width", height="height", line_color=None, fill_alpha=0.45)
        paint(plot.add_glyph(walls, wall, level=LIVE).glyph, fill_color="muted")
        others = self.source("targets", x=[], y=[], radius=[])
        glyph = Circle(x="x", y="y", radius="radius", fill_color=None, line_width=1.5)
        paint(plot.add_glyph(others, glyph, level=LIVE).glyph, line_color="muted")
        current = self.source("target", x=[np.nan], y=[np.nan], radius=[np.nan], fill=[0.0])
        glyph = Circle(x="x", y="y", radius="radius", fill_alpha="fill", line_width=2.5)
        paint(plot.add_glyph(current, glyph, level=LIVE).glyph, line_color="accent", fill_color="accent")

    def _aim(self, news: News) -> Iterator[Update]:
        """The targets of the newest trial; between trials none of them is the current one."""
        within = news.recent["trial"][news.recent["trial"] >= 0]
        if len(within):
            trial = self.scene.recording.trials[within[-1]]
            current = (trial.target_x, trial.target_y) if news.rows["trial"][-1] >= 0 else (np.nan, np.nan)
            yield from self._place("target", [current], news.view.hit_radius)
            yield from self._place("targets", trial.target_pos, news.view.hit_radius)
            walls = np.reshape(trial.barriers, (-1, 4))
            for column, values in zip(SIDES, (walls * [1, 1, 2, 2]).astype(np.float32).T, strict=True):
                yield Replace("barriers", column, values)

    def _place(self, name: str, places: Sequence[tuple[float, float]], radius: float) -> Iterator[Update]:
        columns = np.array(places, np.float32).reshape(-1, 2)
        for i, column in enumerate(WHERE):
            yield Replace(name, column, columns[:, i])
        yield Replace(name, "radius", np.full(len(columns), radius, np.float32))

    # Cursors

    def _add_cursor(self, plot: figure, i: int, role: str, marker: str) -> None:
        blank = np.full(self.n_trail, np.nan, np.float32)
        fading = np.linspace(0, 1, self.n_trail, dtype=np.float32) ** 2
        trail = self.source(f"trail {i}", x0=blank, y0=blank, x1=blank, y1=blank, alpha=fading)
        segment = Segment(x0="x0", y0="y0", x1="x1", y1="y1", line_alpha="alpha", line_width=3)
        paint(plot.add_glyph(trail, segment, level=LIVE).glyph, line_color=role)
        left, top = float(self._corners[0, 0]), float(self._corners[1, 1])
        cursor = self.source(
            f"cursor {i}", x=[np.nan], y=[np.nan], who=[""], sign=[""], left=[left], top=[top]
        )
        paint(
            plot.add_glyph(
                cursor, Scatter(x="x", y="y", marker=marker, size=13, line_width=2), level=LIVE
            ).glyph,
            fill_color=role,
            line_color="plot",
        )
        name = Text(x="left", y="top", text="sign", text_baseline="top", x_offset=6, y_offset=LINE * i - 12)
        paint(
            plot.add_glyph(cursor, name, level=LIVE).glyph,
            text_color=role,
            text_font="font",
            text_font_size="small",
        )

    def _move(self, news: News) -> Iterator[Update]:
        """Cursors to the newest bin, and their trails along."""
        yield from self._move_cursor(news)
        moving = {i: name for i, name in enumerate(news.marked, start=1) if name in news.decoded}
        for i in sorted(self._moving | moving.keys()):
            yield from self._move_decoder(i, news, moving.get(i, ""))
        self._moving = set(moving)

    def _move_decoder(self, i: int, news: News, name: str) -> Iterator[Update]:
        """A decoder's cursor at the newest bin that it has answered.

        Answers come after their bin has been shown: its trail is told anew each time.
        """
        low, high = self._corners
        k, n = self.scene.bins_per_column, self.n_trail + 1
        path = np.clip(news.decoded[name], low, high) if name else np.empty((0, 2), np.float32)
        last = news.newest_answered(name)
        near = last >= len(path) - n * k
        at = path[last : last + 1] if last >= 0 and near else NOWHERE
        starts, ends = np.full((2, n, 2), np.nan, np.float32)
        if len(recent := path[-n * k :]):
            starts[-(len(recent) // k) :] = recent[k - 1 :: k]
            ends[-(len(recent) // k) :] = last_of_columns(news, recent, k)
        for axis, column in enumerate(WHERE):
            yield Replace(f"trail {i}", f"{column}0", starts[:-1, axis])
            yield Replace(f"trail {i}", f"{column}1", ends[1:, axis])
            yield Replace(f"cursor {i}", column, at[:, axis])
        yield Replace(f"cursor {i}", "who", [name])
        yield Replace(f"cursor {i}", "sign", [f"{SIGNS[i]} {name}" if name else ""])

    def _move_cursor(self, news: News) -> Iterator[Update]:
        """The true cursor."""
        k = self.scene.bins_per_column
        path = news.recent["kinematics"][news.with_lead(k), :2].astype(np.float32)
        ends = last_of_columns(news, path, k)
        starts = path[k - 1 :: k][:-1]
        if len(path) == len(news.rows):  # nothing was before
            starts = np.concatenate((NOWHERE, starts))
        ends = ends[len(ends) - len(starts) :]
        for axis, column in enumerate(WHERE):
            yield Shift("trail 0", f"{column}0", starts[:, axis])
            yield Shift("trail 0", f"{column}1", ends[:, axis])
            yield Replace("cursor 0", column, path[-1:, axis])


def corners(description: Description) -> Floats:
    """Opposite corners of what a recording has places in, shape (2, 2)."""
    targets = [place for trial in description.trials for place in trial.target_pos]
    aimed = [(trial.target_x, trial.target_y) for trial in description.trials]
    places = np.concatenate((description.kinematics[:, :2], np.reshape([*targets, *aimed], (-1, 2))))
    places = places[np.isfinite(places).all(axis=1)]
    reach = REACH.get(description.length_unit)
    if not len(places) and description.n_bins is None and reach:
        places = np.array([[-reach, -reach], [reach, reach]], np.float32)
    return around(places)


def around(places: Floats) -> Floats:
    """Opposite corners of what holds places of shape (n, 2), with a margin."""
    if not len(places):
        return np.array([[-1, -1], [1, 1]], np.float32)
    low, high = places.min(axis=0), places.max(axis=0)
    margin = MARGIN * (high - low).max() or 1.0
    return np.array([low - margin, high + margin], np.float32)
