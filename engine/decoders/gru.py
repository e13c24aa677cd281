"""GRU: a recurrent network with fewer gates than an LSTM. PyTorch trains it; numpy runs it."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from engine.decoders.base import Floats
from engine.decoders.recurrent import Recurrent, logistic


class Gru(Recurrent):
    """One layer of gated recurrent units (Cho et al. 2014, EMNLP, 1724-1734; as a decoder of movement,
    Glaser et al. 2020, eNeuro 7) and a linear readout.

    ``r, z = s(U c[k] + V h[k-1] + b)``, ``g = tanh(U c[k] + b + r * (V h[k-1] + a))`` and
    ``h[k] = (1 - z) g + z h[k-1]``, with s the logistic function and the rows of U, V and b that belong to
    each.
    """

    key = "gru"
    learned: ClassVar[tuple[str, ...]] = (*Recurrent.learned, "state_bias")
    cell: ClassVar[str] = "GRU"

    state_bias: Floats
    """a, shape (hidden,)."""

    def reset(self) -> None:
        self._state: Floats = np.zeros(self.state_weights.shape[1])

    def _step(self, signal: Floats, truth: Floats | None) -> Floats:  # noqa: ARG002
        n = len(self._state)
        of_input = self.input_weights @ signal + self.bias
        of_state = self.state_weights @ self._state
        gates = logistic(of_input[: 2 * n] + of_state[: 2 * n])
        fresh = np.tanh(of_input[2 * n :] + gates[:n] * (of_state[2 * n :] + self.state_bias))
        self._state = fresh + gates[n:] * (self._state - fresh)
        return self.readout @ self._state + self.readout_bias

    def _take(self, weights: dict[str, Floats]) -> None:
        self.input_weights, self.state_weights = weights["weight_ih_l0"], weights["weight_hh_l0"]
        n = self.state_weights.shape[1]
        of_input, of_state = weights["bias_ih_l0"], weights["bias_hh_l0"]
        self.bias = np.concatenate((of_input[: 2 * n] + of_state[: 2 * n], of_input[2 * n :]))
        self.state_bias = of_state[2 * n :]
