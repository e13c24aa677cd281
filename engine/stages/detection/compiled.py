"""The inner loops of detection, compiled by numba: all channels of a sample side by side.

Importing this compiles it, or loads what was compiled before. Numba tells by this file's time alone whether
that is still good: touch it after a change of a constant that is imported here.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit

from engine.broadband import REFRACTORY, Counts16, Floats32, Samples

TILE: Final = 128
"""Channels at once. Their states are side by side: rows of 4 kB would drive each other from the cache."""


class BandPass:
    """A causal filter, each channel with a state of its own.

    Parameters
    ----------
    sections : ndarray of float64, shape (2, 6)
        Second-order sections, as scipy has them.
    n_channels : int
    """

    def __init__(self, sections: np.ndarray, n_channels: int) -> None:
        self._sections = np.ascontiguousarray(sections, np.float32)
        self._state = np.zeros((-(-n_channels // TILE), 4, TILE), np.float32)

    def run(self, voltages: Counts16, scale: float, out: Floats32) -> None:
        """Filter the next samples times a scale into others, both of shape (n, n_channels)."""
        _filter(voltages, np.float32(scale), self._sections, self._state, out)


def cross(
    filtered: Floats32, before: Floats32, thresholds: Floats32, first: int, last: Samples
) -> tuple[Samples, np.ndarray]:
    """Find where channels fall below a threshold, by sample and channel.

    Parameters
    ----------
    filtered : ndarray of float32, shape (n, n_channels)
    before : ndarray of float32, shape (n_channels,)
        The sample before those.
    thresholds : ndarray of float32, shape (n_channels,)
        Negative.
    first : int
        Index of the first sample.
    last : ndarray of int64, shape (n_channels,)
        Sample at which each was last found; within `REFRACTORY` of it none is. Updated.

    Returns
    -------
    samples : ndarray of int64, shape (n,)
    channels : ndarray of int32, shape (n,)
    """
    n, n_channels = filtered.shape
    most = (n // REFRACTORY + 1) * n_channels
    samples, channels = np.empty(most, np.int64), np.empty(most, np.int32)
    found = _cross(filtered, before, thresholds, first, last, samples, channels)
    return samples[:found], channels[:found]


def add_squares(filtered: Floats32, energy: Floats32) -> None:
    """Add each channel's squares to its energy."""
    _add_squares(filtered, energy)


def subtract_mean(filtered: Floats32, there: np.ndarray) -> None:
    """Take the mean of the channels that are there from all, sample by sample."""
    _subtract_mean(filtered, there)


@njit("void(i2[:,::1], f4, f4[:,::1], f4[:,:,::1], f4[:,::1])", nogil=True, cache=True)
def _filter(voltages, scale, sections, state, out):
    n, width = voltages.shape
    b0, b1, b2, a1, a2 = sections[0, 0], sections[0, 1], sections[0, 2], sections[0, 4], sections[0, 5]
    d0, d1, d2, c1, c2 = sections[1, 0], sections[1, 1], sections[1, 2], sections[1, 4], sections[1, 5]
    for tile in range(len(state)):
        begin = tile * TILE
        for i in range(n):
            for k in range(min(TILE, width - begin)):
                x = np.float32(voltages[i, begin + k]) * scale
                y = b0 * x + state[tile, 0, k]
                state[tile, 0, k] = b1 * x - a1 * y + state[tile, 1, k]
                state[tile, 1, k] = b2 * x - a2 * y
                z = d0 * y + state[tile, 2, k]
                state[tile, 2, k] = d1 * y - c1 * z + state[tile, 3, k]
                state[tile, 3, k] = d2 * y - c2 * z
                out[i, begin + k] = z


@njit("i8(f4[:,::1], f4[::1], f4[::1], i8, i8[::1], i8[::1], i4[::1])", nogil=True, cache=True)
def _cross(filtered, before, thresholds, first, last, samples, channels):
    n, width = filtered.shape
    found = 0
    for i in range(n):
        for c in range(width):
            if filtered[i, c] < thresholds[c]:
                above = filtered[i - 1, c] >= thresholds[c] if i else before[c] >= thresholds[c]
                if above and first + i - last[c] >= REFRACTORY:
                    last[c] = first + i
                    samples[found], channels[found] = first + i, c
                    found += 1
    return found


@njit("void(f4[:,::1], f4[::1])", nogil=True, cache=True)
def _add_squares(filtered, energy):
    for i in range(filtered.shape[0]):
        for c in range(filtered.shape[1]):
            energy[c] += filtered[i, c] * filtered[i, c]


@njit("void(f4[:,::1], b1[::1])", nogil=True, cache=True)
def _subtract_mean(filtered, there):
    n_there = max(there.sum(), 1)
    for i in range(filtered.shape[0]):
        total = np.float32(0)
        for c in range(filtered.shape[1]):
            total += filtered[i, c] if there[c] else np.float32(0)
        mean = np.float32(total / n_there)
        for c in range(filtered.shape[1]):
            filtered[i, c] -= mean
