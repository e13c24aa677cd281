"""A slow rise and fall of all rates, different in depth from unit to unit."""

from __future__ import annotations

import numpy as np
import param

from engine.stages.perturb.base import CountModel, Floats

OFFSET_SD = 0.3
RIPPLE = 0.1


class Drift(CountModel):
    """``count * (1 + min(A * (1 + offset), 1/1.1) * (sin(2 pi t/T) + 0.1 sin(20 pi t/T)))``.

    The offset of a unit is drawn once from N(0, 0.3); t is the sequence number in seconds. The depth ends,
    either way, where the rate comes to 0 in each period: so the mean over a period stays as it is.
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
        wave = np.sin(2 * np.pi * turns) + RIPPLE * np.sin(20 * np.pi * turns)
        deepest = 1 / (1 + RIPPLE)
        depth = np.clip(self.amplitude * (1 + OFFSET_SD * self.draws.constant), -deepest, deepest)
        factors: Floats = (1 + wave[:, None] * depth).astype(np.float32)
        return counts * factors
