"""Gaussian noise that grows with the count."""

from __future__ import annotations

import param

from engine.perturb.base import CountModel, Floats


class Noise(CountModel):
    """``count + N(0, sd) * (count + 1)``, drawn anew for each unit and bin."""

    key = "noise"
    sd = param.Number(
        default=0.2, bounds=(0.0, 10.0), softbounds=(0.0, 3.0), doc="Standard deviation per count."
    )

    def apply(self, counts: Floats, first: int) -> Floats:
        return counts + self.sd * self.draws.normal(first, len(counts)) * (counts + 1)
