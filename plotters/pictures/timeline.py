"""Time in a picture: seconds of recording before the newest bin, and what is marked along it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import holoviews as hv
import numpy as np
from matplotlib.axes import Axes
from matplotlib.transforms import blended_transform_factory

from engine.bins.schema import Rows
from engine.moment import Moment
from plotters.pictures.panel import LETTER, Colours, Floats, inches_wide, put, styled

LABEL = "Time before the newest bin (s)"
HATCH = "////"


def times(moment: Moment) -> Floats:
    """Centres of the bins, shape (n_bins,)."""
    n = len(moment.rows)
    return np.arange(0.5 - n, 0.5) / moment.bin_rate


def jumps(rows: Rows) -> Any:
    """Indices of the bins that do not follow the one before in the recording, shape (n,), intp."""
    return np.flatnonzero(np.diff(rows["packet_id"]) != 1) + 1


def curve(moment: Moment, values: Floats, **style: Any) -> hv.Curve:
    """A line through values of shape (n_bins,) that breaks where the replay jumped."""
    at = jumps(moment.rows)
    x = np.insert(times(moment), at, np.nan)
    return styled(hv.Curve((x, np.insert(values, at, np.nan)), "time", "value"), **style)


def put_over_time(overlay: hv.Overlay, axes: Axes, moment: Moment, colours: Colours) -> None:
    """Draw elements, with stretches that were not recorded hatched, trials and notes marked."""
    put(styled(overlay, show_legend=False), axes)
    whole = axes.get_xaxis_transform()  # from 0 to 1 upwards
    n, grey = len(moment.rows), colours["unobserved"]
    gaps = [
        ((first - n) / moment.bin_rate, (end - first) / moment.bin_rate)
        for first, end in stretches(np.logical_not(moment.rows["observed"]))
    ]
    hatched = {"facecolor": "none", "edgecolor": grey, "hatch": HATCH}
    for style in ({"facecolor": grey, "alpha": 0.25}, hatched):
        axes.broken_barh(gaps, (0, 1), transform=whole, linewidth=0, zorder=3, **style)
    begins = [(first - n) / moment.bin_rate for first, _, _ in trials(moment)]
    axes.vlines(begins, 0, 1, colors=colours["line"], linewidth=0.8, transform=whole)
    asked = [x for x, _ in notes(moment)]
    axes.vlines(
        asked,
        0,
        1,
        colors=colours["accent"],
        linewidth=1.0,
        linestyle=(0, (4, 2)),
        transform=whole,
        zorder=4,
    )
    axes.set_xlim(-moment.seconds, 0)


def draw_trials(axes: Axes, moment: Moment, colours: Colours) -> None:
    """The strip above the panels: trials with their numbers and targets."""
    axes.set(xlim=(-moment.seconds, 0), ylim=(0, 1))
    axes.axis("off")
    place = blended_transform_factory(axes.transData, axes.transAxes)
    for first, end, row in trials(moment):
        left, right = ((i - len(moment.rows)) / moment.bin_rate for i in (first, end))
        axes.axvspan(left, right, facecolor=colours["grid"], edgecolor=colours["card"], linewidth=2)
        trial, width = moment.trials[row], (right - left) / moment.seconds * inches_wide(axes)
        target = "" if trial.target_id is None else f", target {trial.target_id}"
        longest = f"trial {trial.trial_id}{target}"
        texts = (longest, f"trial {trial.trial_id}", str(trial.trial_id))
        text = next((t for t in texts if width > LETTER * len(t)), "")
        axes.text(
            (left + right) / 2,
            0.46,
            text,
            transform=place,
            ha="center",
            va="center",
            fontsize="small",
            color=colours["text"],
        )


def trials(moment: Moment) -> Iterator[tuple[int, int, int]]:
    """Stretches of bins that belong to one trial: first, end, and the trial's row."""
    rows = moment.rows
    edges = np.union1d(jumps(rows), np.flatnonzero(np.diff(rows["trial"])) + 1)
    bounds = [0, *edges.tolist(), len(rows)]
    for first, end in pairwise(bounds):
        if end > first and rows["trial"][first] >= 0:
            yield first, end, int(rows["trial"][first])


def notes(moment: Moment) -> list[tuple[float, str]]:
    """Where something was asked of the session, and what: at the first bin that came after it."""
    first_after = np.searchsorted(moment.rows["due"], [note.due for note in moment.notes]).tolist()
    n = len(moment.rows)
    asked = zip(first_after, moment.notes, strict=True)
    return [((i - n) / moment.bin_rate, note.text) for i, note in asked if i < n]


def stretches(mask: Any) -> list[tuple[int, int]]:
    """First and end of every run of true in a mask of shape (n,)."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False])).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
