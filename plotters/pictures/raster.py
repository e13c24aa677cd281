"""Spike raster: one row a unit, one column a bin, with a colour for each count."""

from __future__ import annotations

import math
from typing import Any

import holoviews as hv
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.ticker import MaxNLocator

from engine.moment import Moment
from plotters.pictures.panel import TICK_STEPS, Colours, annotate, leave_empty, styled
from plotters.pictures.timeline import put_over_time
from plotters.raster import ORDERS

MAX_COLUMNS = 2400
"""Where there are more bins, several make one column."""
LABELS = 5
"""Units that have their number on the axis, about."""
NOTHING = (0.0, 0.0, 0.0, 0.0)
"""Where there is no spike the plot's ground shows."""
MIN_TOP, MAX_TOP = 3, 200
"""Bounds of the count that has the last colour."""


def draw_raster(axes: Axes, moment: Moment, colours: Colours) -> None:
    counts = columns(moment)
    n_columns, n_units = counts.shape
    if not n_units:
        leave_empty(axes, colours, "All units are hidden")
        return
    top = top_count(counts)
    width = bins_per_column(moment) / moment.bin_rate
    palette = colours["counts"]
    steps = [NOTHING, *(palette[round(i * (len(palette) - 1) / top)] for i in range(1, top + 1))]
    image = hv.Image(
        np.minimum(counts, top).T[::-1],
        ["time", "unit"],
        "spikes",
        bounds=(-n_columns * width, 0, 0, n_units),
    )
    coloured = styled(image, cmap=ListedColormap(steps), clim=(-0.5, top + 0.5), interpolation="none")
    put_over_time(hv.Overlay([coloured]), axes, moment, colours)
    axes.grid(visible=False)
    axes.set(ylim=(0, n_units), ylabel=ORDERS[moment.unit_order])
    step = MaxNLocator(LABELS, steps=TICK_STEPS).tick_values(0, n_units)[1]
    labelled = range(0, n_units, max(int(step), 1))
    axes.set_yticks([row + 0.5 for row in labelled], [str(moment.units[row]) for row in labelled])
    of_all = "" if n_units == len(moment.channel_names) else f" of {len(moment.channel_names)}"
    annotate(axes, colours, f"{n_units}{of_all} units, spikes in {1000 * width:g} ms")
    _add_colour_bar(axes, top, at_least=counts.max() > top)


def columns(moment: Moment) -> npt.NDArray[np.uint32]:
    """Spikes of the shown units as they were sent, none where they were lost, shape (n_columns, n_shown).

    The first column may hold fewer bins.
    """
    counts, k = moment.rows["counts"][:, moment.units], bins_per_column(moment)
    counts[moment.rows["lost"]] = 0
    from_newest = np.arange(len(counts) % k, len(counts), k)
    starts = np.union1d([0], from_newest)
    summed: npt.NDArray[np.uint32] = np.add.reduceat(counts, starts, axis=0, dtype=np.uint32)
    return summed


def bins_per_column(moment: Moment) -> int:
    return max(math.ceil(len(moment.rows) / MAX_COLUMNS), 1)


def top_count(counts: npt.NDArray[Any]) -> int:
    """The count that one column in a thousand exceeds."""
    return int(np.clip(np.ceil(np.quantile(counts, 0.999)), MIN_TOP, MAX_TOP))


def _add_colour_bar(axes: Axes, top: int, at_least: np.bool) -> None:
    bar = axes.inset_axes((1.012, 0.0, 0.014, 1.0))
    step = math.ceil(top / 5)
    ticks = [*range(0, top - step + 1, step), top]
    assert axes.figure is not None
    scale = axes.figure.colorbar(axes.images[0], cax=bar, ticks=ticks)
    scale.ax.set_yticklabels([*map(str, ticks[:-1]), f"{'≥ ' if at_least else ''}{top}"])
    scale.outline.set_visible(False)
    scale.ax.tick_params(length=0)
