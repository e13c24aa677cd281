"""Packets that arrive late, each by a time of its own."""

from __future__ import annotations

import numpy as np
import param

from engine.bins.schema import Rows
from engine.stages.perturb.base import DeliveryModel


class Jitter(DeliveryModel):
    """Packets are held back by ``min(|N(0, sd)|, longest)`` after they are due, and never overtake each
    other. Their timestamps remain; at speed max nothing is held back.
    """

    key = "jitter"
    sd = param.Number(
        default=5.0, bounds=(0.0, 500.0), softbounds=(0.0, 50.0), doc="Standard deviation, in ms."
    )
    longest = param.Number(
        default=100.0, bounds=(0.0, 500.0), softbounds=(0.0, 200.0), doc="Longest delay, in ms."
    )

    def apply(self, rows: Rows, first: int) -> None:
        delays = np.abs(self.sd * self.draws.normal(first, len(rows))[:, 0])
        rows["delay"] = np.minimum(delays, self.longest) / 1000.0
