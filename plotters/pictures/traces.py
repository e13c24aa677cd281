"""What changes over time: population rate, position, velocity, and how late the ticks were."""

from __future__ import annotations

import holoviews as hv
import numpy as np
from matplotlib.axes import Axes

from engine.bins.delivery import received
from engine.moment import Moment
from plotters.pictures.panel import Colours, Floats, annotate
from plotters.pictures.timeline import curve, put_over_time

SMOOTHED_OVER = 0.25
"""Seconds of the population rate's moving average."""
DASHED = (0, (5, 1))
"""For those who see no colours."""
MIN_LATENESS = 1.0
"""Milliseconds that the axis has at least, so that good timing looks like it."""


def draw_rate(axes: Axes, moment: Moment, colours: Colours) -> None:
    rate = population_rate(moment)
    smooth = moving_average(rate, max(round(SMOOTHED_OVER * moment.bin_rate), 1))
    fine = curve(moment, rate, color=colours["muted"], linewidth=0.6, alpha=0.55)
    bold = curve(moment, smooth, color=colours["good"], linewidth=1.6)
    put_over_time(fine * bold, axes, moment, colours)
    axes.set(ylim=(0, _top(rate)), ylabel="Rate (spikes/s)")
    annotate(axes, colours, f"mean of all units; bold: over {1000 * SMOOTHED_OVER:g} ms")


def draw_position(axes: Axes, moment: Moment, colours: Colours) -> None:
    _draw_kinematics(axes, moment, colours, 0, "Position", moment.length_unit)


def draw_velocity(axes: Axes, moment: Moment, colours: Colours) -> None:
    _draw_kinematics(axes, moment, colours, 2, "Velocity", f"{moment.length_unit}/s")


def draw_timing(axes: Axes, moment: Moment, colours: Colours) -> None:
    late = 1000.0 * moment.rows["lateness"].astype(np.float64)
    put_over_time(
        hv.Overlay([curve(moment, late, color=colours["good"], linewidth=0.9)]), axes, moment, colours
    )
    axes.set(ylim=(0, max(_top(late), MIN_LATENESS)), ylabel="Late (ms)")
    middle, high, most = np.percentile(late, (50, 99, 100))
    told = f"median {middle:.2f} ms, 99 % within {high:.2f} ms, at most {most:.2f} ms"
    annotate(axes, colours, told)


def population_rate(moment: Moment) -> Floats:
    """Spikes per second and unit, shape (n_bins,); NaN where not observed, or lost."""
    rate: Floats = moment.rows["counts"].mean(axis=1, dtype=np.float64) * moment.bin_rate
    return np.where(received(moment.rows), rate, np.nan)


def moving_average(values: Floats, n: int) -> Floats:
    """Mean of those of the `n` values around each that are known, shape as `values`; NaN stays."""
    known = np.isfinite(values)
    window = np.ones(min(n, len(values)))
    total = np.convolve(np.where(known, values, 0.0), window, "same")
    weight = np.convolve(known.astype(np.float64), window, "same")
    mean: Floats = np.divide(total, weight, out=np.full(len(values), np.nan), where=known)
    return mean


def _draw_kinematics(
    axes: Axes, moment: Moment, colours: Colours, first: int, what: str, unit: str
) -> None:
    values = moment.rows["kinematics"][:, first : first + 2].astype(np.float64)
    x, y = (
        curve(moment, values[:, i], color=colours[role], linewidth=1.4, linestyle=dash)
        for i, (role, dash) in enumerate((("good", "solid"), ("accent", DASHED)))
    )
    put_over_time(x * y, axes, moment, colours)
    axes.set_ylabel(f"{what} ({unit})")
    axes.margins(y=0.1)
    axes.autoscale(axis="y")
    axes.legend(axes.get_lines()[:2], ("x", "y"), loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2)


def _top(values: Floats) -> float:
    return 1.1 * float(np.nanmax(values, initial=0.0)) or 1.0
