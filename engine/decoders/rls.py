"""Recursive least squares: a Wiener filter that goes on learning."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import param

from engine.decoders.base import Floats, NeuralDecoder, Training
from engine.decoders.history import History, normal_equations, pooled, punished
from engine.decoders.ridge import choose_ridge


class Rls(NeuralDecoder):
    """Exponentially weighted recursive least squares (Haykin, Adaptive Filter Theory, chapter "The RLS
    algorithm").

    With features u, truth d, forgetting factor f and P the inverse of the weighted Gram matrix:
    ``g = P u / (f + u' P u)``, ``W += g (d - W' u)'``, ``P = (P - g u' P) / f``. It starts from the ridge
    solution of the training bins. A bin is predicted before its truth is learned from; without truth
    it stands still. Counts are averaged over a few bins at a time, as the cost grows with the square of the
    features.

    P grows without bound in directions that nothing excites, such as a unit that has fallen silent;
    forgetting is therefore suspended while the trace of P exceeds `windup` times its trained
    value (Åström & Wittenmark, Adaptive Control, on estimator windup).
    """

    key = "rls"
    learned: ClassVar[tuple[str, ...]] = (*NeuralDecoder.learned, "trained_weights", "trained_inverse")
    uses_truth = True

    steps = param.Integer(default=5, bounds=(1, 20), doc="Averages of counts looked at.")
    pool = param.Integer(default=2, bounds=(1, 20), doc="Bins in each average.")
    ridge: Any = param.Number(
        default=None,
        bounds=(1e-6, None),
        allow_None=True,
        doc="Penalty on squared weights in training; chosen there if none is set.",
    )
    forgetting = param.Number(
        default=0.9998, bounds=(0.9, 1.0), doc="Weight of the past, per bin; 1 forgets nothing."
    )
    windup = param.Number(default=10.0, bounds=(1.0, None), doc="How far the trace of P may grow.")

    trained_weights: Floats
    trained_inverse: Floats

    def __init__(self, bin_rate: float, **settings: object) -> None:
        super().__init__(bin_rate, **settings)
        self._weights: Floats | None = None

    def forget(self) -> None:
        self._weights = None
        super().forget()

    def reset(self) -> None:
        """Start a stretch; what was learned meanwhile stays."""
        self._history = History(len(self.active), self.steps * self.pool)
        if self._weights is None:
            self._weights = self.trained_weights.copy()
            self._inverse = self.trained_inverse.copy()
            self._change = np.empty_like(self._inverse)
            self._most = self.windup * float(np.trace(self.trained_inverse))

    def _learn(self, training: Training) -> None:
        if self.ridge is None:
            self.choose(choose_ridge(training, (self.steps * self.pool,), None, self.pool))
        gram, cross = normal_equations(training, self.steps * self.pool, self.pool)
        self.trained_inverse = np.linalg.inv(punished(gram, self.ridge))
        self.trained_weights = self.trained_inverse @ cross
        self._weights = None

    def _step(self, signal: Floats, truth: Floats | None) -> Floats:
        assert self._weights is not None  # since `reset`
        features = pooled(self._history.push(signal)[None], self.steps * self.pool, self.pool)[0]
        predicted: Floats = features @ self._weights
        if truth is not None and np.isfinite(truth).all():
            spread = self._inverse @ features
            forgetting = self.forgetting if np.trace(self._inverse) < self._most else 1.0
            gain = spread / (forgetting + features @ spread)
            self._weights += np.outer(gain, truth - predicted)
            np.multiply(gain[:, None], spread, out=self._change)
            self._inverse -= self._change
            self._inverse *= 1 / forgetting
        return predicted
