"""Voltages in a file: what is known of them, and their samples, read block by block."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.bins.ticks import as_rate
from engine.broadband import SAMPLING_RATE, Counts16, first_samples
from engine.files.hdf5 import opened
from engine.files.rows import rows_of
from engine.files.sealed import SEALED, unsealed
from engine.files.stretches import NOWHERE, Floats, Stretches

BLOCK: Final = SAMPLING_RATE // 4
"""Rows that are read together, or a multiple of the chunks in which the file has them."""
LIMITS: Final = np.iinfo(np.int16)


@dataclass(frozen=True, eq=False)
class Conversion:
    """How samples become voltages: ``sample * gain + offset``, as NWB has it.

    Attributes
    ----------
    gains : ndarray of float64, shape (n_channels,)
        uV.
    offset : float
        uV.
    shift : int or None
        What makes counts of 16 bits of samples that have as many, of all channels alike: with 0 they stay
        as they are. None where that cannot be; then voltages are rounded to counts.
    """

    gains: Floats
    offset: float
    shift: int | None

    @classmethod
    def of(cls, dtype: np.dtype[Any], gains: Floats, offset: float) -> Conversion:
        """That of samples of a type."""
        shift = None
        if dtype.kind in "iu" and gains[0] > 0 and (gains == gains[0]).all():
            wanted = round(offset / float(gains[0]))
            own = np.iinfo(dtype)
            if own.min + wanted >= LIMITS.min and own.max + wanted <= LIMITS.max:
                shift = wanted
        return cls(gains, offset, shift)

    @property
    def microvolts_per_count(self) -> float | None:
        """Of counts that are the file's own, to 12 digits; None where it has none."""
        return None if self.shift is None else float(f"{self.gains[0]:.12g}")

    def counts(self, samples: npt.NDArray[Any], microvolts_per_count: float) -> Counts16:
        """Samples as counts, shape (n, n_channels); of so many uV where they have none of their own."""
        if self.shift == 0:
            return np.asarray(samples, np.int16)
        if self.shift is not None:
            return np.asarray(samples.astype(np.int32) + self.shift, np.int16)
        scaled = samples * (self.gains / microvolts_per_count).astype(np.float32)
        scaled = np.nan_to_num(scaled + np.float32(self.offset / microvolts_per_count), copy=False)
        return np.asarray(np.clip(np.rint(scaled), LIMITS.min, LIMITS.max), np.int16)


@dataclass(frozen=True, eq=False)
class VoltageSeries:
    """Voltages of a recording, which stay in its file.

    Attributes
    ----------
    path : Path
        Of the file that holds them.
    place : str
        Of the dataset in it.
    name : str
        Of the series.
    n_channels, n_samples : int
    rate : float
        Hz.
    channel_names : tuple of str
    misfit : str
        Why they cannot be played, in words that go on from "its voltages"; empty if they can. What follows
        is then not known.
    stretches : Stretches
    conversion : Conversion
    unit_channels : ndarray of int32, shape (n_units,), optional
        The channel of each of the recording's units, -1 where it has none; None where no unit has one.
    """

    path: Path
    place: str
    name: str
    n_channels: int
    n_samples: int
    rate: float
    channel_names: tuple[str, ...] = ()
    misfit: str = ""
    stretches: Stretches = NOWHERE
    conversion: Conversion = Conversion(np.zeros(0), 0.0, None)
    unit_channels: npt.NDArray[np.int32] | None = None

    @property
    def seconds(self) -> float:
        """That they last, gaps left out."""
        return self.n_samples / self.rate

    def coverage(self, start_time: float, n_bins: int, bin_rate: float) -> Floats:
        """How much of each bin has voltages, 0 to 1, shape (n_bins,), from a time of the file on, s."""
        edges = first_samples(n_bins, as_rate(bin_rate))
        return self.stretches.laid(start_time).coverage(edges)


class VoltageReader:
    """Reads them, a block at a time; at most two blocks are in memory. For one thread.

    Parameters
    ----------
    voltages : VoltageSeries
        Which can be played.
    microvolts_per_count : float
        Of the counts, where the file has none of its own.
    block : int
        Rows that are read together; as many more as fill the file's chunks.

    Raises
    ------
    OSError, RecordingError
        If the file cannot be opened any more.
    """

    def __init__(self, voltages: VoltageSeries, microvolts_per_count: float, block: int = BLOCK) -> None:
        path = voltages.path
        file = opened(unsealed(path) if path.suffix == SEALED else path)
        chunk = (file[voltages.place].chunks or (1,))[0]
        self._rows = rows_of(file, voltages.place, path)
        self._counts, self._scale = voltages.conversion.counts, microvolts_per_count
        self._block = -(-block // chunk) * chunk
        self._number = -1
        self._held: Counts16 = np.zeros((0, voltages.n_channels), np.int16)

    def read(self, first: int, stop: int) -> Counts16:
        """Rows from `first` on, before `stop`, shape (n, n_channels), which nobody changes any more."""
        parts = []
        for number in range(first // self._block, -(-stop // self._block)):
            begin = number * self._block
            parts.append(self._of(number)[max(first - begin, 0) : stop - begin])
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def close(self) -> None:
        self._rows.close()

    def _of(self, number: int) -> Counts16:
        if number != self._number:
            rows = self._rows.read(number * self._block, (number + 1) * self._block)
            self._held = self._counts(rows, self._scale)
            self._number = number
        return self._held
