"""Units that fire more, then less, each on a walk of its own."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import param

from engine.stages.perturb.base import LONGEST, Draws, Floats, Instability, thinned
from engine.stages.perturb.encoding import PacketIds

KNOTS: Final = 8
"""Of a walk in each time constant; it is straight between them."""
MEMORY: Final = 64
"""Knots: what is older than 8 time constants, which would weigh ``exp(-8)`` at most, is forgotten."""
LONG_AGO: Final = 1e8
"""Seconds, three years."""


class GainWalk(Instability):
    """``count * exp(x - var(x) / 2)``, x being a random walk of each unit that comes back to 0:
    ``dx = -x/T dt + sd sqrt(2/T) dW`` (Ornstein-Uhlenbeck). So each unit goes its own way, up or down, its
    mean stays in expectation. Below 1 the factor is the probability with which each spike is kept. Above 1
    it multiplies counts, so that they vary by so much more than Poisson.

    The walk begins at 0, as many seconds before the session's first packet as `before` says: from about 2 T
    on it is as far from 0 as it gets. With its defaults it has the figures of Perge et al. 2013 (J Neural
    Eng 10:036004): 84 % of units change their rate within minutes, by 49 % of their mean. T is not in
    that paper beyond "several minutes".
    """

    key = "gain_walk"
    sd = param.Number(
        default=0.45,
        bounds=(0.0, 3.0),
        softbounds=(0.0, 1.0),
        doc="Standard deviation of the log gain in the end.",
    )
    fraction = param.Number(default=0.84, bounds=(0.0, 1.0), doc="Fraction of units that walk.")
    time_constant = param.Number(
        default=300.0, bounds=(1.0, LONGEST), softbounds=(10.0, 3600.0), doc="Time constant T, in seconds."
    )
    before = param.Number(
        default=0.0,
        bounds=(0.0, LONG_AGO),
        softbounds=(0.0, 3600.0),
        doc="Seconds that the walk began before the session.",
    )

    def __init__(self, seed: int, n_units: int, bin_rate: float, **settings: Any) -> None:
        super().__init__(seed, n_units, bin_rate, **settings)
        self._steps = Draws(seed, f"{self.key} steps", n_units)
        self._between: tuple[int, npt.NDArray[np.float64]] = -1, np.empty((2, n_units))

    def apply(self, counts: Floats, first: int, packet_ids: PacketIds | None = None) -> Floats:  # noqa: ARG002
        seconds = np.arange(first, first + len(counts)) / self.bin_rate + self.before
        at = seconds * KNOTS / self.time_constant
        factors = np.ones_like(counts)
        for knot in np.unique(np.floor(at).astype(int)):
            here = np.floor(at) == knot
            factors[here] = self._factors(int(knot), at[here, None] - knot)
        walks = self.draws.places < round(self.fraction * self.n_units)
        factors = np.where(walks, factors, np.float32(1))
        fewer = thinned(self.draws.uniform(first, len(counts)), counts, np.minimum(factors, 1))
        return np.where(factors < 1, fewer, counts * factors)

    def _factors(self, knot: int, part: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Between a knot and the next, where `part` from 0 to 1 says; shape (n, n_units)."""
        if self._between[0] != knot:
            self._between = knot, np.stack((self._knot(knot), self._knot(knot + 1)))
        start, end = self._between[1]
        here, there = variance(knot), variance(knot + 1)
        shared = math.exp(-1 / KNOTS) * variance(min(knot, MEMORY - 1))
        var = (1 - part) ** 2 * here + part**2 * there + 2 * part * (1 - part) * shared
        x = (1 - part) * start + part * end
        factors: npt.NDArray[np.float64] = np.exp(self.sd * x - self.sd**2 * var / 2)
        return factors

    def _knot(self, knot: int) -> npt.NDArray[np.float64]:
        """The walk of sd 1 there, shape (n_units,): a sum of `MEMORY` draws at most, wherever it is."""
        n = min(knot, MEMORY)
        weights = math.sqrt(variance(1)) * np.exp(-np.arange(n)[::-1] / KNOTS)
        found: npt.NDArray[np.float64] = weights @ self._steps.normal(knot - n, n)
        return found


def variance(knots: int) -> float:
    """Of a walk of sd 1, so many knots after its beginning."""
    return 1 - math.exp(-2 * min(knots, MEMORY) / KNOTS)
