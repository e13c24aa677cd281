"""Finds the spikes of a whole recording, faster than real time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.bins.ticks import as_rate
from engine.broadband import first_sample
from engine.found.orders import TAKE, TIMES, detection_of, electrodes_of
from engine.making import Arrays
from engine.sources.electrodes.array import ElectrodeArray
from engine.sources.electrodes.playing import Playing, Within
from engine.sources.electrodes.settings import Electrodes
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
    n_channels, rate = electrodes.n_channels, as_rate(bin_rate)
    prepare, array = (_playing if "counts" in order else _moving)(order, electrodes, bin_rate)
    detector = Detector(n_channels, electrodes.microvolts_per_count, detection_of(order), bin_rate=bin_rate)
    n_bins = len(order["counts" if "counts" in order else "intention"])
    counts = np.zeros((n_bins, n_channels), np.uint16)
    every = max(round(TOLD_EVERY * n_bins), 1)
    for number in range(n_bins):
        prepare(number)
        block = array.read(first_sample(number + 1, rate) - first_sample(number, rate))
        (found,) = detector.process(block.voltages).bins
        counts[number] = found.counts
        if number % every == 0:
            tell(number / n_bins)
    return counts


Prepare = Callable[[int], object]
"""Has the units fire in a bin as they are to."""


def _playing(order: Arrays, electrodes: Electrodes, bin_rate: float) -> tuple[Prepare, ElectrodeArray]:
    within: Within | None = None
    if "ticks" in order:
        within = SpikeTimes(*(order[name] for name in TIMES)).within
    trains = Playing(order["counts"], bin_rate, within, electrodes.seed, TAKE)
    return lambda number: trains.feed_up_to(number + 1), ElectrodeArray(electrodes, trains, take=TAKE)


def _moving(order: Arrays, electrodes: Electrodes, _: float) -> tuple[Prepare, ElectrodeArray]:
    array = ElectrodeArray(electrodes, take=TAKE)
    return lambda number: array.intend(order["intention"][number]), array
