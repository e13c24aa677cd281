"""What a panel of a picture is, and what panels are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import holoviews as hv
import numpy as np
import numpy.typing as npt
from holoviews.plotting.mpl import MPLRenderer
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from engine.moment import Moment

Colours = Mapping[str, Any]
"""By role, of one theme: a colour each, and the list ``counts``."""

Floats = npt.NDArray[np.float64]

TICK_STEPS = (1, 2, 2.5, 5, 10)

LETTER, BOLD_LETTER = 0.072, 0.1
"""Inches of a letter, about: small, and of a title."""
BEHIND = -1.0
"""Of all that HoloViews draws, which begins at 0."""


@dataclass(frozen=True)
class Panel:
    """One plot.

    Attributes
    ----------
    title : str
    draw : function
        Fills the axes it is given, which have the title; there is at least one bin.
    height : float, optional
        In inches, of a panel over time; None for a square one.
    """

    title: str
    draw: Callable[[Axes, Moment, Colours], None]
    height: float | None = None


def styled(element: Any, **style: Any) -> Any:
    """With options of matplotlib's, whichever backend HoloViews has for others in this process."""
    return element.opts(backend="matplotlib", **style)


def put(element: hv.Element | hv.Overlay, axes: Axes) -> None:
    """Draw with HoloViews, and leave ticks, labels and limits to what comes after."""
    MPLRenderer.instance().get_plot(element, fig=axes.figure, axis=axes)
    axes.set(aspect="auto", xlabel="", ylabel="")
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=TICK_STEPS))
    axes.yaxis.set_major_locator(MaxNLocator(4, steps=TICK_STEPS))
    axes.grid(visible=True, axis="y")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_zorder(BEHIND)


def annotate(axes: Axes, colours: Colours, note: str) -> None:
    """Write a note above the right corner if the title leaves room for it."""
    if len(axes.get_title("left")) * BOLD_LETTER + len(note) * LETTER < inches_wide(axes):
        axes.set_title(note, loc="right", color=colours["muted"], fontsize="small", fontweight="normal")


def inches_wide(axes: Axes) -> float:
    figure = axes.get_figure(root=True)
    assert figure is not None
    return float(axes.get_position().width * figure.get_figwidth())


def leave_empty(axes: Axes, colours: Colours, why: str) -> None:
    """Say why there is nothing to see."""
    axes.set(xticks=[], yticks=[])
    axes.text(0.5, 0.5, why, ha="center", va="center", transform=axes.transAxes, color=colours["muted"])
