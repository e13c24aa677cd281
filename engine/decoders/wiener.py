"""Wiener filter: a weight for every unit and lag."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import param

from engine.decoders.base import Floats, NeuralDecoder, Training
from engine.decoders.history import History, normal_equations, punished
from engine.decoders.ridge import choose_ridge, lags_to_try


class Wiener(NeuralDecoder):
    """``y[k] = b + sum over lags l of W[l] c[k - l]``, by ridge regression.

    The linear filter of Carmena et al. 2003 (PLoS Biology 1, e42), there without a penalty. Lags
    from before a stretch count as each unit's mean, in training as in use. Lags and penalty are chosen
    together, by cross-validation over the training trials, unless they are set.
    """

    key = "wiener"
    learned: ClassVar[tuple[str, ...]] = (*NeuralDecoder.learned, "weights")

    lags: Any = param.Integer(
        default=None,
        bounds=(1, 100),
        allow_None=True,
        doc="Bins looked at, the present one among them; chosen in training if none is set.",
    )
    ridge: Any = param.Number(
        default=None,
        bounds=(1e-6, None),
        allow_None=True,
        doc="Penalty on squared weights; chosen in training if none is set.",
    )

    weights: Floats

    @property
    def n_inputs(self) -> int:
        """Of each bin: units, unless a subclass makes something else of them."""
        return len(self.active)

    def reset(self) -> None:
        self._history = History(self.n_inputs, self.lags)

    def _learn(self, training: Training) -> None:
        if self.lags is None or self.ridge is None:
            n_units = training.signal.shape[1]
            tried = lags_to_try(n_units, self.bin_rate) if self.lags is None else (self.lags,)
            self.choose(choose_ridge(training, tried, self.ridge))
        gram, cross = normal_equations(training, self.lags)
        self.weights = np.linalg.solve(punished(gram, self.ridge), cross)

    def _step(self, signal: Floats, truth: Floats | None) -> Floats:  # noqa: ARG002
        return self._history.push(signal) @ self.weights
