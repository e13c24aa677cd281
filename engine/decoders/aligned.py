"""A Wiener filter on what units have in common, which is kept aligned while the units change."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np
import param

from engine.decoders.base import Floats, Training
from engine.decoders.factors import Factors, begun, improved, rotation, stable
from engine.decoders.wiener import Wiener

N_STEPS = 60
"""Of expectation and maximisation in training."""
LEAST_LOADING = 0.01


class Aligned(Wiener):
    """The stabiliser of Degenhart et al. 2020 (Nature Biomedical Engineering 4, 672-685,
    doi 10.1038/s41551-020-0542-9), going on bin by bin.

    Factor analysis of the training counts gives loadings and latent factors, and a Wiener filter decodes
    the factors. In use a running mean and covariance of the counts stand for the blocks of the paper:
    from them the analysis is improved step by step, units are found whose loadings have kept their place
    among each other, and the new loadings are turned onto those of training by the Procrustes rotation of
    these units. No truth is used. Units that appear, vanish or turn are left to the others; it mends
    nothing that all units do alike. What it has adapted outlasts `reset`.
    """

    key = "aligned"
    learned: ClassVar[tuple[str, ...]] = (*Wiener.learned, "loadings", "own", "covariance")
    adapts: ClassVar[bool] = True

    factors = param.Integer(default=10, bounds=(1, 100), doc="Latent dimensions.")
    stable_share = param.Number(
        default=0.6, bounds=(0.1, 1.0), doc="Part of the units by which loadings are aligned."
    )
    memory_s = param.Number(
        default=60.0, bounds=(1.0, 3600.0), doc="In which the weight of the past falls by e, in s."
    )
    every_s = param.Number(default=0.5, bounds=(0.0, 3600.0), doc="Between two steps, in s.")

    loadings: Floats
    """Of training, shape (n_active, n_factors)."""
    own: Floats
    """Variance of each unit alone, shape (n_active,)."""
    covariance: Floats
    """Of counts, shape (n_active, n_active)."""

    @property
    def n_inputs(self) -> int:
        return int(self.loadings.shape[1])

    def forget(self) -> None:
        self._level = np.zeros(len(self.own))
        self._spread = self.covariance.copy()
        self._now = Factors(self.loadings, self.own)
        self._projection = self._now.projection
        self._until = self._between
        super().forget()

    @property
    def _between(self) -> int:
        return max(round(self.every_s * self.bin_rate), 1)

    def _learn(self, training: Training) -> None:
        signal = training.signal[training.rows]
        self.covariance = signal.T @ signal / len(signal)
        found = begun(self.covariance, min(self.factors, signal.shape[1]))
        for _ in range(N_STEPS):
            found = improved(found, self.covariance)
        self.loadings, self.own = found
        super()._learn(replace(training, signal=training.signal @ found.projection.T))

    def _step(self, signal: Floats, truth: Floats | None) -> Floats:
        deviation = signal - self._level
        predicted = super()._step(self._projection @ deviation, truth)
        share = 1 / (self.memory_s * self.bin_rate)
        self._level += share * deviation
        self._spread += share * (np.outer(deviation, deviation) - self._spread)
        self._until -= 1
        if not self._until:
            self._until = self._between
            self._align()
        return predicted

    def _align(self) -> None:
        """Improve the analysis of the counts of late, and turn it onto that of training."""
        loadings, own = improved(self._now, self._spread)
        n = max(round(self.stable_share * len(own)), 1)
        kept = stable(loadings, self.loadings, n, LEAST_LOADING)
        if len(kept) >= self.n_inputs:
            loadings = loadings @ rotation(loadings[kept], self.loadings[kept])
        self._now = Factors(loadings, own)
        self._projection = self._now.projection
