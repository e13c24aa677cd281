"""Plots of trials: paths, and one unit's spikes around an event."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dashboard.explore.drawing import Columns, Drawing, View
from dashboard.explore.settings import EVENTS
from dashboard.explore.study import Rows, Study
from engine.analysis import Aligned, aligned_counts, psth
from engine.bins.trials import event_time

SHARE_SHOWN = 0.1
"""A PSTH is drawn where at least this share of a group's trials was observed, and two."""
MIN_TOP = 2
"""Least number of spikes that has the raster's last colour."""
SEVERAL = 24
"""Rows of a raster up to which each is named, not the groups."""
NONE = np.empty(0, np.intp)


def draw_paths(study: Study, view: View) -> Drawing:
    """Chosen trials in the colours of their groups, the others in the background."""
    drawing, recording = Drawing(), study.recording
    if study.paths.is_empty:
        none = "no trials" if not recording.trials else "no positions"
        drawing.say("paths", message=f"This recording has {none}, so there are no paths.")
        return drawing
    group = study.split(view.split).group
    shown = groups_of(study, view)
    others = np.setdiff1d(np.arange(len(recording.trials)), np.concatenate([NONE, *shown]))
    lines = [study.paths.of(rows) for rows in shown]
    drawing.sources["paths/others"] = _multi_line([study.paths.of(others)])
    drawing.sources["paths/chosen"] = {**_multi_line(lines), "group": np.arange(len(lines))}
    targets = {
        (trial.target_x, trial.target_y): group[row]
        for row, trial in enumerate(recording.trials)
        if np.isfinite(trial.target_x) and group[row] >= 0
    }
    places = np.array(list(targets)).reshape(-1, 2)
    drawing.sources["paths/targets"] = {
        "x": places[:, 0],
        "y": places[:, 1],
        "color": np.array(list(targets.values()), np.intp),
    }
    drawing.say(
        "paths",
        f"In {recording.length_unit}. Drag a box over paths, or tap one, to see those trials.",
    )
    return drawing


def draw_aligned(study: Study, view: View) -> Drawing:
    """Raster and PSTH of one unit."""
    drawing, recording = Drawing(), study.recording
    message = "" if recording.trials else "This recording has no trials to align."
    if not message:
        aligned = aligned_counts(
            recording,
            view.event,
            view.before,
            view.after,
            bins_per_step=view.bins_per_step,
            units=[view.unit],
        )
        groups = [np.flatnonzero(np.isin(aligned.trials, rows)) for rows in groups_of(study, view)]
        if not any(map(len, groups)):
            whose = "None of these trials" if len(aligned.trials) else "No trial"
            event = EVENTS[view.event].lower()
            message = f"{whose} has a time for: {event}. Align to another event."
    if message:
        drawing.say("raster", message=message)
        drawing.say("psth", message=message)
        return drawing
    limits = {"start": float(aligned.edges[0]), "end": float(aligned.edges[-1])}
    label = f"Time from {EVENTS[view.event].lower()} (s)"
    for card in ("raster", "psth"):
        drawing.models[f"{card}/x"] = limits
        drawing.models[f"{card}/time"] = {"axis_label": label}
    _draw_raster(drawing, aligned, groups)
    _name_rows(drawing, study, view, aligned, groups)
    _draw_psth(drawing, aligned, groups, view.smoothing)
    return drawing


def raster_rows(study: Study, view: View) -> Rows:
    """The trial of each row of the raster, from the top."""
    times = np.array([event_time(trial, view.event) for trial in study.recording.trials])
    return np.concatenate([NONE, *(rows[np.isfinite(times[rows])] for rows in groups_of(study, view))])


