"""Networks that were trained elsewhere: a window of counts in, kinematics of its newest bin out."""

from __future__ import annotations

from typing import Any

import numpy as np
import param

from engine.decoders.base import Counts, Floats
from engine.decoders.history import History
from engine.decoders.own.foreign import Foreign


class Windowed(Foreign):
    """Asks a network for each bin about the counts of the last ones.

    It gets float32 of shape (1, lags, n_units), in the order of time, as recurrent and convolutional
    networks have them; what stands before a stretch is 0. Of what it answers, the last two or four numbers
    count: vx, vy of the newest bin, or x, y, vx, vy. A state is not carried from bin to bin: what a
    network must remember stands in its window.
    """

    lags = param.Integer(default=10, bounds=(1, 1000), doc="Bins looked at, the present one among them.")

    @classmethod
    def declared(cls, code: Any, made: Any) -> dict[str, Any]:
        return {**super().declared(code, made), "learned": ()}

    def predict(self, counts: Counts, truth: Floats | None = None) -> Floats:  # noqa: ARG002
        if self._own is None:
            self._own = self._make()
        if self._begins:
            self._begins = False
            self._history = History(len(counts), self._n_lags(len(counts)))
        newest_first = self._history.push(counts.astype(np.float64))[:-1]
        said = self._blaming("the network", lambda: self._ask(newest_first.reshape(-1, len(counts))))
        return self._kinematics(said.reshape(-1, said.shape[-1])[-1])

    def _n_lags(self, n_units: int) -> int:  # noqa: ARG002
        """How many bins the window has."""
        lags: int = self.lags
        return lags

    def _ask(self, newest_first: Floats) -> np.ndarray[Any, Any]:
        """What the network says of a window, shape (lags, n_units), the newest bin first."""
        raise NotImplementedError
