"""Every unit's rate in these seconds against its mean in the recording."""

from __future__ import annotations

import holoviews as hv
import numpy as np
from matplotlib.axes import Axes

from engine.bins.delivery import received
from engine.moment import Moment
from plotters.pictures.panel import Colours, Floats, annotate, leave_empty, put, styled

N_NAMED = 3
"""Units that are named, those furthest from what is expected."""
MIN_APART = 0.05
"""Of the axis, between two names."""


def draw_units(axes: Axes, moment: Moment, colours: Colours) -> None:
    n_observed = int(np.count_nonzero(received(moment.rows)))
    annotate(axes, colours, "band: Poisson, ± 2 sd")
    if not n_observed:
        leave_empty(axes, colours, "Nothing was recorded here")
        return
    seconds, rates = n_observed / moment.bin_rate, rates_now(moment)
    shown = moment.units
    top = 1.08 * max(float(rates.max()), float(moment.mean_rates.max()), 1.0)
    expected = np.linspace(0, top, 100)
    spread = 2 * np.sqrt(expected / seconds)
    band = hv.Area((expected, np.maximum(expected - spread, 0), expected + spread), "mean", ["low", "high"])
    same = hv.Curve((expected, expected), "mean", "rate")
    points = hv.Scatter((moment.mean_rates[shown], rates[shown]), "mean", "rate")
    overlay = (
        styled(band, facecolor=colours["grid"], linewidth=0)
        * styled(same, color=colours["muted"], linewidth=0.9)
        * styled(points, color=colours["good"], s=18, alpha=0.75, linewidth=0)
    )
    put(styled(overlay, show_legend=False), axes)
    axes.set(xlim=(0, top), ylim=(0, top), aspect="equal")
    axes.set(xlabel="Mean of the recording (spikes/s)", ylabel="Now (spikes/s)")
    _name_furthest(axes, moment, rates, seconds, colours)


def rates_now(moment: Moment) -> Floats:
    """Spikes per second as sent, over the bins observed and not lost, shape (n_units,); some must be."""
    counts = moment.rows["counts"][received(moment.rows)]
    rates: Floats = counts.mean(axis=0, dtype=np.float64) * moment.bin_rate
    return rates


def _name_furthest(axes: Axes, moment: Moment, rates: Floats, seconds: float, colours: Colours) -> None:
    """Furthest in standard deviations of the band, and apart from each other."""
    surprise = np.abs(rates - moment.mean_rates) / np.sqrt(
        np.maximum(moment.mean_rates, 1 / seconds) / seconds
    )
    apart = MIN_APART * axes.get_ylim()[1]
    named: list[float] = []
    surprise = surprise[moment.units]
    for unit in moment.units[np.argsort(surprise)[::-1]].tolist():
        if len(named) == N_NAMED or any(abs(rates[unit] - rate) < apart for rate in named):
            continue
        named.append(rates[unit])
        axes.plot(moment.mean_rates[unit], rates[unit], "o", color=colours["accent"], markersize=5)
        leftwards = moment.mean_rates[unit] > 0.7 * axes.get_xlim()[1]
        axes.annotate(
            moment.channel_names[unit],
            (moment.mean_rates[unit], rates[unit]),
            (-5, 4) if leftwards else (5, 4),
            textcoords="offset points",
            ha="right" if leftwards else "left",
            fontsize="small",
            color=colours["text"],
            bbox={"boxstyle": "round,pad=0.1", "facecolor": colours["plot"], "linewidth": 0, "alpha": 0.7},
        )
