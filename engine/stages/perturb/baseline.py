"""Units whose rate is higher or lower than it was, whatever they fire for."""

from __future__ import annotations

import numpy as np
import param

from engine.stages.perturb.base import Floats, Instability, poisson, thinned
from engine.stages.perturb.encoding import PacketIds


class Baseline(Instability):
    """The rate of each unit shifts by ``b = shift * z``, z drawn once for each from N(0, 1). Upwards,
    spikes come on top: ``count + Poisson(b / bin rate)``. Downwards, each spike is kept
    with probability ``max(1 + b / r, 0)``, r being the unit's mean rate in the recording, so that the
    mean is lower by b.

    Where no recording tells r, all units shift upwards.
    """

    key = "baseline"
    uses_encoding = True
    shift = param.Number(
        default=3.0,
        bounds=(0.0, 100.0),
        softbounds=(0.0, 20.0),
        doc="Standard deviation of the shift, in spikes a second.",
    )

    def apply(self, counts: Floats, first: int, packet_ids: PacketIds | None = None) -> Floats:  # noqa: ARG002
        shifts = self.shift * self.draws.constant.astype(np.float64) / self.bin_rate
        kept = np.ones(self.n_units)
        if self.encoding is None:
            shifts = np.abs(shifts)
        else:
            mean = np.maximum(self.encoding.mean, 1e-9)
            kept = np.clip(1 + np.minimum(shifts, 0) / mean, 0, 1)
        uniform = self.draws.uniform(first, len(counts))  # of each unit for one or the other
        return thinned(uniform, counts, kept) + poisson(uniform, np.maximum(shifts, 0))
