"""Units that vanish, and others that appear in their place."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import param

from engine.stages.perturb.base import Draws, Floats, Gradual, Instability, poisson
from engine.stages.perturb.encoding import Encoding, PacketIds


class Turnover(Gradual, Instability):
    """A fraction of units vanishes, one after the other; in the place of a share of them another neuron
    appears, which fires as ``Poisson(e)``, e being what another unit of the recording, drawn once, fires
    for the movement of the bin, with its preferred direction turned by an angle drawn once from all around.

    Where no recording tells what units fire for, none appears. Seconds are those of the sequence number.
    """

    key = "turnover"
    uses_encoding = True
    fraction = param.Number(default=0.33, doc="Fraction of units that have vanished in the end.")
    replaced = param.Number(
        default=0.5, bounds=(0.0, 1.0), doc="Share of them in whose place another appears."
    )

    def __init__(self, seed: int, n_units: int, bin_rate: float, **settings: Any) -> None:
        super().__init__(seed, n_units, bin_rate, **settings)
        self._others = Draws(seed, f"{self.key} others", n_units)
        self._angles = Draws(seed, f"{self.key} angles", n_units)

    def apply(self, counts: Floats, first: int, packet_ids: PacketIds | None = None) -> Floats:
        places = self.draws.places
        gone = places < self.affected(self.n_units, first, len(counts))
        left = np.where(gone, np.float32(0), counts)
        if self._newcomers is None or packet_ids is None or not gone.any():
            return left
        expected = self._newcomers.expected(packet_ids, self._turned)
        # As many of the vanished as the share says are replaced, of the first ones and of all.
        appears = np.floor((places + 1) * self.replaced) > np.floor(places * self.replaced)
        fired = poisson(self.draws.uniform(first, len(counts)), np.where(gone & appears, expected, 0))
        return left + fired

    @cached_property
    def _newcomers(self) -> Encoding | None:
        return self.encoding.of_units(self._others.places) if self.encoding is not None else None

    @cached_property
    def _turned(self) -> npt.NDArray[np.float64]:
        turned: npt.NDArray[np.float64] = 2 * np.pi * self._angles.uniform(0, 1)[0].astype(np.float64)
        return turned
