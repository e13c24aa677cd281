"""Plots of units: tuning, preferred directions and rates, and how spikes were found at electrodes."""

from __future__ import annotations

from typing import Any, Final

import holoviews as hv
import numpy as np
import numpy.typing as npt

from dashboard.explore.look import DARK, GROUPS, Said, dressed, mark
from dashboard.explore.study import Rows, Study

Floats = npt.NDArray[np.float64]

N_RATE_BINS: Final = 24
SPREAD: Final = 8.0
"""Degrees over which the trials of a target are spread, so that they do not hide each other."""
NO_DIRECTION: Final = "Trials have no direction, for want of targets or positions"
MINUS: Final = "\N{MINUS SIGN}"
OURS: Final[dict[str, Any]] = {"cmap": [DARK["good"], DARK["accent"]], "clim": (0, 1)}
DIRECTION = hv.Dimension("direction", label="Direction of reach (°)")
RATE = hv.Dimension("rate", label="Rate (Hz)")
RECALL = hv.Dimension("recall", label="Found of the true spikes")
PRECISION = hv.Dimension("precision", label="True of the found ones")


def trial_rates(study: Study, unit: int) -> Any:
    """A point a trial: where it went, and how much the unit fired."""
    fit = study.tuning
    used = np.flatnonzero(np.isfinite(fit.directions))
    spread = SPREAD * (np.random.default_rng(0).random(len(used)) - 0.5)
    columns = (
        np.degrees(fit.directions[used]) + spread,
        fit.rates[used, unit],
        study.trial_ids[used],
        study.split("target").group[used].astype(float),
    )
    points = hv.Points(columns, [DIRECTION, RATE], ["trial", "group"])
    return dressed(
        points.opts(color="group", size=4, alpha=0.55, line_width=0, tools=["box_select"], **GROUPS),
        active_tools=["box_select"],
        xlim=(-180, 180),
        ylim=(0, None),
        padding=(0, 0.1),
        xticks=[-180, -90, 0, 90, 180],
    )


def mean_rates(study: Study, unit: int, chosen: Rows) -> Any:
    """The chosen trials' rate by target, its standard error, and the cosine fitted to all trials."""
    fit, group = study.tuning, study.split("target").group
    used = chosen[np.isfinite(fit.directions[chosen])]
    rows = [used[group[used] == i] for i in range(len(study.split("target").labels))]
    means = []
    for i, row in enumerate(rows):
        if len(row):
            rates = fit.rates[row, unit]
            angle = np.angle(np.exp(1j * fit.directions[row]).mean(), deg=True)
            means.append(
                (angle, rates.mean(), rates.std(ddof=min(1, len(row) - 1)) / np.sqrt(len(row)), float(i))
            )
    grid = np.arange(-180.0, 181.0, 4.0)
    curve = hv.Curve((grid, fit.predict(unit, np.radians(grid))), DIRECTION, RATE)
    errors = [(angle, mean - error, angle, mean + error) for angle, mean, error, _ in means]
    points = [(angle, mean, i) for angle, mean, _, i in means]
    preferred = float(np.degrees(fit.preferred[unit])) if fit.tuned[unit] else np.nan
    return (
        curve.opts(color=DARK["muted"], line_width=2)
        * mark(preferred)
        * hv.Segments(errors, [DIRECTION, RATE, "direction1", "rate1"]).opts(
            color=DARK["text"], line_width=2
        )
        * hv.Points(points, [DIRECTION, RATE], "group").opts(
            color="group", size=11, line_width=1.5, line_color=DARK["card"], **GROUPS
        )
    )


def tuning_says(study: Study, unit: int) -> Said:
    fit = study.tuning
    if not np.isfinite(fit.preferred[unit]):
        known = np.isfinite(fit.directions).any()
        why = "The unit's rate does not vary" if known else NO_DIRECTION
        return Said(f"{why}, so there is no tuning to fit.", lacks=True)
    preferred = float(np.degrees(fit.preferred[unit]))
    verdict = f"Prefers {preferred:.0f}°".replace("-", MINUS) if fit.tuned[unit] else "Not tuned"
    chance = "p < 0.001" if fit.p[unit] < 0.001 else f"p = {fit.p[unit]:.2g}"
    return Said(f"{verdict}: depth {fit.depth[unit]:.1f} Hz, R² {fit.r2[unit]:.2f}, {chance}.")


def rings(study: Study) -> Any:
    """Depths of tuning around which the arrows stand."""
    circle = np.exp(1j * np.linspace(0, 2 * np.pi, 73))
    circles = [{"x": radius * circle.real, "y": radius * circle.imag} for radius in _radii(study)]
    return hv.Contours(circles, ["x", "y"]).opts(color=DARK["line"])


