"""Finds the spikes of a whole recording, faster than real time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.bins.ticks import as_rate
from engine.broadband import Counts16, first_sample
from engine.found.orders import TAKE, TIMES, detection_of, electrodes_of, voltages_of
from engine.making import Arrays
from engine.sources.electrodes.array import ElectrodeArray
from engine.sources.electrodes.settings import Electrodes
from engine.sources.electrodes.signal import Replayed, Signal, Simulated, There
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
    n_bins, read = (_moving if "intention" in order else _playing)(order, electrodes, bin_rate)
    counts = np.zeros((n_bins, n_channels), np.uint16)
    every = max(round(TOLD_EVERY * n_bins), 1)
    for number in range(n_bins):
        (found,) = detector.process(*read(number)).bins
        counts[number] = found.counts
        if number % every == 0:
            tell(number / n_bins)
    return counts


Read = Callable[[int], tuple[Counts16, There | None]]
"""The voltages of a bin, and which of them were recorded; None if they are simulated."""


def _playing(order: Arrays, electrodes: Electrodes, bin_rate: float) -> tuple[int, Read]:
    if "voltages" in order:
        start_time, n_bins = float(order["bins"][0]), int(order["bins"][1])
        scale = electrodes.microvolts_per_count
        signal: Signal = Replayed(voltages_of(order), start_time, n_bins, bin_rate, scale)
    else:
        n_bins, within = len(order["counts"]), None
        if "ticks" in order:
            within = SpikeTimes(*(order[name] for name in TIMES)).within
        signal = Simulated(order["counts"], bin_rate, within, electrodes, take=TAKE)

    def read(number: int) -> tuple[Counts16, There | None]:
        piece = signal.read(range(number, number + 1))
        return piece.voltages, piece.there

    return n_bins, read


def _moving(order: Arrays, electrodes: Electrodes, bin_rate: float) -> tuple[int, Read]:
    array, rate = ElectrodeArray(electrodes, take=TAKE), as_rate(bin_rate)

    def read(number: int) -> tuple[Counts16, None]:
        array.intend(order["intention"][number])
        return array.read(first_sample(number + 1, rate) - first_sample(number, rate)).voltages, None

    return len(order["intention"]), read
