"""The cursor's position over time."""

from __future__ import annotations

import numpy as np

from plotters.kinematics import Traces

MARGIN = 0.08
"""Share of the range of positions that is left free on either side."""


class Position(Traces):
    """x and y of the true cursor."""

    name = "position"
    title = "Cursor position"
    first = 0
    quantity = "Position"

    def ends(self) -> tuple[float, float]:
        known = self.scene.recording.kinematics[:, :2]
        known = known[np.isfinite(known)]
        if not len(known):
            return -1.0, 1.0
        low, high = float(known.min()), float(known.max())
        margin = MARGIN * (high - low) or 1.0
        return low - margin, high + margin
