"""The truth of a while ago: what a given delay alone costs."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
import param

from engine.decoders.base import N_KINEMATICS, Counts, Decoder, Floats


class Delayed(Decoder):
    """Answers with the true kinematics of some time before, in whole bins; nothing before there are any."""

    key = "delayed"
    uses_truth = True

    delay_ms = param.Number(default=100.0, bounds=(0.0, 5000.0), doc="How long before, in ms.")

    def __init__(self, bin_rate: float, **settings: Any) -> None:
        super().__init__(bin_rate, **settings)
        self.reset()

    def reset(self) -> None:
        bins = round(self.delay_ms / 1000 * self.bin_rate)
        self._past: deque[Floats] = deque(maxlen=bins + 1)

    def predict(self, counts: Counts, truth: Floats | None = None) -> Floats:  # noqa: ARG002
        nothing = np.full(N_KINEMATICS, np.nan)
        self._past.append(nothing if truth is None else np.array(truth, np.float64))
        return self._past[0] if len(self._past) == self._past.maxlen else nothing
