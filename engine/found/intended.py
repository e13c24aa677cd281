"""Electrodes for whoever intends something: their units fire for it, and their spikes are found."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from engine.bins.ticks import as_rate
from engine.broadband import first_sample, load_ahead
from engine.sources.electrodes.array import ElectrodeArray
from engine.sources.electrodes.settings import Electrodes
from engine.stages.detection.detector import Detector

SIGNAL: Final = 0.1
"""Seconds that are simulated for an intention."""
SETTLED: Final = 1.0
"""Seconds at rest before the first, in which the noise becomes known."""
TAKE: Final = 2
"""Neither that of sessions nor that which is learned from."""


class Intended:
    """Electrodes that go on from intention to intention, 100 ms each. For one thread at a time.

    Parameters
    ----------
    electrodes : Electrodes
    bin_rate : float
        Bins per second.
    """

    def __init__(self, electrodes: Electrodes, bin_rate: float) -> None:
        load_ahead()
        self._rate = as_rate(bin_rate)
        self._array = ElectrodeArray(electrodes, take=TAKE)
        self._detector = Detector(electrodes.n_channels, electrodes.microvolts_per_count, bin_rate=bin_rate)
        self._n_bins = bins_of_signal(bin_rate)
        self._bin = 0
        self._next(max(round(SETTLED * bin_rate), 1))

    def counts(self, intention: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """What is found in the next 100 ms, shape (n_bins, n_channels).

        Parameters
        ----------
        intention : array of float, shape (2,) or (n_channels,)
            As `ElectrodeArray.intend` takes it.

        Raises
        ------
        BadSetting
            If it has another shape.
        """
        self._array.intend(intention)
        return self._next(self._n_bins)

    def _next(self, n_bins: int) -> npt.NDArray[np.int64]:
        begin, self._bin = self._bin, self._bin + n_bins
        n_samples = first_sample(self._bin, self._rate) - first_sample(begin, self._rate)
        found = self._detector.process(self._array.read(n_samples).voltages)
        return np.array([each.counts for each in found.bins])


def bins_of_signal(bin_rate: float) -> int:
    """How many bins an intention lasts."""
    return max(round(SIGNAL * bin_rate), 1)