def _draw_raster(drawing: Drawing, aligned: Aligned, groups: list[Rows]) -> None:
    image = aligned.counts[np.concatenate(groups), :, 0]
    seen = image[np.isfinite(image)]
    top = max(MIN_TOP, float(np.ceil(np.quantile(seen, 0.995)))) if len(seen) else MIN_TOP
    left, span = aligned.edges[0], aligned.edges[-1] - aligned.edges[0]
    drawing.sources["raster/spikes"] = {
        "image": [image],
        "x": [left],
        "y": [0],
        "dw": [span],
        "dh": [len(image)],
    }
    drawing.models["raster/spikes/colours"] = {"low": 0, "high": top}
    drawing.models["raster/y"] = {"start": len(image), "end": 0}
    ends = np.cumsum([len(rows) for rows in groups])
    used = np.array([i for i, rows in enumerate(groups) if len(rows)])
    drawing.sources["raster/strip"] = {
        "left": np.full(len(used), left),
        "right": np.full(len(used), left + 0.012 * span),
        "bottom": ends[used] - [len(groups[i]) for i in used],
        "top": ends[used],
        "color": used,
    }
    drawing.say(
        "raster",
        f"One row a trial. Colour: 0 to {top:g} spikes in {1e3 * aligned.width:g} ms; "
        "grey: not recorded, or another trial.",
    )


def _name_rows(drawing: Drawing, study: Study, view: View, aligned: Aligned, groups: list[Rows]) -> None:
    """By group; trial by trial if they are few."""
    order = aligned.trials[np.concatenate(groups)]
    if len(order) <= SEVERAL:
        names = {i + 0.5: f"trial {study.recording.trials[row].trial_id}" for i, row in enumerate(order)}
    else:
        labels, sizes = study.split(view.split).labels, [len(rows) for rows in groups]
        middles = np.cumsum(sizes) - np.array(sizes) / 2
        names = {float(middles[i]): labels[i] for i, size in enumerate(sizes) if size}
    drawing.models["raster/ticks"] = {"ticks": list(names)}
    drawing.models["raster/groups"] = {"major_label_overrides": names}


def _draw_psth(drawing: Drawing, aligned: Aligned, groups: list[Rows], smoothing: float) -> None:
    means: Columns = {"xs": [], "ys": [], "group": []}
    bands: Columns = {"xs": [], "ys": [], "color": []}
    for i, rows in enumerate(groups):
        if not len(rows):
            continue
        rate = psth(aligned.counts[rows, :, 0], aligned.width, smoothing)
        enough = rate.n >= max(SHARE_SHOWN * len(rows), min(2, len(rows)))
        means["xs"].append(aligned.centres)
        means["ys"].append(np.where(enough, rate.mean, np.nan))
        means["group"].append(i)
        for run in _runs(enough & np.isfinite(rate.sem)):
            x = aligned.centres[run]
            low, high = (rate.mean - rate.sem)[run], (rate.mean + rate.sem)[run]
            bands["xs"].append([[np.r_[x, x[::-1]]]])
            bands["ys"].append([[np.r_[low, high[::-1]]]])
            bands["color"].append(i)
    drawing.sources["psth/mean"], drawing.sources["psth/sem"] = means, bands
    how = f"smoothed by a Gaussian of {1e3 * smoothing:g} ms (sd)" if smoothing else "not smoothed"
    drawing.say(
        "psth",
        f"Mean over trials and its standard error, {how}; where at least a tenth of them was recorded.",
    )


def groups_of(study: Study, view: View) -> list[Rows]:
    """The chosen trials by group."""
    split = study.split(view.split)
    return [view.rows[split.group[view.rows] == i] for i in range(len(split.labels))]


def _multi_line(lines: list[npt.NDArray[np.float32]]) -> Columns:
    return {"xs": [line[:, 0] for line in lines], "ys": [line[:, 1] for line in lines]}


def _runs(mask: npt.NDArray[np.bool_]) -> list[slice]:
    """Stretches that are true."""
    edges = np.flatnonzero(np.diff(mask, prepend=False, append=False))
    return [slice(start, end) for start, end in edges.reshape(-1, 2)]
