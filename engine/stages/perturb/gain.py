"""Units that are picked up louder or fainter than they were."""

from __future__ import annotations

import numpy as np
import param

from engine.stages.perturb.base import CountModel, Floats


class Gain(CountModel):
    """``count * exp(sd * z)``, with z drawn once for each unit from N(0, 1)."""

    key = "gain"
    sd = param.Number(
        default=0.3, bounds=(0.0, 3.0), softbounds=(0.0, 1.0), doc="Standard deviation of the log gain."
    )

    def apply(self, counts: Floats, first: int) -> Floats:  # noqa: ARG002
        factors: Floats = np.exp(np.float32(self.sd) * self.draws.constant)
        return counts * factors
