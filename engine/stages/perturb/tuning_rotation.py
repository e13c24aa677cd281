"""Units whose preferred directions turn."""

from __future__ import annotations

import numpy as np
import param

from engine.stages.perturb.base import Floats, Instability, poisson, thinned
from engine.stages.perturb.encoding import PacketIds


class TuningRotation(Instability):
    """Each unit fires as if its preferred direction were turned by ``angle + spread * z``, z drawn once for
    each from N(0, 1). With e the expected count of a unit at the movement of the bin, and e' that of the
    turned one: ``Binomial(count, min(e'/e, 1)) + Poisson(max(e' - e, 0))``. Baseline, depth and the
    effect of speed stay. (`rotation`, by contrast, swaps whole units.)

    e is of a log-linear regression on the recording's velocity and position; of what a unit encodes beside
    them nothing turns. All turned by one angle, a decoder's velocity turns by it the other way.
    """

    key = "tuning_rotation"
    uses_encoding = needs_encoding = True
    angle = param.Number(
        default=30.0, bounds=(-180.0, 180.0), doc="Angle by which all turn, in degrees anticlockwise."
    )
    spread = param.Number(
        default=0.0,
        bounds=(0.0, 180.0),
        softbounds=(0.0, 90.0),
        doc="Standard deviation from unit to unit, in degrees.",
    )

    def apply(self, counts: Floats, first: int, packet_ids: PacketIds | None = None) -> Floats:
        if self.encoding is None or packet_ids is None:
            return counts
        turned = np.radians(self.angle + self.spread * self.draws.constant.astype(np.float64))
        before = self.encoding.expected(packet_ids)
        after = self.encoding.expected(packet_ids, turned)
        uniform = self.draws.uniform(first, len(counts))  # of each count for one or the other
        left = thinned(uniform, counts, np.minimum(after / before, 1))
        return left + poisson(uniform, np.maximum(after - before, 0))
