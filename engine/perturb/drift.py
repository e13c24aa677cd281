"""A slow rise and fall of all rates, different in depth from unit to unit."""

from __future__ import annotations

import numpy as np
import param

from engine.perturb.base import CountModel, Floats

OFFSET_SD = 0.3


class Drift(CountModel):
    """``count + A * (sin(2 pi t/T) + 0.1 sin(20 pi t/T)) * (count + 1) * (1 + offset)``.

    The offset of a unit is drawn once from N(0, 0.3); t is the sequence number in seconds.
    """

    key = "drift"
    amplitude = param.Number(
        default=0.1, bounds=(0.0, 10.0), softbounds=(0.0, 1.5), doc="Depth A, per count."
    )
    period = param.Number(
        default=60.0, bounds=(0.1, 86400.0), softbounds=(1.0, 600.0), doc="Period T, in seconds."
    )

    def apply(self, counts: Floats, first: int) -> Floats:
        turns = np.arange(first, first + len(counts)) / (self.bin_rate * self.period)
        wave = np.sin(2 * np.pi * turns) + 0.1 * np.sin(20 * np.pi * turns)
        depth = self.amplitude * (1 + OFFSET_SD * self.draws.constant)
        return counts + (wave[:, None] * depth).astype(np.float32) * (counts + 1)
