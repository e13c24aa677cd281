"""A Wiener filter for units that drift: each is brought back to its mean and variance in training."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import param

from engine.decoders.base import Floats, Training
from engine.decoders.wiener import Wiener

MOST_GAIN = 4.0
"""By which deviations are stretched or shrunk at most: a unit that has fallen silent has no variance."""


class Renormalised(Wiener):
    """Adapts to drift without being told any truth, by running estimates of each unit's counts.

    ``z[k] = (c[k] - m[k-1]) sd / sd[k-1]``, with ``m`` and ``sd**2`` the mean and variance of the past,
    whose weight falls by e in `memory_s`, and ``sd`` that of training; a Wiener filter decodes ``z``.
    Tracking the mean is that of Jarosiewicz et al. 2015 (Science Translational Medicine 7, 313ra179), the
    variance with it the rolling z-score of Willett et al. 2023 (Nature 620, 1031-1036). It mends what
    offsets and gains do, and nothing that turns a unit's tuning. What it has adapted outlasts `reset`.
    """

    key = "renormalised"
    learned: ClassVar[tuple[str, ...]] = (*Wiener.learned, "variance")
    adapts: ClassVar[bool] = True

    memory_s = param.Number(
        default=30.0, bounds=(1.0, 3600.0), doc="In which the weight of the past falls by e, in s."
    )

    variance: Floats
    """Of each unit in training, shape (n_active,)."""

    def forget(self) -> None:
        self._level = np.zeros_like(self.variance)
        self._spread = self.variance.copy()
        super().forget()

    def _learn(self, training: Training) -> None:
        super()._learn(training)
        self.variance = training.signal[training.rows].var(axis=0)

    def _step(self, signal: Floats, truth: Floats | None) -> Floats:
        deviation = signal - self._level
        gain = np.sqrt(self.variance / np.maximum(self._spread, self.variance / MOST_GAIN**2))
        predicted = super()._step(deviation * np.maximum(gain, 1 / MOST_GAIN), truth)
        share = 1 / (self.memory_s * self.bin_rate)
        self._level += share * deviation
        self._spread += share * (deviation**2 - self._spread)
        return predicted
