"""What figures have in common: the theme's colours, and the ends of axes."""

from __future__ import annotations

import math

from bokeh.model import Model
from bokeh.plotting import figure


def nice_end(value: float) -> float:
    """An end for an axis that holds a value and rarely changes: 1, 1.5, 2, 3, 5 or 7 and a power of 10."""
    if not (value > 0 and math.isfinite(value)):
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0) if step * power >= value)


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


def paint_figure(plot: figure) -> None:
    """Let the theme set the ground, axes and grid of a figure."""
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
        grid.grid_line_alpha = 1
        paint(grid, grid_line_color="grid")
