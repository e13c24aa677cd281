"""The arena from above: the targets with their radius, and the cursor's path, older parts fainter."""

from __future__ import annotations

import math
from collections import defaultdict

import holoviews as hv
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, to_rgb
from matplotlib.patches import Circle, Rectangle

from engine.bins.trials import Barrier
from engine.moment import Moment
from plotters.marks import MARKS, marked
from plotters.pictures.panel import Colours, Floats, annotate, leave_empty, put, styled
from plotters.pictures.timeline import jumps

TRIALS_TOLD = 2
"""At a target."""
FAINTEST = 0.1
"""Opacity of the path's oldest end."""

MARKERS = {"square": "s", "triangle": "^", "diamond": "D", "inverted_triangle": "v"}
"""Matplotlib's names of Bokeh's."""

Place = tuple[float, float]


def draw_arena(axes: Axes, moment: Moment, colours: Colours) -> None:
    annotate(axes, colours, "numbers: trials")
    aimed, others = targets(moment)
    path = moment.rows["kinematics"][:, :2].astype(np.float64)
    seen = path[np.isfinite(path).all(axis=1)]
    if not len(seen) and not aimed and not others:
        leave_empty(axes, colours, "No position, no target")
        return
    put(trail(moment, path, colours["good"]), axes)
    radius = moment.target_radius
    for place in others:
        axes.add_patch(Circle(place, radius, fill=False, edgecolor=colours["muted"], linewidth=0.8))
    newest = int(moment.rows["trial"][-1])
    for place, trials in aimed.items():
        current = newest in trials
        accent = colours["accent"]
        axes.add_patch(
            Circle(
                place,
                radius,
                facecolor=(accent, 0.28 if current else 0.0),
                edgecolor=accent,
                linewidth=1.8 if current else 1.0,
                zorder=3,
            )
        )
    for x, y, half_width, half_height in barriers(moment):
        axes.add_patch(
            Rectangle(
                (x - half_width, y - half_height),
                2 * half_width,
                2 * half_height,
                facecolor=(colours["muted"], 0.45),
                edgecolor="none",
            )
        )
    if np.isfinite(path[-1]).all():
        axes.plot(
            *path[-1], "o", color=colours["good"], markeredgecolor=colours["plot"], markersize=9, zorder=6
        )
    _draw_decoders(axes, moment, colours)
    _frame(axes, np.concatenate((seen, np.reshape([*aimed, *others], (-1, 2)))), radius)
    _number(axes, moment, aimed, radius, colours)
    axes.set(xlabel=f"x ({moment.length_unit})", ylabel=f"y ({moment.length_unit})")


def targets(moment: Moment) -> tuple[dict[Place, list[int]], set[Place]]:
    """Targets by place: those aimed at with their trials' rows, and the others of the newest trial."""
    aimed: defaultdict[Place, list[int]] = defaultdict(list)
    for row, trial in moment.trials.items():
        place = (trial.target_x, trial.target_y)
        if np.isfinite(place).all():
            aimed[place].append(row)
    newest = moment.trials.get(int(moment.rows["trial"][-1]))
    return dict(aimed), set(newest.target_pos if newest else ()) - set(aimed)


def barriers(moment: Moment) -> tuple[Barrier, ...]:
    """Those of the newest trial."""
    newest = moment.trials.get(int(moment.rows["trial"][-1]))
    return newest.barriers if newest else ()


def _draw_decoders(axes: Axes, moment: Moment, colours: Colours) -> None:
    """Cursors of the decoders that have a colour, and a legend of their names and R2."""
    handles = []
    for name, (role, marker) in zip(marked(moment.names, moment.decoders), MARKS, strict=True):
        if (decoded := moment.decoders.get(name)) is None:
            continue
        path = decoded.path.astype(np.float64)
        put(trail(moment, path, colours[role]), axes)
        newest = path[np.isfinite(path).all(axis=1)][-1:]
        (cursor,) = axes.plot(
            *newest.T,
            MARKERS[marker],
            color=colours[role],
            markeredgecolor=colours["plot"],
            markersize=8,
            zorder=6,
            linestyle="none",
            label=f"{name}  R² {spell(decoded.r2_position)}",
        )
        handles.append(cursor)
    if handles:
        axes.legend(
            handles=handles,
            loc="upper left",
            fontsize="small",
            labelcolor=colours["text"],
            facecolor=colours["card"],
            edgecolor=colours["line"],
        ).set_zorder(7)


def spell(r2: float) -> str:
    return "unknown" if math.isnan(r2) else f"{r2:.2f}"


def trail(moment: Moment, path: Floats, colour: str) -> hv.Segments:
    """A cursor's path of shape (n_bins, 2), broken where the replay jumped or nothing is known."""
    joined = np.asarray(np.isfinite(np.diff(path, axis=0)).all(axis=1))
    joined[jumps(moment.rows) - 1] = False
    at = np.flatnonzero(joined)
    age = (len(path) - 1 - at) / max(moment.seconds * moment.bin_rate, 1.0)
    opacity = FAINTEST + (1.0 - FAINTEST) * (1.0 - age) ** 2
    fading = [(*to_rgb(colour), a) for a in np.linspace(0, 1, 64)]
    data = (*path[at].T, *path[at + 1].T, opacity)
    segments = hv.Segments(data, ["x0", "y0", "x1", "y1"], "opacity")
    return styled(segments, color="opacity", cmap=ListedColormap(fading), clim=(0, 1), linewidth=2.2)


def _frame(axes: Axes, places: Floats, radius: float) -> None:
    """Show all of it, with the same scale on both axes."""
    low, high = places.min(axis=0) - 3 * radius, places.max(axis=0) + 3 * radius
    centre, half = (low + high) / 2, max(high - low) / 2
    axes.set(xlim=(centre[0] - half, centre[0] + half), ylim=(centre[1] - half, centre[1] + half))
    axes.set_aspect("equal")


def _number(
    axes: Axes, moment: Moment, aimed: dict[Place, list[int]], radius: float, colours: Colours
) -> None:
    """Write the newest trials beside each target, above or below it."""
    middle = np.mean(axes.get_ylim())
    for (x, y), trials in aimed.items():
        ids = [str(moment.trials[row].trial_id) for row in trials[-TRIALS_TOLD:]]
        text = ", ".join(["…"] * (len(trials) > TRIALS_TOLD) + ids)
        outwards, align = (1, "bottom") if y >= middle else (-1, "top")
        axes.text(
            x,
            y + outwards * 1.3 * radius,
            text,
            ha="center",
            va=align,
            fontsize="small",
            color=colours["text"],
            zorder=5,
        )
