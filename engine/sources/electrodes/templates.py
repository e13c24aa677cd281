"""Shapes of extracellular spikes: a few, each a fast trough and a slow return."""

from __future__ import annotations

from typing import Final

import numpy as np

from engine.broadband import SAMPLING_RATE, TROUGH, WAVEFORM, Floats32

SHAPES: Final = (
    # trough's width, return's height, delay and width, first peak's height; ms, and shares of the trough
    (0.08, 0.45, 0.35, 0.15, 0.02),
    (0.16, 0.25, 0.60, 0.25, 0.05),
    (0.10, 0.15, 0.50, 0.20, 0.20),
    (0.13, 0.40, 0.45, 0.20, 0.00),
    (0.09, 0.10, 0.40, 0.30, 0.00),
    (0.12, 0.30, 0.55, 0.15, 0.12),
)
BEFORE: Final = (-0.25, 0.08)
"""When the first peak is, and its width, ms."""
EDGE: Final = 6
"""Samples over which a waveform comes and goes."""


def templates() -> Floats32:
    """All shapes, each with a trough of -1 at sample `TROUGH`, shape (n_shapes, WAVEFORM).

    The sum of three Gaussians: the sodium current's trough between the capacitive peak before and the
    potassium current's return (Gold et al. 2006, Journal of Neurophysiology 95, 3113-3128).
    """
    milliseconds = (np.arange(WAVEFORM) - TROUGH) / SAMPLING_RATE * 1e3
    ramp = np.minimum(np.arange(1, WAVEFORM + 1), np.arange(WAVEFORM, 0, -1)) / EDGE
    edges = np.sin(np.minimum(ramp, 1.0) * np.pi / 2) ** 2
    fine = np.linspace(-0.1, 0.1, 2001)
    found = np.empty((len(SHAPES), WAVEFORM), np.float32)
    for i, shape in enumerate(SHAPES):
        curve = _curve(milliseconds + fine[_curve(fine, *shape).argmin()], *shape)
        found[i] = edges * curve / -curve.min()
    return found


def _curve(
    t: np.ndarray, width: float, height: float, delay: float, spread: float, first: float
) -> np.ndarray:
    def peak(at: float, wide: float) -> np.ndarray:
        return np.exp(-0.5 * ((t - at) / wide) ** 2)

    return -peak(0.0, width) + height * peak(delay, spread) + first * peak(*BEFORE)
