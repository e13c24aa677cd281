"""Plots of trials: paths, and one unit's spikes around an event."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final

import holoviews as hv
import numpy as np
import numpy.typing as npt

from dashboard.explore.controls import EVENTS
from dashboard.explore.look import COUNTS, DARK, GROUPS, Said, dressed, mark, square
from dashboard.explore.study import Rows, Study
from engine.analysis import Psth, psth
from engine.bins.trials import TrialEvent

MAX_SEGMENTS: Final = 20_000
"""Of all paths; beyond that each stands for several bins."""
MIN_TOP: Final = 2
"""Least number of spikes that has the raster's last colour."""
MAX_STEPS: Final = 2000
"""Of raster and PSTH; more than a screen shows."""
NONE: Final = np.empty(0, np.intp)
SEVERAL: Final = 24
"""Rows of a raster up to which each is named, not the groups."""
FADING: Final = (0.1, 0.25, 0.5, 0.75)
"""Shares of a group's trials: a PSTH begins at the first, and is stronger from each of the others."""


def paths_say(study: Study) -> Said:
    if study.paths.is_empty:
        none = "no positions" if study.recording.trials else "no trials"
        return Said(f"This recording has {none}, so there are no paths.", lacks=True)
    return Said("Drag a box over paths, or tap one, to see those trials.")


