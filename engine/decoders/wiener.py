"""Wiener filter: a weight for every unit and lag."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import param

from engine.decoders.base import Floats, NeuralDecoder, Training
from engine.decoders.history import History, normal_equations, punished


class Wiener(NeuralDecoder):
    """``y[k] = b + sum over lags l of W[l] c[k - l]``, by ridge regression.

    The linear filter of Carmena et al. 2003 (PLoS Biology 1, e42), there without a penalty. Lags
    from before a stretch count as each unit's mean, in training as in use.
    """

    key = "wiener"
    learned: ClassVar[tuple[str, ...]] = (*NeuralDecoder.learned, "weights")

    lags = param.Integer(default=10, bounds=(1, 100), doc="Bins looked at, the present one among them.")
    ridge = param.Number(default=100.0, bounds=(1e-6, None), doc="Penalty on squared weights.")

    weights: Floats

    def reset(self) -> None:
        self._history = History(len(self.active), self.lags)

    def _learn(self, training: Training) -> None:
        gram, cross = normal_equations(training, self.lags)
        self.weights = np.linalg.solve(punished(gram, self.ridge), cross)

    def _step(self, signal: Floats, truth: Floats | None) -> Floats:  # noqa: ARG002
        return self._history.push(signal) @ self.weights
