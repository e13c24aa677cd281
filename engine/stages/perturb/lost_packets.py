"""Packets that never arrive, one by one or in bursts."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import param

from engine.bins.schema import Rows
from engine.stages.perturb.base import BLOCK, DeliveryModel

Flags = npt.NDArray[np.bool_]


class LostPackets(DeliveryModel):
    """Packets use up their ``sequence_number`` and are not delivered."""

    key = "lost_packets"
    width = 2
    probability = param.Number(
        default=0.05, bounds=(0.0, 1.0), softbounds=(0.0, 0.5), doc="Probability that a packet is lost."
    )
    burst = param.Number(
        default=1.0,
        bounds=(1.0, 1000.0),
        softbounds=(1.0, 40.0),
        doc="Mean length of a burst, in packets; 1: as chance has it.",
    )

    # The two-state Markov chain of Gilbert (1960), Capacity of a burst-noise channel, Bell System
    # Technical Journal 39: 1253, with every packet lost in its bad state. It is written so that draws
    # alone decide: with some probability a packet's fate is drawn anew, else it fares as the one before.

    def __init__(self, seed: int, n_units: int, bin_rate: float, **settings: Any) -> None:
        super().__init__(seed, n_units, bin_rate, **settings)
        # A lost packet is the last of its burst if the next is drawn anew and not lost.
        self._renewal = 1.0 / max(self.burst * (1.0 - self.probability), 1.0)
        self._next, self._before = 0, False  # a sequence number, and how the one before it fared

    def apply(self, rows: Rows, first: int) -> None:
        n = len(rows)
        before = self._before if first == self._next else self._fate_before(first)
        anew, lost = self._drawn(first, n)
        newest = np.maximum.accumulate(np.where(anew, np.arange(n), -1))
        rows["lost"] = np.where(newest < 0, before, lost[newest])
        self._next, self._before = first + n, bool(rows["lost"][-1])

    def _fate_before(self, number: int) -> bool:
        while number > 0:
            n = (number - 1) % BLOCK + 1
            number -= n
            anew, lost = self._drawn(number, n)
            if anew.any():
                return bool(lost[anew][-1])
        return False

    def _drawn(self, first: int, n: int) -> tuple[Flags, Flags]:
        """Whether a fate is drawn anew, and which it would be, shape (n,) both."""
        draws = self.draws.uniform(first, n)
        anew = draws[:, 0] < self._renewal
        anew[0] |= first == 0
        return anew, draws[:, 1] < self.probability
