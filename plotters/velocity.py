"""The cursor's velocity over time."""

from __future__ import annotations

import numpy as np

from plotters.kinematics import Traces

MARGIN = 0.05
"""Share of the highest velocity that is left free on either side."""


class Velocity(Traces):
    """x and y of the true cursor's velocity."""

    name = "velocity"
    title = "Cursor velocity"
    first = 2
    quantity = "Velocity"

    @property
    def unit(self) -> str:
        return f"{super().unit}/s"

    def ends(self) -> tuple[float, float]:
        speeds = np.abs(self.scene.recording.kinematics[:, 2:])
        speeds = speeds[np.isfinite(speeds)]
        end = (1 + MARGIN) * float(speeds.max(initial=0.0)) or 1.0
        return -end, end
