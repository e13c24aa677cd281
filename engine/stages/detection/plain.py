"""The inner loops of detection by numpy and scipy: what `compiled` does, slower."""

from __future__ import annotations

import numpy as np
from scipy import signal

from engine.broadband import REFRACTORY, Counts16, Floats32, Samples


class BandPass:
    """A causal filter; see `compiled`."""

    def __init__(self, sections: np.ndarray, n_channels: int) -> None:
        self._sections = np.ascontiguousarray(sections, np.float32)
        self._state = np.zeros((len(sections), 2, n_channels), np.float32)

    def run(self, voltages: Counts16, scale: float, out: Floats32) -> None:
        """Filter the next samples times a scale into others, both of shape (n, n_channels)."""
        scaled = voltages * np.float32(scale)
        out[:], self._state = signal.sosfilt(self._sections, scaled, axis=0, zi=self._state)


def cross(
    filtered: Floats32, before: Floats32, thresholds: Floats32, first: int, last: Samples
) -> tuple[Samples, np.ndarray]:
    """Find where channels fall below a threshold, by sample and channel; see `compiled`."""
    below = filtered < thresholds
    begins = below.copy()
    begins[1:] &= ~below[:-1]
    begins[0] &= before >= thresholds
    samples, channels = np.nonzero(begins)
    samples += first
    kept = np.zeros(len(samples), np.bool_)
    for k, (sample, channel) in enumerate(zip(samples.tolist(), channels.tolist(), strict=True)):
        if sample - last[channel] >= REFRACTORY:
            last[channel], kept[k] = sample, True
    return samples[kept], channels[kept].astype(np.int32)


def add_squares(filtered: Floats32, energy: Floats32) -> None:
    """Add each channel's squares to its energy."""
    energy += np.square(filtered).sum(axis=0)


def subtract_mean(filtered: Floats32, there: np.ndarray) -> None:
    """Take the mean of the channels that are there from all, sample by sample."""
    if there.any():
        filtered -= filtered[:, there].mean(axis=1, keepdims=True)
