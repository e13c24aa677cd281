"""LSTM: a recurrent network. PyTorch trains it; numpy runs it, so that a trained one needs no PyTorch."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from engine.decoders.base import Floats
from engine.decoders.recurrent import Recurrent, logistic


class Lstm(Recurrent):
    """One layer of long short-term memory (Hochreiter & Schmidhuber 1997, Neural Computation 9, 1735-1780;
    for decoding, Glaser et al. 2020, eNeuro 7) and a linear readout.

    ``i, f, g, o = U c[k] + V h[k-1] + b``, ``m[k] = s(f) m[k-1] + s(i) tanh(g)`` and
    ``h[k] = s(o) tanh(m[k])``, with s the logistic function.
    """

    key = "lstm"
    cell: ClassVar[str] = "LSTM"

    def reset(self) -> None:
        self._state: Floats = np.zeros(self.state_weights.shape[1])
        self._memory: Floats = np.zeros_like(self._state)

    def _step(self, signal: Floats, truth: Floats | None) -> Floats:  # noqa: ARG002
        gates = self.input_weights @ signal + self.state_weights @ self._state + self.bias
        n = len(self._state)
        enter, keep, leave = logistic(gates[:n]), logistic(gates[n : 2 * n]), logistic(gates[3 * n :])
        self._memory = keep * self._memory + enter * np.tanh(gates[2 * n : 3 * n])
        self._state = leave * np.tanh(self._memory)
        return self.readout @ self._state + self.readout_bias

    def _take(self, weights: dict[str, Floats]) -> None:
        self.input_weights, self.state_weights = weights["weight_ih_l0"], weights["weight_hh_l0"]
        self.bias = weights["bias_ih_l0"] + weights["bias_hh_l0"]
