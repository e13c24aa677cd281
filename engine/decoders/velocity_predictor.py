"""The truth of a while ago, carried on: what smooth movement alone explains."""

from __future__ import annotations

from engine.decoders.base import POSITION, VELOCITY, Counts, Floats
from engine.decoders.delayed import Delayed


class VelocityPredictor(Delayed):
    """Carries the cursor of some time before on at the velocity that it had: ``x + v t``, ``v``.

    No spike is looked at: a neural decoder that does worse has told nothing that smooth movement
    did not.
    """

    key = "velocity_predictor"

    def predict(self, counts: Counts, truth: Floats | None = None) -> Floats:
        before = super().predict(counts, truth)
        seconds = round(self.delay_ms / 1000 * self.bin_rate) / self.bin_rate
        carried = before.copy()
        carried[[*POSITION]] += seconds * before[[*VELOCITY]]
        return carried
