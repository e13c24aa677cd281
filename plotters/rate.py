"""Population rate: spikes per second and unit, as it is and smoothed."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from bokeh.models import Range1d
from bokeh.models.ui import UIElement

from engine.bins.delivery import received
from engine.bins.schema import Rows
from plotters.base import LIVE, Floats, News, Plotter, Scene, Set, Shift, Update
from plotters.drawing import nice_end, paint

Totals = npt.NDArray[np.int64]

SMOOTHED_OVER = 0.25
"""Seconds of the moving average."""
RANGE_PERIOD = 0.5
"""Seconds of recording from one look at the range to the next."""


class Rate(Plotter):
    """The mean over all units, hidden ones too: what a decoder gets."""

    name = "rate"
    title = "Population rate"

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self.n_smooth = scene.bins(SMOOTHED_OVER)
        self._end = 0.0

    @property
    def caption(self) -> str:
        column, smooth = (
            f"{1e3 * n * self.scene.recording.bin_width:g} ms"
            for n in (self.scene.bins_per_column, self.n_smooth)
        )
        return f"Mean of all units in {column}. Bold: over {smooth}."

    def build(self) -> UIElement:
        minute = self.scene.recording.bins[: 60 * round(self.scene.recording.bin_rate)]
        end = self.top(minute, minute["observed"])
        y_range = Range1d(start=0, end=end, name=self.full_name("range"))
        plot = self.time_figure("Rate (spikes/s)", y_range=y_range)
        source = self.source("trace", time=self.times(), raw=self.blank(), smooth=self.blank())
        raw = plot.line("time", "raw", source=source, level=LIVE, line_width=1, line_alpha=0.6)
        smooth = plot.line("time", "smooth", source=source, level=LIVE, line_width=2.5)
        paint(raw.glyph, line_color="muted")
        paint(smooth.glyph, line_color="good")
        return plot

    def update(self, news: News) -> Iterable[Update]:
        k = self.scene.bins_per_column
        n, window = len(news.rows) // k, self.n_smooth // k
        recent = news.recent[news.with_lead(self.n_smooth - k)]
        spikes, observed = self.totals(recent, received(recent))
        raw = self.rates(spikes[-n:], observed[-n:])
        smooth = self.rates(moving_sum(spikes, window)[-n:], moving_sum(observed, window)[-n:])
        smooth[observed[-n:] == 0] = np.nan
        yield Shift("trace", "raw", raw)
        yield Shift("trace", "smooth", smooth)
        if (raw > self._end).any() or news.every(self.scene.bins(RANGE_PERIOD)):
            self._end = self.top(news.recent, received(news.recent))
            yield Set("range", {"end": self._end})

    def start(self, news: News) -> Iterable[Update]:
        yield from super().start(news)
        yield Set("range", {"end": self.top(news.recent, received(news.recent))})

    def totals(self, rows: Rows, known: npt.NDArray[np.bool_]) -> tuple[Totals, Totals]:
        """What rates are made of, in each whole column.

        Parameters
        ----------
        rows : ndarray, shape (n,), with ``counts``
        known : ndarray of bool, shape (n,)
            Which of them count.

        Returns
        -------
        spikes, observed : ndarray of int64, shape (n_columns,)
            Spikes of all units in bins that count, and the number of these.
        """
        observed = known.astype(np.int64)
        spikes = rows["counts"].sum(axis=1, dtype=np.int64) * observed
        k = self.scene.bins_per_column
        return spikes.reshape(-1, k).sum(axis=1), observed.reshape(-1, k).sum(axis=1)

    def rates(self, spikes: Totals, observed: Totals) -> Floats:
        """Spikes per second and unit, NaN where nothing was observed; all of shape (n,)."""
        seconds = observed * (self.scene.recording.bin_width * self.scene.recording.n_units)
        found = np.full(len(seconds), np.nan, np.float32)
        np.divide(spikes, seconds, out=found, where=observed > 0, casting="unsafe")
        return found

    def top(self, rows: Rows, known: npt.NDArray[np.bool_]) -> float:
        """The end of an axis that holds the raw rates of bins."""
        start = len(rows) % self.scene.bins_per_column
        highest = self.rates(*self.totals(rows[start:], known[start:]))
        return nice_end(1.1 * float(np.fmax.reduce(highest, initial=0.0)))


def moving_sum(values: Totals, n: int) -> Totals:
    """Of each value and the n - 1 before it, shape as `values`."""
    total = np.cumsum(values)
    total[n:] -= total[:-n].copy()
    return total
