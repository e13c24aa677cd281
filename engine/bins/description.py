"""What is known of bins beside their rows, whatever makes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from engine.bins.trials import Trial


class Description(Protocol):
    """The units of a session's bins, and what its numbers mean.

    Attributes
    ----------
    name : str
        Where the bins come from.
    sha256 : str
        Of that file, in hexadecimal.
    synthetic : bool
    start_time : float
        Of bin 0, in the seconds of the source's clock.
    channel_names : tuple of str, one a unit
    bin_rate : float
        Bins per second.
    length_unit : str
        Of positions; velocities are per second.
    trials : sequence of Trial
        ``rows["trial"]`` is an index into them.
    go_bins : tuple of int
        The first bin of each trial from which a hit counts; -1 where there is none.
    kinematics : ndarray of float32, shape (n, 4)
        x, y, vx, vy that are usual for it; NaN where missing.
    observed : ndarray of bool, shape (n,)
        Which of them were recorded.
    """

    @property
    def name(self) -> str: ...
    @property
    def sha256(self) -> str: ...
    @property
    def synthetic(self) -> bool: ...
    @property
    def start_time(self) -> float: ...
    @property
    def channel_names(self) -> tuple[str, ...]: ...
    @property
    def bin_rate(self) -> float: ...
    @property
    def length_unit(self) -> str: ...
    @property
    def trials(self) -> Sequence[Trial]: ...
    @property
    def go_bins(self) -> tuple[int, ...]: ...
    @property
    def kinematics(self) -> npt.NDArray[np.float32]: ...
    @property
    def observed(self) -> npt.NDArray[np.bool_]: ...
