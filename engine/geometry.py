"""Where the electrodes of an array are."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

PITCH: Final = 0.4
"""Between neighbours, mm."""
UTAH: Final = 96
"""Electrodes of a Utah array that are wired: 10 x 10 without the corners."""

Places = npt.NDArray[np.float32]


@lru_cache(maxsize=16)
def places(n_channels: int) -> Places:
    """Where the electrode of each channel is, seen from above, shape (n_channels, 2), mm.

    96 channels are a Utah array: 10 x 10 electrodes, 0.4 mm apart, of which the corners are not wired
    (Maynard, Nordhausen, Normann 1997, *Electroencephalogr. Clin. Neurophysiol.* 102, 228). Others fill
    the smallest square that holds them. Channels are counted row by row, from the upper left; which
    channel of a real array is where, the map that comes with it says.

    The lower left electrode of the square is at (0, 0).
    """
    side = math.isqrt(n_channels - 1) + 1
    corners = {0, side - 1, side * (side - 1), side * side - 1} if n_channels == UTAH else set()
    cells = np.array([each for each in range(side * side) if each not in corners][:n_channels])
    made = (PITCH * np.column_stack([cells % side, side - 1 - cells // side])).astype(np.float32)
    made.flags.writeable = False
    return made
