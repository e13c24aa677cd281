"""The truth as a decoder: the ceiling of every score, and the floor of every latency."""

from __future__ import annotations

import numpy as np

from engine.decoders.base import N_KINEMATICS, Counts, Decoder, Floats


class Passthrough(Decoder):
    """Answers with the true kinematics."""

    key = "passthrough"
    uses_truth = True

    def predict(self, counts: Counts, truth: Floats | None = None) -> Floats:  # noqa: ARG002
        return np.full(N_KINEMATICS, np.nan) if truth is None else np.array(truth, np.float64)