def depths(study: Study) -> Any:
    """The rings' names."""
    names = hv.Labels([(0.0, radius, f" {radius:g} Hz") for radius in _radii(study)], ["x", "y"])
    above = {"text_align": "left", "text_baseline": "bottom", "text_font_size": "12px"}
    return names.opts(text_color=DARK["muted"], **above)


def arrows(study: Study, unit: int) -> Any:
    """One for each tuned unit: its preferred direction, as long as its tuning is deep; ours on top."""
    x, y, ours = _tips(study, unit)
    zero = np.zeros(len(x))
    segments = hv.Segments((zero, zero, x, y, ours), ["x", "y", "x1", "y1"], "ours")
    limits = (-1.08 * _radii(study)[-1], 1.08 * _radii(study)[-1])
    return dressed(
        segments.opts(color="ours", line_width=1.2 + 2.3 * hv.dim("ours"), **OURS),
        show_grid=False,
        xaxis=None,
        yaxis=None,
        xlim=limits,
        ylim=limits,
    )


def tips(study: Study, unit: int) -> Any:
    """Of the arrows."""
    points = hv.Points(_tips(study, unit), ["x", "y"], "ours")
    return points.opts(color="ours", size=5 + 6 * hv.dim("ours"), **OURS)


def preferred_says(study: Study) -> Said:
    n_tuned, n_units = np.count_nonzero(study.tuning.tuned), study.recording.n_units
    if not n_tuned:
        return Said("No unit is tuned to the direction of reach.", lacks=True)
    return Said(f"{n_tuned} of {n_units} units are tuned (p < 0.01). Tap one to choose it.")


def rates(study: Study, unit: int) -> Any:
    """How the units' mean rates are distributed, and where this one stands."""
    found = np.nan_to_num(study.rates)
    counts, edges = np.histogram(found, N_RATE_BINS, (0.0, max(float(found.max()), 1.0)))
    bars = hv.Histogram((edges, counts), kdims=hv.Dimension("mean", label="Mean rate (Hz)"), vdims="Units")
    return dressed(
        bars.opts(color=DARK["good"], line_color=DARK["card"]) * mark(found[unit]), xlim=(0, None)
    )


def rates_say(study: Study, unit: int) -> Said:
    found = study.rates
    if not np.isfinite(found).all():
        return Said("No bin of this recording was observed.", lacks=True)
    return Said(f"This unit: {found[unit]:.1f} Hz. Median of all: {np.median(found):.1f} Hz.")


def found(study: Study, unit: int) -> Any:
    """A point a channel: which share of its spikes was found, and which of what was found is true."""
    detection = study.recording.detection
    ours = np.arange(study.recording.n_units) == unit
    order = np.argsort(ours, kind="stable")  # ours on top
    columns = (detection["recall"][order], detection["precision"][order], order, ours[order].astype(float))
    points = hv.Points(columns, [RECALL, PRECISION], ["channel", "ours"])
    return dressed(
        points.opts(color="ours", size=6 + 6 * hv.dim("ours"), alpha=0.8, line_width=0, **OURS),
        xlim=(-0.03, 1.03),
        ylim=(-0.03, 1.03),
    )


def found_says(study: Study, unit: int) -> Said:
    detection = study.recording.detection
    recall, precision, noise = (detection[name] for name in ("recall", "precision", "noise_uv"))
    if not np.isfinite(recall).any():
        return Said("It is not known which spikes are true.", lacks=True)
    all_ = f"Medians of all: recall {np.nanmedian(recall):.2f}, precision {np.nanmedian(precision):.2f}."
    if not np.isfinite(recall[unit]):
        return Said(f"This channel had no spike in the record's last 10 s. {all_}")
    late = 1e3 * detection["timing_error_ms"][unit]
    told = f"recall {recall[unit]:.2f}, precision {precision[unit]:.2f}, {late:.0f} us late"
    return Said(f"This channel: {told}, noise {noise[unit]:.1f} uV. {all_}")


def _tips(study: Study, unit: int) -> tuple[Floats, Floats, Floats]:
    """Where arrows end, Hz, and 1 for this unit's."""
    tuned = np.flatnonzero(study.tuning.tuned)
    tuned = np.append(tuned[tuned != unit], tuned[tuned == unit])
    tip = study.tuning.depth[tuned] * np.exp(1j * study.tuning.preferred[tuned])
    return tip.real, tip.imag, (tuned == unit).astype(float)


def _radii(study: Study) -> Floats:
    """Of two to four rings, Hz: steps of 1, 2 or 5 times a power of ten."""
    largest = float(study.tuning.depth[study.tuning.tuned].max(initial=1e-9))
    size = 10.0 ** np.floor(np.log10(largest))
    step = float(next(k * size for k in (0.2, 0.5, 1, 2, 5) if largest / (k * size) <= 4))
    return np.arange(step, largest + step, step)
