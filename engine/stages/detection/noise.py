"""How noisy each channel is, whatever spikes and artefacts it has."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from engine.broadband import SAMPLING_RATE, Floats32

WINDOW: Final = SAMPLING_RATE // 5
"""Samples after which the noise is judged: 0.2 s."""
EVERY: Final = 20
"""Of so many samples one is looked at: beyond that they tell nothing new of a band that ends at 3 kHz."""
NORMAL: Final = 0.6745
"""Median of the absolute value of a normal variable of standard deviation 1."""
STEP: Final = 1.5
"""Factor by which a window may be noisier than the noise so far, and count."""


class NoiseLevel:
    """Standard deviation of each channel's noise: median absolute value / 0.6745.

    After Quiroga et al. 2004 (Neural Computation 16, 1661-1687). The median of each window of 0.2 s moves
    the noise by ``1 - exp(-0.2 s / time constant)`` of the difference; in the beginning all windows count
    the same. A window that an artefact fills counts as 1.5 times the noise so far.

    Attributes
    ----------
    level : ndarray of float32, shape (n_channels,)
        uV; infinite until the first window is over.
    left : int
        Samples until the present window is over.
    """

    def __init__(self, n_channels: int) -> None:
        self.level: Floats32 = np.full(n_channels, np.inf, np.float32)
        self.left = WINDOW
        self._seen = np.empty((n_channels, WINDOW // EVERY), np.float32)
        self._windows = 0

    def add(self, filtered: Floats32, time_constant: float) -> None:
        """Look at the next samples, shape (n, n_channels), of which at most `left` are given."""
        begin = WINDOW - self.left
        places = np.arange(-begin % EVERY, len(filtered), EVERY)
        self._seen[:, (begin + places) // EVERY] = np.abs(filtered[places]).T
        self.left -= len(filtered)
        if not self.left:
            self._judge(time_constant)
            self.left = WINDOW

    def _judge(self, time_constant: float) -> None:
        middle = self._seen.shape[1] // 2
        self._seen.partition((middle - 1, middle), axis=1)
        fresh = (self._seen[:, middle - 1] + self._seen[:, middle]) / np.float32(2 * NORMAL)
        self._windows += 1
        if self._windows == 1:
            self.level = fresh
            return
        gain = max(1 / self._windows, 1 - math.exp(-WINDOW / SAMPLING_RATE / time_constant))
        fresh = np.minimum(fresh, self.level * np.float32(STEP))
        self.level = self.level + np.float32(gain) * (fresh - self.level)
