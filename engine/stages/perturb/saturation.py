"""Units that stick at a high count, as amplifiers and thresholds do when they fail."""

from __future__ import annotations

import numpy as np
import param

from engine.stages.perturb.base import CountModel, Floats


class Saturation(CountModel):
    """A fraction of units has the same count in every bin."""

    key = "saturation"
    fraction = param.Number(default=0.05, bounds=(0.0, 1.0), doc="Fraction of units that stick.")
    count = param.Integer(default=20, bounds=(1, 65535), softbounds=(1, 100), doc="Spikes in each bin.")

    def apply(self, counts: Floats, first: int) -> Floats:  # noqa: ARG002
        stuck = self.draws.places < round(self.fraction * self.n_units)
        return np.where(stuck, np.float32(self.count), counts)
