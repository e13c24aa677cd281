"""What electrodes show of a recording, bin after bin, again and again: voltages, and their truth."""

from __future__ import annotations

from typing import Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from engine.bins.ticks import as_rate
from engine.bins.troughs import Troughs
from engine.broadband import SAMPLING_RATE, Counts16, Engine, Samples, first_sample
from engine.files.voltages import BLOCK, VoltageReader, VoltageSeries
from engine.sources.electrodes.array import ElectrodeArray
from engine.sources.electrodes.playing import Within
from engine.sources.electrodes.settings import Electrodes
from engine.sources.electrodes.trains import Trains

There = npt.NDArray[np.bool_]
SETTLES: Final = SAMPLING_RATE // 100
"""Samples after a gap in which nothing is found: where voltages have jumped, the band-pass rings."""


class Piece(NamedTuple):
    """Voltages of some bins.

    Attributes
    ----------
    voltages : ndarray of int16, shape (n, n_channels)
    true : Troughs
        Of the spikes that begin in them, as far as they are known.
    there : ndarray of bool, shape (n,), optional
        Samples in which spikes can be found; None if in all.
    """

    voltages: Counts16
    true: Troughs
    there: There | None = None


class Signal(Protocol):
    """Voltages to come. For one thread."""

    @property
    def truth(self) -> bool:
        """Whether it is known which spikes are in them."""
        ...

    def edge(self, number: int) -> int:
        """The first sample of a bin; bins are counted on from lap to lap."""
        ...

    def read(self, numbers: range) -> Piece:
        """The next bins."""
        ...

    def change(self, settings: Electrodes) -> None:
        """Go on with other settings."""
        ...

    def close(self) -> None: ...


class BinTrains(Trains, Protocol):
    """Spikes to come, as they are told bin by bin."""

    def edge(self, number: int) -> int:
        """The first sample of a bin."""
        ...

    def feed_up_to(self, number: int) -> None:
        """Let the units fire in all bins before this one, and in this one as far as that is known."""
        ...


class Simulated:
    """Those that spikes make at simulated electrodes.

    Parameters
    ----------
    trains : BinTrains
    settings : Electrodes
    engine : {"numba", "scipy"}, optional
    take : int
        Another one has the same electrodes and units, and other noise and jitter.
    """

    truth = True

    def __init__(
        self, trains: BinTrains, settings: Electrodes, engine: Engine | None = None, take: int = 0
    ) -> None:
        self._trains = trains
        self._array = ElectrodeArray(settings, trains, engine, take)
        self.edge, self.change = trains.edge, self._array.change

    def read(self, numbers: range) -> Piece:
        self._trains.feed_up_to(numbers.stop)
        block = self._array.read(self.edge(numbers.stop) - self.edge(numbers.start))
        true = Troughs(block.spikes.samples, self._array.channels[block.spikes.units])
        return Piece(block.voltages, true)

    def close(self) -> None:
        """Nothing is open."""


class Replayed:
    """Those of a recording's file, with the spikes of its units as truth.

    Where there are none, the last ones are held.

    Parameters
    ----------
    voltages : VoltageSeries
    start_time : float
        Of bin 0, s of the file.
    n_bins : int
        After which they begin again.
    bin_rate : float
        Bins per second.
    microvolts_per_count : float
        Where the file has no counts of its own.
    within : function, optional
        Gives the spikes of a bin; None where that is not known.
    block : int
        Rows that are read together.
    """

    def __init__(
        self,
        voltages: VoltageSeries,
        start_time: float,
        n_bins: int,
        bin_rate: float,
        microvolts_per_count: float,
        within: Within | None = None,
        block: int = BLOCK,
    ) -> None:
        self._n_bins, self._rate = n_bins, as_rate(bin_rate)
        self._laid = voltages.stretches.laid(start_time)
        self._within, self._unit_channels = within, voltages.unit_channels
        self._reader = VoltageReader(voltages, microvolts_per_count, block)
        self._held_until = -SETTLES - 1

    @property
    def truth(self) -> bool:
        return self._within is not None and self._unit_channels is not None

    def edge(self, number: int) -> int:
        return first_sample(number, self._rate)

    def read(self, numbers: range) -> Piece:
        voltages, there, true = [], [], [Troughs.none()]
        for number in numbers:
            lap, place = divmod(number, self._n_bins)
            begin, end = self.edge(number), self.edge(number + 1)
            samples = np.arange(begin, end)
            rows, own = self._laid.at(samples - self.edge(lap * self._n_bins))
            voltages.append(self._rows(rows))
            there.append(self._settled(samples, own))
            true.append(self._true(place, begin))
        joined = Troughs(*(np.concatenate(each) for each in zip(*true, strict=True)))
        return Piece(np.concatenate(voltages), joined, np.concatenate(there))

    def change(self, settings: Electrodes) -> None:
        """Nothing can be changed of what is recorded."""

    def close(self) -> None:
        self._reader.close()

    def _rows(self, rows: Samples) -> Counts16:
        first, stop = int(rows[0]), int(rows[-1]) + 1
        found = self._reader.read(first, stop)
        return found if (np.diff(rows) == 1).all() else found[rows - first]

    def _settled(self, samples: Samples, own: There) -> There:
        """Which samples are there, and not just after one that was not."""
        missing = np.where(own, self._held_until, samples)
        held = np.maximum.accumulate(missing)
        self._held_until = int(held[-1])
        settled: There = samples - held > SETTLES
        return settled

    def _true(self, place: int, begin: int) -> Troughs:
        if self._within is None or self._unit_channels is None:
            return Troughs.none()
        seconds, units = self._within(place)
        channels = self._unit_channels[units]
        samples = begin + np.rint(seconds * SAMPLING_RATE).astype(np.int64)
        return Troughs(samples[channels >= 0], channels[channels >= 0])
