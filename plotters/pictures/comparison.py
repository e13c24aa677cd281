"""A comparison of decoders as a figure: each score of each condition, with its interval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from engine.comparison.table import Results, lines, scores_of
from plotters.pictures.file import Kind, style, to_file
from plotters.pictures.panel import Colours

WIDTH, ROW, AROUND = 10.0, 0.26, 1.35
"""Inches: of the figure, of a condition, and of what is above and below."""
PIXELS = 1600
AT_MOST = 4
"""Scores that are drawn: the first ones."""
N_COLOURS = 4


def draw(results: Results, about: Mapping[str, Any], kind: Kind, colours: Colours) -> bytes:
    """Draw a figure: a row for each condition, a panel for each of the first scores.

    Parameters
    ----------
    results : mapping
        As `engine.comparison.table` has them.
    about : mapping
        What was compared, with ``recording``, ``way`` and ``seeds``.
    kind : "png", "svg" or "pdf"
        Of file.
    colours : mapping
        Of one theme, by role.

    Returns
    -------
    bytes
        Of the file.
    """
    table, told = lines(results), dict(list(scores_of(results).items())[:AT_MOST])
    places = -np.arange(len(table))
    decoders = list(dict.fromkeys(line.condition.decoder for line in table))
    with mpl.rc_context(style(colours)):
        figure = Figure(figsize=(WIDTH, AROUND + ROW * len(table)), layout="constrained")
        panels = figure.subplots(1, len(told), sharey=True, squeeze=False)[0]
        for axes, (name, label) in zip(panels, told.items(), strict=True):
            axes.set_title(label, loc="left")
            for place, line in zip(places, table, strict=True):
                score = line.scores[name]
                number = decoders.index(line.condition.decoder) % N_COLOURS + 1
                colour = colours[f"decoder-{number}"]
                axes.plot([score.low, score.high], [place, place], color=colour, linewidth=2)
                axes.plot([score.mean], [place], "o", color=colour, markersize=5)
            axes.set_ylim(places[-1] - 0.6, 0.6)
        names = [" · ".join(each.replace("_", " ") for each in line.condition) for line in table]
        panels[0].set_yticks(places, names)
        title = f"Decoders on {about['recording']}, {about['way']}: {about['seeds']} seeds, 95 % intervals"
        figure.suptitle(title, fontsize=10, color=colours["text"], fontweight="bold")
        return to_file(figure, kind, title, PIXELS)
