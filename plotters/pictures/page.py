"""A picture of a session's newest seconds: panels, heading and caption, as PNG, SVG or PDF."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from engine.moment import Moment
from plotters.pictures import PANELS
from plotters.pictures.caption import caption, heading
from plotters.pictures.file import Kind, style, to_file
from plotters.pictures.layout import LEFT, SQUARE_RIGHT, Box, arrange
from plotters.pictures.panel import Colours, Panel, leave_empty
from plotters.pictures.timeline import LABEL, draw_trials

HEAD, MARGIN = 0.52, 0.2
"""Inches for the heading, and around the caption."""
HEADING = 13.0
"""Points; less where the names are long."""
HEADING_LETTER = 0.0095
"""Inches of one of its letters, per point."""
LINE = 0.19
"""Inches from a caption's line to the next."""
CHARACTERS = 16.5
"""Of a caption, per inch."""


def draw(moment: Moment, plots: Sequence[str], kind: Kind, colours: Colours, width: int) -> bytes:
    """Draw a picture.

    Parameters
    ----------
    moment : Moment
    plots : sequence of str
        Names of `plotters.pictures.PANELS`; all of them if empty.
    kind : "png", "svg" or "pdf"
        Of file.
    colours : mapping
        Of one theme, by role.
    width : int
        Pixels; a PDF has the layout that suits them, and the size of a page.

    Returns
    -------
    bytes
        Of the file.
    """
    with mpl.rc_context(style(colours)):
        figure = _compose(moment, plots, colours, width)
        return to_file(figure, kind, f"{heading(moment)}: {caption(moment)}", width)


def _compose(moment: Moment, plots: Sequence[str], colours: Colours, width: int) -> Figure:
    panels: dict[str, Panel] = {name: panel for name, panel in PANELS.items() if not plots or name in plots}
    arrangement = arrange(panels, width)
    inner = arrangement.width - LEFT - SQUARE_RIGHT
    lines = textwrap.wrap(caption(moment), int(inner * CHARACTERS))
    height = HEAD + arrangement.height + LINE * len(lines) + MARGIN
    figure = Figure(figsize=(arrangement.width, height))

    def axes_in(box: Box) -> Axes:
        bottom = height - HEAD - box.y - box.height
        return figure.add_axes(
            (
                box.x / arrangement.width,
                bottom / height,
                box.width / arrangement.width,
                box.height / height,
            )
        )

    over_time: list[Axes] = []
    for name, panel in panels.items():
        axes = axes_in(arrangement.boxes[name])
        axes.set_title(panel.title, loc="left")
        if len(moment.rows):
            panel.draw(axes, moment, colours)
        else:
            leave_empty(axes, colours, "Nothing was sent yet")
        if panel.height is not None:
            over_time.append(axes)
    for axes in over_time[:-1]:
        axes.tick_params(labelbottom=False)
    if over_time:
        over_time[-1].set_xlabel(LABEL)
        figure.align_ylabels(over_time)
    if arrangement.strip is not None:
        draw_trials(axes_in(arrangement.strip), moment, colours)

    def write(x: float, from_top: float, text: str, **style: Any) -> None:
        figure.text(x / arrangement.width, 1 - from_top / height, text, va="baseline", **style)

    size = min(HEADING, inner / (len(heading(moment)) * HEADING_LETTER))
    write(LEFT, 0.34, heading(moment), color=colours["text"], fontsize=size, fontweight="bold")
    for i, line in enumerate(lines):
        write(
            LEFT, HEAD + arrangement.height + (i + 0.4) * LINE, line, color=colours["muted"], fontsize=8.5
        )
    return figure
