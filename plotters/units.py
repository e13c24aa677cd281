"""Each unit's rate now against its mean in the session."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from bokeh.models import BasicTicker, HoverTool, Range1d
from bokeh.models.ui import UIElement

from engine.analysis.rates import mean_rates
from plotters.base import LIVE, Floats, News, Place, Plotter, Replace, Scene, Set, Update
from plotters.columns import spike_rates
from plotters.drawing import nice_end, paint

NOW = 1.0
"""Seconds of recording."""
PERIOD = 0.1
"""Seconds of recording from one update to the next: a mean over 1 s moves no faster."""
SPREAD = 2.0
"""Standard deviations of the band."""
BAND = 4.0
"""How far it goes, in ends of the axis as built: a session's rates can be above the recording's."""
TICKS = 4
"""About so many on the axis: numbers of three digits would run into each other."""


class Units(Plotter):
    """Points on the line fire as they do on average, those in the band as often as chance has it."""

    name = "units"
    title = "Unit rates"
    place = Place("narrow", rows=2)

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self.means = np.nan_to_num(mean_rates(scene.recording)).astype(np.float32)
        self._told: object = None
        self.n_now = scene.bins(NOW)
        self.seconds = self.n_now * scene.recording.bin_width

    @property
    def caption(self) -> str:
        return f"A dot a unit, over {self.seconds:g} s. Band: Poisson, \N{PLUS-MINUS SIGN} {SPREAD:g} sd."

    def build(self) -> UIElement:
        end = max(1.05 * float(self.means.max(initial=0.0)), 1.0)
        plot = self.plain_figure(
            "Session's mean (spikes/s)",
            "Now (spikes/s)",
            x_range=Range1d(start=0, end=end, name=self.full_name("means")),
            y_range=Range1d(start=0, end=self.top(self.means), name=self.full_name("range")),
        )
        plot.xaxis.ticker = BasicTicker(desired_num_ticks=TICKS)
        expected = np.linspace(0, BAND * end, 60)
        spread = SPREAD * np.sqrt(expected / self.seconds)
        band = plot.varea(expected, np.maximum(expected - spread, 0), expected + spread)
        paint(band.glyph, fill_color="grid")
        paint(plot.line([0, BAND * end], [0, BAND * end]).glyph, line_color="muted")
        source = self.source(
            "rates",
            mean=self.means,
            now=np.full(len(self.means), np.nan, np.float32),
            unit=[str(unit) for unit in range(len(self.means))],
        )
        dots = plot.scatter(
            "mean", "now", source=source, level=LIVE, size=7, fill_alpha=0.75, line_width=0.5
        )
        paint(dots.glyph, fill_color="good", line_color="plot")
        tip = [("Unit", "@unit"), ("Now", "@now{0.0} spikes/s"), ("Mean", "@mean{0.0} spikes/s")]
        plot.add_tools(HoverTool(renderers=[dots], tooltips=tip))
        return plot

    def should_update(self, news: News) -> bool:
        return news.every(self.scene.bins(PERIOD))

    def update(self, news: News) -> Iterable[Update]:
        rates = self.rates(news)
        rates[news.view.hidden_units] = np.nan
        yield Replace("rates", "now", rates)
        yield Set("range", {"end": self.top(rates)})
        if news.means is not self._told:
            self._told = news.means
            yield from self._move(news)

    def start(self, news: News) -> Iterable[Update]:
        yield from super().start(news)
        yield from self._move(news)

    def _move(self, news: News) -> Iterator[Update]:
        """Units to their means in the session; the recording's are shown before it has any."""
        if news.means is None or np.isnan(news.means).all():
            return
        means = news.means.astype(np.float32)
        yield Replace("rates", "mean", means)
        yield Set("means", {"end": max(1.05 * float(means.max()), 1.0)})

    def rates(self, news: News) -> Floats:
        """Spikes per second of observed time, lost bins aside, shape (n_units,); NaN if there was none."""
        return spike_rates(news.recent[-self.n_now :], self.scene.recording.bin_width)

    def top(self, rates: Floats) -> float:
        """The end of an axis that holds the rates and the band."""
        highest = float(self.means.max(initial=0.0))
        highest += SPREAD * np.sqrt(highest / self.seconds)
        return nice_end(1.02 * float(np.fmax.reduce(rates, initial=highest)))
