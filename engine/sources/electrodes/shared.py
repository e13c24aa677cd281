"""What all channels of an array have at once: the hum of the mains, common noise, artefacts."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from engine.broadband import SAMPLING_RATE, Floats32
from engine.sources.electrodes.settings import Electrodes

HARMONICS: Final = ((1, 1.0), (3, 0.3), (5, 0.1))
"""Of the mains: which, and the share of the first."""


class Shared:
    """The next samples of it.

    Parameters
    ----------
    settings : Electrodes
    seed : SeedSequence
    noise : type
        `compiled.Noise` or `plain.Noise`.
    """

    def __init__(self, settings: Electrodes, seed: np.random.SeedSequence, noise: Any) -> None:
        of_common, of_bursts = seed.spawn(2)
        self._period = _hum(settings.line_frequency)
        self._common = noise(of_common, 1)
        self._rng = np.random.default_rng(of_bursts)
        length = round(settings.burst_duration * SAMPLING_RATE)
        window = np.sin(np.pi * (np.arange(length) + 0.5) / length) ** 2
        self._shape = window * self._rng.standard_normal(length)
        self._gap = self._begins = math.inf
        self._first = 0
        self.change(settings)

    def change(self, settings: Electrodes) -> None:
        """Go on with other levels, and as many artefacts; one under way is cut off if these change."""
        self._line, self._level = np.float32(settings.line), np.array([settings.common], np.float32)
        self._burst = (settings.burst * self._shape / abs(self._shape).max()).astype(np.float32)
        gap = SAMPLING_RATE * 60 / settings.bursts if settings.bursts else math.inf
        if gap != self._gap:
            self._gap = gap
            self._begins = self._draw(self._first)

    def read(self, n: int) -> Floats32:
        """The next `n` samples, uV, shape (n,)."""
        first, self._first = self._first, self._first + n
        out = self._period[np.arange(first, first + n) % len(self._period)] * self._line
        if self._level[0]:
            drawn, none = np.empty((n, 1), np.float32), np.zeros(1, np.float32)
            self._common.fill(drawn, self._level, none, np.zeros(n, np.float32), none)
            out += drawn[:, 0]
        length = len(self._burst)
        while self._begins < first + n:
            start = int(self._begins) - first
            begin, end = max(start, 0), min(start + length, n)
            out[begin:end] += self._burst[begin - start : end - start]
            if start + length > n:
                break
            self._begins = self._draw(self._begins + length)
        return out

    def _draw(self, after: float) -> float:
        """When the next artefact begins."""
        if math.isinf(self._gap):
            return math.inf
        return math.floor(after + self._gap * self._rng.standard_exponential())


def _hum(frequency: int) -> Floats32:
    """One period of the mains, of amplitude 1."""
    phase = 2 * np.pi * np.arange(SAMPLING_RATE // frequency) * frequency / SAMPLING_RATE
    period = np.zeros(len(phase))
    for k, share in HARMONICS:
        period += share * np.sin(k * phase)
    return period.astype(np.float32)
