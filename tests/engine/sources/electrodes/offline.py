"""Voltages of a recording without source, deck or clock: what streams of them must equal."""

from __future__ import annotations

import math

import numpy as np

from engine.broadband import SAMPLING_RATE, Counts16, Engine
from engine.sources.electrodes.array import ElectrodeArray
from engine.sources.electrodes.settings import Electrodes
from engine.sources.electrodes.trains import Fed, scattered
from engine.sources.recordings.recording import Recording


def offline(
    recording: Recording, settings: Electrodes, n_bins: int, engine: Engine | None = None
) -> Counts16:
    """All samples of the first bins in one piece, of a recording that has counts alone."""
    trains, rng = Fed(recording.n_units), np.random.default_rng((settings.seed, 1))
    edges = [math.ceil(k * SAMPLING_RATE / recording.bin_rate) for k in range(n_bins + 2)]
    for k in range(n_bins + 1):  # a spike begins before its trough, maybe in the bin before
        counts = recording.counts[k % recording.n_bins]
        samples, units = scattered(counts, edges[k + 1] - edges[k], rng)
        trains.feed(edges[k] + samples, units)
    return ElectrodeArray(settings, trains, engine).read(edges[n_bins]).voltages
