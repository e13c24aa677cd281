"""Plots of units: tuning, preferred directions and rates."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dashboard.explore.drawing import Columns, Drawing, View
from dashboard.explore.study import Study

N_RATE_BINS = 24
MINUS = "\N{MINUS SIGN}"


def draw_tuning(study: Study, view: View) -> Drawing:
    """Rate by direction of one unit, and the cosine that was fitted to all its trials."""
    drawing, fit, unit = Drawing(), study.tuning, view.unit
    if not np.isfinite(fit.preferred[unit]):
        known = np.isfinite(fit.directions).any()
        why = (
            "The unit's rate does not vary"
            if known
            else "Trials have no direction, for want of targets or positions"
        )
        drawing.say("tuning", message=f"{why}, so there is no tuning to fit.")
        return drawing
    split = study.split("target")
    used = np.isfinite(fit.directions)
    rows = [np.flatnonzero(used & (split.group == i)) for i in range(len(split.labels))]
    colours = np.array([i for i, row in enumerate(rows) if len(row)])
    rows = [row for row in rows if len(row)]
    angles = np.array([np.angle(np.exp(1j * fit.directions[row]).mean(), deg=True) for row in rows])
    means = np.array([fit.rates[row, unit].mean() for row in rows])
    errors = np.array(
        [fit.rates[row, unit].std(ddof=min(1, len(row) - 1)) / np.sqrt(len(row)) for row in rows]
    )
    drawing.sources["tuning/means"] = {"direction": angles, "rate": means, "color": colours}
    drawing.sources["tuning/sem"] = {
        "direction": angles,
        "direction1": angles,
        "rate": means - errors,
        "rate1": means + errors,
    }
    grid = np.arange(-180.0, 181.0, 4.0)
    drawing.sources["tuning/fit"] = {"direction": grid, "rate": fit.predict(unit, np.radians(grid))}
    preferred = float(np.degrees(fit.preferred[unit]))
    drawing.models["tuning/preferred"] = {"location": preferred, "visible": bool(fit.tuned[unit])}
    verdict = f"Prefers {preferred:.0f}°".replace("-", MINUS) if fit.tuned[unit] else "Not tuned"
    chance = "p < 0.001" if fit.p[unit] < 0.001 else f"p = {fit.p[unit]:.2g}"
    drawing.say("tuning", f"{verdict}: depth {fit.depth[unit]:.1f} Hz, R² {fit.r2[unit]:.2f}, {chance}.")
    return drawing


def draw_preferred(study: Study, view: View) -> Drawing:
    """An arrow for each tuned unit: its preferred direction, as long as its tuning is deep."""
    drawing, fit = Drawing(), study.tuning
    tuned = np.flatnonzero(fit.tuned)
    if not len(tuned):
        drawing.say("preferred", message="No unit is tuned to the direction of reach.")
        return drawing
    tip = fit.depth[:, None] * np.column_stack((np.cos(fit.preferred), np.sin(fit.preferred)))
    drawing.sources["preferred/units"] = _arrows(tip[tuned])
    drawing.sources["preferred/tips"] = {"x": tip[tuned, 0], "y": tip[tuned, 1]}
    unit = tuned[tuned == view.unit]
    drawing.sources["preferred/unit"] = _arrows(tip[unit])
    drawing.sources["preferred/tip"] = {"x": tip[unit, 0], "y": tip[unit, 1]}
    largest = float(fit.depth[tuned].max())
    step = _round_step(largest)
    radii = np.arange(step, largest + step, step)
    circle = np.exp(1j * np.linspace(0, 2 * np.pi, 73))
    drawing.sources["preferred/rings"] = {
        "xs": [radius * circle.real for radius in radii],
        "ys": [radius * circle.imag for radius in radii],
    }
    drawing.sources["preferred/labels"] = {
        "x": np.zeros(len(radii)),
        "y": radii,
        "label": [f" {radius:g} Hz" for radius in radii],
    }
    n_units = study.recording.n_units
    drawing.say("preferred", f"{len(tuned)} of {n_units} units are tuned (p < 0.01). Tap one to choose it.")
    return drawing


def draw_rates(study: Study, view: View) -> Drawing:
    """How the units' mean rates are distributed."""
    drawing, rates = Drawing(), study.rates
    if not np.isfinite(rates).all():
        drawing.say("rates", message="No bin of this recording was observed.")
        return drawing
    counts, edges = np.histogram(rates, N_RATE_BINS, (0.0, max(float(rates.max()), 1.0)))
    drawing.sources["rates/units"] = {"top": counts, "left": edges[:-1], "right": edges[1:]}
    drawing.models["rates/unit"] = {"location": float(rates[view.unit])}
    drawing.say("rates", f"This unit: {rates[view.unit]:.1f} Hz. Median of all: {np.median(rates):.1f} Hz.")
    return drawing


def _arrows(tips: npt.NDArray[np.float64]) -> Columns:
    zero = np.zeros(len(tips))
    return {"x": zero, "y": zero, "x1": tips[:, 0], "y1": tips[:, 1]}


def _round_step(largest: float) -> float:
    """Of two to four rings: 1, 2 or 5 times a power of ten."""
    size = 10.0 ** np.floor(np.log10(largest))
    return float(next(k * size for k in (0.2, 0.5, 1, 2, 5) if largest / (k * size) <= 4))