def paths(study: Study, split: str) -> Any:
    """The reaches of all trials, in pieces that know their trial."""
    found = study.paths
    if found.is_empty:
        return dressed(hv.Segments([], ["x", "y", "x1", "y1"], ["trial", "group"]))
    stride = max(1, -(-len(found.trial) // MAX_SEGMENTS))
    start, end = found.position[:-stride:stride], found.position[stride::stride]
    trial = found.trial[:-stride:stride]
    whole = np.isfinite(start + end).all(axis=1) & (trial == found.trial[stride::stride])
    rows = trial[whole]
    colour = study.split(split).group[rows].astype(float)
    columns = (*start[whole].T, *end[whole].T, study.trial_ids[rows], colour)
    segments = hv.Segments(
        columns,
        ["x", "y", "x1", "y1"],
        ["trial", "group"],
    )
    return dressed(
        segments.opts(color="group", line_width=1, alpha=0.5, tools=["box_select", "tap"], **GROUPS),
        active_tools=["box_select"],
        xlabel=f"x ({study.recording.length_unit})",
        ylabel=f"y ({study.recording.length_unit})",
        **square(*found.position.T),
    )


def targets(study: Study, split: str) -> Any:
    """Where they are; one that belongs to several groups has the colour of one of them."""
    group = study.split(split).group
    found = {
        (trial.target_x, trial.target_y): group[row]
        for row, trial in enumerate(study.recording.trials)
        if np.isfinite(trial.target_x) and group[row] >= 0
    }
    places = np.array(list(found)).reshape(-1, 2)
    points = hv.Points((*places.T, np.array(list(found.values()), float)), ["x", "y"], "group")
    return points.opts(
        color="group", size=13, marker="square", line_width=2, line_color=DARK["card"], **GROUPS
    )


def groups_of(study: Study, split: str, chosen: Rows) -> list[Rows]:
    """The chosen trials by group."""
    found = study.split(split)
    return [chosen[found.group[chosen] == i] for i in range(len(found.labels))]


class Around:
    """One unit's spikes around an event, in the trials that are chosen: what raster and PSTH show."""

    def __init__(
        self,
        study: Study,
        event: TrialEvent,
        before: float,
        after: float,
        step: int,
        unit: int,
        split: str,
        chosen: Rows,
    ) -> None:
        self.event, self.labels = event, study.split(split).labels
        self.of_trials = bool(study.recording.trials)
        self.aligned = study.aligned(event, before, after, step, unit)
        groups = groups_of(study, split, chosen)
        self.groups = [np.flatnonzero(np.isin(self.aligned.trials, rows)) for rows in groups]
        self.rows: Rows = np.concatenate([NONE, *self.groups])
        self.trials: Rows = self.aligned.trials[self.rows]
        self.ids = study.trial_ids[self.trials]

    @property
    def label(self) -> str:
        return f"Time from {EVENTS[self.event].lower()} (s)"

    @property
    def limits(self) -> tuple[float, float]:
        return float(self.aligned.edges[0]), float(self.aligned.edges[-1])

    @property
    def image(self) -> npt.NDArray[np.float32]:
        """Spikes, shape (n_rows, n_times)."""
        return self.aligned.counts[self.rows, :, 0]

    @property
    def top(self) -> float:
        """The number of spikes that has the last colour."""
        seen = self.image[np.isfinite(self.image)]
        return max(MIN_TOP, float(np.ceil(np.quantile(seen, 0.995)))) if len(seen) else MIN_TOP

    def lacks(self) -> str:
        """Why there is nothing to show; empty if there is."""
        if len(self.aligned.centres) > MAX_STEPS:
            return f"That is more than {MAX_STEPS} bins. Choose wider bins or a shorter window."
        if len(self.rows):
            return ""
        if not self.of_trials:
            return "This recording has no trials to align."
        whose = "None of these trials" if len(self.aligned.trials) else "No trial"
        return f"{whose} has a time for: {EVENTS[self.event].lower()}. Align to another event."


def raster(around: Around) -> Any:
    """A row a trial, by group."""
    image, (left, right) = around.image, around.limits
    if around.lacks():
        image = np.zeros((1, 2), np.float32)
    n_rows = len(image)
    spikes = hv.Image(image[::-1], bounds=(left, 0, right, n_rows), kdims=["time", "row"], vdims="spikes")
    return dressed(
        spikes,
        cmap=COUNTS,
        clim=(0.5, around.top),
        clipping_colors={"min": DARK["plot"], "NaN": DARK["grid"]},
        tools=["ybox_select"],
        active_tools=["box_select"],
        invert_yaxis=True,
        xlim=around.limits,
        ylim=(0, n_rows),
        xlabel=around.label,
        ylabel="",
        yticks=_names(around) or [(0.5, "")],
    )


def strip(around: Around) -> Any:
    """The groups of the raster's rows, at its left."""
    (left, right), width = around.limits, 0.012
    ends = np.cumsum([len(rows) for rows in around.groups])
    boxes = [
        (left, ends[i] - len(rows), left + width * (right - left), ends[i], float(i))
        for i, rows in enumerate(around.groups)
        if len(rows)
    ]
    rectangles = hv.Rectangles(boxes, ["time", "row", "time1", "row1"], "group")
    return rectangles.opts(color="group", line_alpha=0, **GROUPS)


def raster_says(around: Around) -> Said:
    if lacks := around.lacks():
        return Said(lacks, lacks=True)
    return Said(
        f"One row a trial. Colour: 0 to {around.top:g} spikes in {1e3 * around.aligned.width:g} ms; "
        "grey: not recorded, or another trial."
    )


def _names(around: Around) -> list[tuple[float, str]]:
    """Of rows: by group; trial by trial if they are few."""
    if len(around.ids) <= SEVERAL:
        return [(i + 0.5, f"trial {trial_id}") for i, trial_id in enumerate(around.ids)]
    sizes = np.array([len(rows) for rows in around.groups])
    middles = np.cumsum(sizes) - sizes / 2
    return [(float(middles[i]), label) for i, label in enumerate(around.labels) if sizes[i]]


def psths(around: Around, smoothing: float) -> Any:
    """Mean rates by group with their standard errors; both fade where few trials last so long."""
    means: list[dict[str, Any]] = []
    bands: list[dict[str, Any]] = []
    for group, rows in enumerate(around.groups):
        if len(rows):
            rate = psth(around.aligned.counts[rows, :, 0], around.aligned.width, smoothing)
            for strength, run in _runs(rate, len(rows)):
                x, mean, sem = around.aligned.centres[run], rate.mean[run], np.nan_to_num(rate.sem[run])
                means.append({"time": x, "rate": mean, "group": float(group), "strength": strength})
                outline = {"time": np.r_[x, x[::-1]], "rate": np.r_[mean - sem, (mean + sem)[::-1]]}
                bands.append({**outline, "group": float(group), "strength": 0.2 * strength})
    dims, values = ["time", "rate"], ["group", "strength"]
    faded = {"color": "group", "alpha": hv.dim("strength"), **GROUPS}
    return dressed(
        hv.Polygons(bands, dims, values).opts(line_alpha=0, **faded)
        * hv.Contours(means, dims, values).opts(line_width=2.2, **faded)
        * mark(0),
        xlim=around.limits,
        ylim=(0, None),
        padding=(0, 0.1),
        xlabel=around.label,
        ylabel="Rate (Hz)",
    )


def psths_say(around: Around, smoothing: float) -> Said:
    if lacks := around.lacks():
        return Said(lacks, lacks=True)
    how = f"smoothed by a Gaussian of {1e3 * smoothing:g} ms (sd)" if smoothing else "not smoothed"
    return Said(
        f"Mean over trials and its standard error, {how}. "
        "Faint: fewer than three quarters of them last so long."
    )


def _runs(rate: Psth, n_trials: int) -> list[tuple[float, slice]]:
    """Stretches of about as many trials, a bin longer so that they join, with how strongly to draw each."""
    level = np.digitize(rate.n / n_trials, FADING)
    level[rate.n < min(2, n_trials)] = 0
    edges = np.flatnonzero(np.diff(level, prepend=-1, append=-1))
    return [
        (float(level[first]) / len(FADING), slice(first, last + (last < len(level) and level[last] > 0)))
        for first, last in pairwise(edges)
        if level[first] > 0
    ]
