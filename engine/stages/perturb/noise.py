"""Noise that grows with the count."""

from __future__ import annotations

import math

import numpy as np
import param

from engine.stages.perturb.base import CountModel, Floats


class Noise(CountModel):
    """``count * exp(s * z - s**2 / 2)``, ``s**2 = log(1 + sd**2)``, with z drawn from N(0, 1) for each unit
    and bin.

    The factor is log-normal, with mean 1 and standard deviation sd: whatever the count, it is kept in
    expectation, a silent unit stays silent, and the spread grows with sd.
    """

    key = "noise"
    sd = param.Number(
        default=0.2, bounds=(0.0, 10.0), softbounds=(0.0, 3.0), doc="Standard deviation per count."
    )

    def apply(self, counts: Floats, first: int) -> Floats:
        variance = math.log1p(self.sd**2)
        logs = math.sqrt(variance) * self.draws.normal(first, len(counts)) - np.float32(variance / 2)
        factors: Floats = np.exp(logs)
        return counts * factors
