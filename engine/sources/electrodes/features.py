"""Features of the newest bins: what decoders may want beside threshold crossings."""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

from engine.broadband import Floats32

KEPT: Final = 20.0
"""Seconds."""


class Featured(NamedTuple):
    """A bin's, shape (n_channels, 2 + n_components), as `engine.stages.detection.found` has them."""

    number: int
    features: Floats32


def feature_names(n_components: int) -> list[str]:
    """Of the columns."""
    components = (f"component_{i + 1}" for i in range(n_components))
    return ["threshold_crossings", "spike_band_power", *components]


class FeatureLog:
    """Those of bins, which are numbered from 0. One thread adds, ahead of their time; any thread reads.

    Parameters
    ----------
    bin_rate : float
        Bins per second.
    """

    def __init__(self, bin_rate: float) -> None:
        self._kept: deque[Featured] = deque(maxlen=max(round(KEPT * bin_rate), 2))

    def add(self, number: int, features: Floats32) -> None:
        self._kept.append(Featured(number, features))

    def between(self, first: int, stop: int) -> list[Featured]:
        """Those that are kept of bins from `first` on, before `stop`."""
        return [each for each in list(self._kept) if first <= each.number < stop]
