"""Units that fall silent, as electrodes fail or cells die."""

from __future__ import annotations

import numpy as np
import param

from engine.stages.perturb.base import Floats, Gradual


class UnitLoss(Gradual):
    """A fraction of units falls silent, one after the other. Seconds are those of the sequence number."""

    key = "unit_loss"
    fraction = param.Number(doc="Fraction of units that are silent in the end.")

    def apply(self, counts: Floats, first: int) -> Floats:
        silent = self.affected(self.n_units, first, len(counts))
        return np.where(self.draws.places < silent, np.float32(0), counts)
