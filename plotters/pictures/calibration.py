"""The result of a calibration: how R2 falls from level to level, with a few paths or other decoders."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from engine.calibration.run import Outcome
from engine.decoders import DECODERS
from plotters.pictures.file import Kind, style, to_file
from plotters.pictures.panel import Colours, leave_empty

WIDE_FROM = 700
"""Pixels from which the two panels are side by side."""
LOWEST = -0.5
"""Of the axis of R2: what is worse is written, below an arrow."""
ARROW = "\N{DOWNWARDS ARROW}"
N_COLOURS = 4
MARKERS = "s^DvoP"
BAR = 0.38
"""Width, where levels are 1 apart."""


def draw(outcome: Outcome, _plots: Sequence[str], kind: Kind, colours: Colours, width: int) -> bytes:
    """Draw a figure.

    Parameters
    ----------
    outcome : Outcome
    kind : "png", "svg" or "pdf"
        Of file.
    colours : mapping
        Of one theme, by role.
    width : int
        Pixels.

    Returns
    -------
    bytes
        Of the file.
    """
    plan, wide = outcome.plan, width >= WIDE_FROM
    with mpl.rc_context(style(colours)):
        figure = Figure(figsize=(10.0, 4.6) if wide else (5.0, 8.6), layout="constrained")
        figure.get_layout_engine().set(w_pad=0.12, h_pad=0.12, wspace=0.04, hspace=0.04)  # type: ignore[union-attr, call-arg]
        bars, paths = figure.subplots(
            *((1, 2) if wide else (2, 1)),
            gridspec_kw={"width_ratios": (1.25, 1)} if wide else {"height_ratios": (1, 1.2)},
        )
        if outcome.others:
            for axes, quantity in ((bars, "velocity"), (paths, "position")):
                _draw_decoders(axes, outcome, quantity, colours)
            figure.legend(
                *bars.get_legend_handles_labels(), loc="outside lower center", ncols=3 if wide else 1
            )
        else:
            _draw_levels(bars, outcome, colours)
            _draw_paths(paths, outcome, colours)
        several = outcome, *outcome.others
        decoders = ", ".join(each.plan.decoder.replace("_", " ") for each in several)
        title = (
            f"{decoders} on {plan.recording}: "
            f"{len(plan.split.train)} trials to learn from, {len(plan.split.test)} to test on"
        )
        figure.suptitle(title, fontsize=10 if wide else 8, color=colours["text"], fontweight="bold")
        return to_file(figure, kind, title, width)


def _called(outcome: Outcome) -> str:
    """The decoder, with the settings that differ from the usual ones."""
    plan, usual = outcome.plan, DECODERS[outcome.plan.decoder].param
    others = {name: value for name, value in plan.settings.items() if value != usual[name].default}
    settings = ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in others.items())
    return plan.decoder.replace("_", " ") + (f" ({settings})" if settings else "")


def _draw_decoders(axes: Axes, outcome: Outcome, quantity: str, colours: Colours) -> None:
    """A line for each decoder, from level to level."""
    axes.set_title(f"R² of {quantity}, trials never seen", loc="left")
    several = outcome, *outcome.others
    lowest = 0.0
    for i, each in enumerate(several):
        values = np.array([getattr(scores, f"r2_{quantity}").mean for scores in each.scores])
        shown = np.clip(values, LOWEST, 1.0)
        lowest = min(lowest, float(np.nanmin(shown, initial=0.0)))
        colour = colours[f"decoder-{i % N_COLOURS + 1}"]
        style_ = "-" if i < N_COLOURS else "--"
        axes.plot(shown, style_, color=colour, marker=MARKERS[i % len(MARKERS)], label=_called(each))
    axes.axhline(0, color=colours["line"], linewidth=0.8)
    axes.set(
        xticks=range(len(outcome.scores)),
        xticklabels=[scores.level for scores in outcome.scores],
        ylim=(lowest - 0.05, 1.02),
        ylabel="R², mean of x and y",
    )
    if lowest <= LOWEST:
        told = f"cut at {LOWEST:g}"
        axes.text(0.01, 0.01, told, transform=axes.transAxes, fontsize=7.5, color=colours["text"])


def _draw_levels(axes: Axes, outcome: Outcome, colours: Colours) -> None:
    """Two bars for each level, with their values."""
    axes.set_title("R² of trials never seen, by perturbation", loc="left")
    drawn: list[float] = [0.0, 1.0]
    small: dict[str, Any] = {"fontsize": 7.5, "color": colours["text"]}
    cut = False
    for quantity, role, side in (("velocity", "good", -BAR / 2), ("position", "accent", BAR / 2)):
        values = np.array([getattr(each, f"r2_{quantity}").mean for each in outcome.scores])
        at, heights = np.arange(len(values)) + side, np.clip(values, LOWEST, 1.0)
        drawn += heights[np.isfinite(heights)].tolist()
        axes.bar(at, np.nan_to_num(heights), BAR, color=colours[role], label=quantity)
        for x, value, height in zip(at, values, heights, strict=True):
            if math.isfinite(value):
                up, worse = value >= 0, value < LOWEST
                cut = cut or worse
                axes.annotate(
                    f"{ARROW}\n{value:.2f}" if worse else f"{value:.2f}",
                    (x, height),
                    (0, 2 if up else -2),
                    textcoords="offset points",
                    ha="center",
                    va="bottom" if up else "top",
                    **small,
                )
    below = 0.1 if min(drawn) < 0 else 0.0
    if cut:
        below = 0.25
        axes.text(0.01, 0.01, f"{ARROW} below {LOWEST:g}: not to scale", transform=axes.transAxes, **small)
    axes.axhline(0, color=colours["line"], linewidth=0.8)
    axes.set(
        xticks=range(len(outcome.scores)),
        xticklabels=[each.level for each in outcome.scores],
        ylim=(min(drawn) - below, 1.08),
        ylabel="R², mean of x and y",
    )
    axes.grid(visible=False, axis="x")
    axes.legend(loc="upper right", ncols=2)


def _draw_paths(axes: Axes, outcome: Outcome, colours: Colours) -> None:
    """What was done and what was decoded, undisturbed."""
    axes.set_title("Undisturbed paths of test trials", loc="left")
    known = [each for each in outcome.examples if np.isfinite(each.truth).any()]
    if not known:
        leave_empty(axes, colours, "No position")
        return
    for i, each in enumerate(known):
        names = ("true", "decoded") if i == 0 else (None, None)
        axes.plot(*each.truth.T, color=colours["muted"], linewidth=2.4, label=names[0])
        axes.plot(*each.decoded.T, color=colours["decoder-1"], linewidth=1.2, label=names[1])
        ends = each.truth[np.isfinite(each.truth).all(axis=1)]
        axes.plot(*ends[-1], "o", color=colours["muted"], markersize=5)
    axes.set_aspect("equal", adjustable="datalim")
    unit = outcome.plan.length_unit
    axes.set(xlabel=f"x ({unit})", ylabel=f"y ({unit})")
    axes.legend(loc="upper right", ncols=2)
