"""Units that take each other's place, so that what a decoder knows of their tuning is wrong."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt
import param

from engine.stages.perturb.base import Floats, Gradual


class Rotation(Gradual):
    """A fraction of units, in pairs that are drawn once, swap places, one pair after the other: with its
    place a unit changes all that it fires for, and its rate. (`tuning_rotation` turns preferred directions
    by an angle.) Seconds are those of the sequence number.
    """

    key = "rotation"
    fraction = param.Number(doc="Fraction of units that are swapped in the end.")

    def apply(self, counts: Floats, first: int) -> Floats:
        n_swapped = self.affected(self.n_units // 2, first, len(counts))
        pair = self.draws.places // 2
        source = np.where(pair < n_swapped, self._partners, np.arange(self.n_units))
        return np.take_along_axis(counts, source, axis=1)

    @cached_property
    def _partners(self) -> npt.NDArray[np.intp]:
        """Whom each unit is swapped with: its neighbour in the queue, where an odd one has none."""
        places = self.draws.places
        partners: npt.NDArray[np.intp] = np.argsort(places)[np.minimum(places ^ 1, self.n_units - 1)]
        return partners
