"""Finds the spikes of a whole recording, faster than real time."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.bins.ticks import as_rate
from engine.bins.troughs import Troughs
from engine.broadband import first_sample
from engine.found.orders import TAKE, TIMES, detection_of, electrodes_of, n_bins_of, voltages_of
from engine.making import Arrays
from engine.sources.electrodes.array import ElectrodeArray
from engine.sources.electrodes.playing import Playing
from engine.sources.electrodes.settings import Electrodes
from engine.sources.electrodes.signal import Piece, Replayed, Signal, Simulated
from engine.sources.recordings.spike_times import SpikeTimes
from engine.stages.detection.detector import Detector

TOLD_EVERY: Final = 0.01
"""Of the whole, how far it is told."""


def find(order: Arrays, tell: Callable[[float], None]) -> npt.NDArray[np.uint16]:
    """Threshold crossings on each channel in each bin, shape (n_bins, n_channels).

    The electrodes are those of a session of the same settings, and so are their units; noise, jitter, and
    all else that is at random from spike to spike is another take.

    Parameters
    ----------
    order : mapping of arrays
        See `engine.found.orders`.
    tell : function
        Is told how far it is, from 0 to 1.
    """
    electrodes, bin_rate = electrodes_of(order), float(order["bin_rate"])
    n_channels = electrodes.n_channels
    detector = Detector(n_channels, electrodes.microvolts_per_count, detection_of(order), bin_rate=bin_rate)
    n_bins = n_bins_of(order)
    counts = np.zeros((n_bins, n_channels), np.uint16)
    every = max(round(TOLD_EVERY * n_bins), 1)
    with closing(_signal(order, electrodes, bin_rate)) as signal:
        for number in range(n_bins):
            voltages, _, there = signal.read(range(number, number + 1))
            (found,) = detector.process(voltages, there).bins
            counts[number] = found.counts
            if number % every == 0:
                tell(number / n_bins)
    return counts


def _signal(order: Arrays, electrodes: Electrodes, bin_rate: float) -> Signal:
    if "intention" in order:
        return Moving(order["intention"], electrodes, bin_rate)
    if "voltages" in order:
        start_time, scale = float(order["start_time"]), electrodes.microvolts_per_count
        return Replayed(voltages_of(order), start_time, n_bins_of(order), bin_rate, scale)
    within = SpikeTimes(*(order[name] for name in TIMES)).within if "ticks" in order else None
    trains = Playing(order["counts"], bin_rate, within, electrodes.seed, TAKE)
    return Simulated(trains, electrodes, take=TAKE)


class Moving:
    """Voltages of units that fire for an intention.

    Parameters
    ----------
    intention : ndarray of float64, shape (n_bins, 2)
    electrodes : Electrodes
    bin_rate : float
        Bins per second.
    """

    truth = True

    def __init__(self, intention: npt.NDArray[np.float64], electrodes: Electrodes, bin_rate: float) -> None:
        self._intention, self._rate = intention, as_rate(bin_rate)
        self._array = ElectrodeArray(electrodes, take=TAKE)

    def edge(self, number: int) -> int:
        return first_sample(number, self._rate)

    def read(self, numbers: range) -> Piece:
        self._array.intend(self._intention[numbers.start])
        block = self._array.read(self.edge(numbers.stop) - self.edge(numbers.start))
        return Piece(
            block.voltages, Troughs(block.spikes.samples, self._array.channels[block.spikes.units])
        )

    def change(self, settings: Electrodes) -> None:
        self._array.change(settings)

    def close(self) -> None:
        """Nothing is open."""
