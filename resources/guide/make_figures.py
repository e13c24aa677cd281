"""Draw the pictures of guide.md from the default recording, and print the numbers in it.

Run it from the top folder: ``python -m resources.guide.make_figures``. It needs matplotlib.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from resources.guide.example import BIN_RATE, Data, Floats, Ridge, disturbed, load, reach_rates

FOLDER = Path(__file__).parent
INK, BLUE, ORANGE, GREEN, GREY = "#222222", "#0072b2", "#d55e00", "#009e73", "#8a8a8a"
PAPER = "#fcfcfa"
STYLE: dict[Any, dict[str, Any]] = {
    "figure": {"facecolor": PAPER},
    "font": {"size": 11},
    "text": {"color": INK},
    "axes": {
        "facecolor": PAPER,
        "labelcolor": INK,
        "spines.top": False,
        "spines.right": False,
        "titlesize": 12,
        "titlelocation": "left",
    },
    "legend": {"frameon": False},
    "image": {"interpolation": "nearest"},
}


def draw_bins(data: Data) -> Figure:
    figure = Figure(figsize=(8, 4.2), layout="constrained")
    ticks, grid = figure.subplots(2, 1, sharex=True)
    start = float(data.trials["move_onset_time"][2]) - 0.1
    first = data.at(start)
    n_bins = 16
    units = np.argsort(data.counts[first : first + n_bins].sum(axis=0))[-6:]
    edges = np.arange(n_bins + 1) * 1000 / BIN_RATE
    shown = [(data.spikes[u] - first / BIN_RATE) * 1000 for u in units]
    ticks.eventplot([t[(t >= 0) & (t < edges[-1])] for t in shown], colors=INK, linelengths=0.7)
    ticks.vlines(edges, -0.5, 5.5, color=BLUE, lw=0.6, alpha=0.5)
    ticks.set(title="Spikes of six units", xlim=(0, edges[-1]))
    counts = data.counts[first : first + n_bins][:, units].T
    grid.imshow(
        counts, cmap="Blues", aspect="auto", origin="lower", vmax=6, extent=(0, edges[-1], -0.5, 5.5)
    )
    for (row, column), count in np.ndenumerate(counts):
        colour = "white" if count > 3 else INK
        grid.text(
            edges[column] + 12.5, row, f"{count:.0f}", ha="center", va="center", color=colour, fontsize=10
        )
    grid.set(title="The same, counted in bins of 25 ms", xlabel="time (ms)")
    for axes in (ticks, grid):
        axes.set_yticks(range(6), [f"unit {u}" for u in units])
        axes.tick_params(length=0)
    return figure


def draw_raster(data: Data) -> Figure:
    figure = Figure(figsize=(8, 5), layout="constrained")
    raster, speed = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    n = 9 * BIN_RATE
    raster.imshow(data.counts[:n].T, cmap="Greys", aspect="auto", vmax=4, extent=(0, 9, 142, 0))
    raster.set(title="142 units, 9 seconds, one column a bin: darker is more spikes", ylabel="unit")
    speed.plot(np.arange(n) / BIN_RATE, data.speed[:n], color=BLUE)
    speed.set(title="Speed of the hand (mm/s)", xlabel="time (s)", xlim=(0, 9))
    for axes in (raster, speed):
        for stop in data.trials["stop_time"][:2]:
            axes.axvline(stop, color=ORANGE, lw=1.5)
    return figure


def draw_trials(data: Data) -> Figure:
    figure = Figure(figsize=(8, 4.2), layout="constrained")
    paths, time = figure.subplots(1, 2, width_ratios=(1, 1.15))
    three = np.flatnonzero((data.trials["trial_type"] == 2) & data.trials["success"])[:3]
    for trial, colour in zip(three, (BLUE, ORANGE, GREEN), strict=True):
        first, last = (data.at(data.trials[k][trial]) for k in ("move_onset_time", "stop_time"))
        out = data.cursor[first:last]
        out = out[: np.argmax(np.hypot(*out.T)) + 6]
        paths.plot(*out.T, ".-", color=colour, ms=4, lw=1)
        shown = np.asarray(data.trials["target_pos"][trial])
        paths.plot(*shown.T, "s", ms=13, mfc="none", mec=colour, alpha=0.45)
        paths.plot(*data.target[trial], "s", ms=13, mfc="none", mec=colour, mew=2.5)
    paths.set(title="Three trials, three targets each", xlabel="x (mm)", ylabel="y (mm)", aspect="equal")
    trial = three[0]
    start, stop = data.trials["start_time"][trial], data.trials["stop_time"][trial]
    span = slice(data.at(start), data.at(stop))
    top = data.speed[span].max()
    time.plot((np.arange(span.start, span.stop) + 0.5) / BIN_RATE - start, data.speed[span], color=BLUE)
    for key, name in (
        ("target_on_time", "target on"),
        ("go_cue_time", "go cue"),
        ("move_onset_time", "movement onset"),
    ):
        when = data.trials[key][trial] - start
        time.axvline(when, color=GREY, lw=1, ls="--")
        time.text(when - 0.03, top * 1.42, name, rotation=90, ha="right", va="top")
    time.set(
        title="One of them in time", xlabel="time in the trial (s)", ylabel="speed (mm/s)",
        xlim=(0, stop - start), ylim=(0, top * 1.45),
    )  # fmt: skip
    return figure


def draw_tuning(data: Data, unit: int) -> Figure:
    figure = Figure(figsize=(8, 3.9), layout="constrained")
    tuning, course = figure.subplots(1, 2)
    direction, rates, fits = reach_rates(data)
    angles = np.linspace(-np.pi, np.pi, 200)
    fit = fits[0, unit] + fits[1, unit] * np.cos(angles) + fits[2, unit] * np.sin(angles)
    tuning.plot(
        np.degrees(direction), rates[:, unit], "o", color=BLUE, alpha=0.45, mec="none", label="one reach"
    )
    tuning.plot(np.degrees(angles), fit, color=INK, lw=2, label="cosine")
    tuning.set(
        title=f"Unit {unit}", xlabel="direction of the target (degrees)", ylabel="firing rate (Hz)",
        xticks=range(-180, 181, 90), ylim=(0, 1.25 * rates[:, unit].max()),
    )  # fmt: skip
    tuning.legend(loc="upper left", ncols=2)
    preferred = np.arctan2(fits[2, unit], fits[1, unit])
    along = np.cos(direction - preferred)
    window = np.arange(-1.0, 1.0, 1 / BIN_RATE)
    kernel = np.ones(5) / 5
    for chosen, name, colour in (
        (along > 0.6, "towards the preferred direction", ORANGE),
        (along < -0.6, "away from it", GREEN),
    ):
        onsets = [data.at(t) for t in data.trials["move_onset_time"][chosen]]
        course_of = np.mean([data.counts[b - 42 : b + 42, unit] for b in onsets], axis=0) * BIN_RATE
        course.plot(window, np.convolve(course_of, kernel, "valid"), color=colour, lw=2, label=name)
    course.axvline(0, color=GREY, ls="--", lw=1)
    course.set(title="The same unit in time", xlabel="time from movement onset (s)", ylim=(0, None))
    course.set_ylim(top=course.get_ylim()[1] * 1.25)
    course.legend(loc="upper left")
    return figure


def draw_decoding(data: Data, estimate: Floats) -> Figure:
    figure = Figure(figsize=(8, 4.2), layout="constrained")
    seconds = np.arange(8 * BIN_RATE) / BIN_RATE
    true = data.velocity[-len(estimate) :]
    rows: tuple[Axes, Axes] = tuple(figure.subplots(2, 1, sharex=True, sharey=True))
    for axes, i, name in zip(rows, range(2), "xy", strict=True):
        axes.plot(seconds, true[: len(seconds), i], color=INK, lw=2, label="the hand")
        axes.plot(
            seconds, estimate[: len(seconds), i], color=ORANGE, lw=1.6, label="decoded from the spikes"
        )
        axes.set_ylabel(f"{name} velocity (mm/s)")
    rows[0].set_title("Velocity that the decoder has never seen")
    rows[0].legend(loc="upper right", ncols=2)
    rows[0].set_ylim(-480, 520)
    rows[1].set(xlabel="time (s)", xlim=(0, 8))
    return figure


def draw_noise(fewer: dict[int, float], lost: dict[int, float], levels: dict[str, float]) -> Figure:
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    few, silent, noisy = figure.subplots(1, 3, sharey=True)
    few.plot(list(fewer), list(fewer.values()), "o-", color=BLUE)
    few.set(title="Fewer units", xlabel="units", ylabel="R² of velocity", xscale="log", ylim=(0, 1))
    few.set_xticks(list(fewer), [str(n) for n in fewer])
    few.minorticks_off()
    silent.plot(list(lost), list(lost.values()), "o-", color=ORANGE)
    silent.set(title="Units fall silent", xlabel="silent units (%)")
    heights = [max(value, 0.0) for value in levels.values()]
    noisy.bar(range(len(levels)), heights, color=GREEN)
    for i, value in enumerate(levels.values()):
        noisy.text(i, max(value, 0.0) + 0.02, f"{value:.2f}", ha="center", fontsize=10)
    noisy.set(title="Noise and drift")
    noisy.set_xticks(range(len(levels)), list(levels), rotation=35, ha="right", rotation_mode="anchor")
    return figure


def main() -> None:
    for group, values in STYLE.items():
        mpl.rc(group, **values)
    data = load()
    rates = data.counts.mean(axis=0) * BIN_RATE
    direction, reaching, fits = reach_rates(data)
    depth = np.hypot(fits[1], fits[2])
    unit = int(np.argmax(depth))
    decoder = Ridge(data.counts, data.velocity)
    fewer, lost, levels = disturbed(data, decoder)
    trials = data.trials
    for name, value in {
        "spikes": int(data.counts.sum()),
        "rates min, median, max (Hz)": np.round([rates.min(), np.median(rates), rates.max()], 1),
        "empty share of the counts": round(float((data.counts == 0).mean()), 3),
        "largest count": int(data.counts.max()),
        "spikes a bin, all units": round(float(data.counts.sum(axis=1).mean()), 1),
        "trial length (s)": np.round(
            np.quantile(trials["stop_time"] - trials["start_time"], (0, 0.5, 1)), 2
        ),
        "delay (ms)": np.round(
            1000 * np.quantile(trials["go_cue_time"] - trials["target_on_time"], (0, 1))
        ),
        "reaction (ms)": np.round(
            1000 * np.quantile(trials["move_onset_time"] - trials["go_cue_time"], (0, 0.5, 1))
        ),
        "failed": int((~trials["success"]).sum()),
        "top speed (mm/s)": round(float(data.speed.max())),
        "target distances (mm)": np.round(np.quantile(np.hypot(*data.target.T), (0, 1))),
        f"unit {unit}: mean, depth (Hz), preferred (degrees)": np.round(
            [fits[0, unit], depth[unit], np.degrees(np.arctan2(fits[2, unit], fits[1, unit]))], 1
        ),
        "the same unit's rates at the leftmost target (Hz)": np.round(
            np.quantile(reaching[direction == direction.min(), unit], (0, 1)), 1
        ),
        "median depth (Hz)": round(float(np.median(depth)), 1),
        "R2 of velocity, position": np.round(
            [decoder.r2(data.counts), Ridge(data.counts, data.cursor).r2(data.counts)], 2
        ),
        "R2 by bins of history": {
            n: Ridge(data.counts, data.velocity, n).r2(data.counts) for n in (1, 5, 10)
        },
        "R2 by units": fewer,
        "R2 by % of units lost": lost,
        "R2 by level of perturbation": levels,
    }.items():
        sys.stdout.write(f"{name}: {value}\n")
    for file, figure in {
        "bins": draw_bins(data),
        "raster": draw_raster(data),
        "trials": draw_trials(data),
        "tuning": draw_tuning(data, unit),
        "decoding": draw_decoding(data, decoder.decode(data.counts)),
        "noise": draw_noise(fewer, lost, levels),
    }.items():
        figure.savefig(FOLDER / f"{file}.png", dpi=120)


if __name__ == "__main__":
    main()
