"""Counts of a record as trains of spike times, for programs that know no counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from hdmf.common import VectorData, VectorIndex
from pynwb import H5DataIO
from pynwb.misc import Units

from engine.sinks.record.blocks import Blocks, slices
from engine.sinks.record.columns import forget

Counts = npt.NDArray[np.unsignedinteger[Any]]
Integers = npt.NDArray[np.integer[Any]]

SPIKE_BYTES: Final = 64
"""Of one bin's spikes while their times are made, about."""

DESCRIPTION = (
    "Spikes as they were sent. Their times are known to the bin alone (resolution): those of a bin are "
    "spaced evenly within it. The counts themselves are in processing/ecephys/spike_counts."
)


GROUP: Final = 16
"""Units whose counts are in memory at once."""


def spike_times(
    counts: Counts, lost: npt.NDArray[np.bool_] | None, first: int, bin_rate: float
) -> tuple[Blocks, npt.NDArray[np.int64]]:
    """Spikes spaced evenly within their bins: of c, the j-th lies (j + 1/2) / c of a bin after its start.

    Parameters
    ----------
    counts : ndarray of unsigned integers, shape (n_bins, n_units)
    lost : ndarray of bool, shape (n_bins,), optional
        Bins whose spikes nobody got.
    first : int
        Bins before the first one on the record's clock.
    bin_rate : float
        Bins per second.

    Returns
    -------
    times : Blocks of float64, shape (n_spikes,)
        s, of all units one after the other, each in order.
    ends : ndarray of int64, shape (n_units,)
        Unit i has ``times[ends[i - 1]:ends[i]]``.
    """
    n_bins, n_units = counts.shape
    spikes = np.zeros(n_units, np.int64)
    for part in slices(n_bins, n_units):
        there = counts[part] if lost is None else counts[part][~lost[part]]
        spikes += there.sum(axis=0, dtype=np.int64)
        forget(counts)

    def times() -> Iterator[npt.NDArray[np.float64]]:
        for begin in range(0, n_units, GROUP):
            group = np.empty((n_bins, min(GROUP, n_units - begin)), counts.dtype)
            for part in slices(n_bins, n_units):
                group[part] = counts[part, begin : begin + GROUP]
                if lost is not None:
                    group[part][lost[part]] = 0
                forget(counts)
            for column in group.T:
                bins = np.flatnonzero(column)
                for some in slices(len(bins), SPIKE_BYTES):
                    yield _spread(bins[some], column[bins[some]].astype(np.int64), first, bin_rate)

    ends = np.cumsum(spikes)
    return Blocks((int(spikes.sum()),), np.float64, times()), ends


def _spread(bins: Integers, each: Integers, first: int, bin_rate: float) -> npt.NDArray[np.float64]:
    """Times of so many spikes in each of some bins."""
    place = np.arange(int(each.sum())) - np.repeat(np.cumsum(each) - each, each)
    within = (place + 0.5) / np.repeat(each, each)
    return np.asarray((np.repeat(bins, each) + first + within) / bin_rate)


def units_table(
    counts: Counts,
    lost: npt.NDArray[np.bool_] | None,
    first: int,
    bin_rate: float,
    names: tuple[str, ...],
) -> Units:
    """The table ``units`` of a record.

    Its observed interval is the whole record: gaps are in ``invalid_times``, as some programs know one
    interval a unit and no more.

    Parameters
    ----------
    counts, lost, first, bin_rate
        As `spike_times` takes them.
    names : tuple of str
        Of the units.
    """
    times, ends = spike_times(counts, lost, first, bin_rate)
    n_units = len(names)
    packed = {"compression": "gzip", "shuffle": True}
    ragged = {
        "spike_times": ("spike times, s", times, ends),
        "obs_intervals": (
            "from the first bin to the last, s; gaps are in invalid_times",
            np.tile([[first / bin_rate, (first + len(counts)) / bin_rate]], (n_units, 1)),
            np.arange(n_units) + 1,
        ),
    }
    columns: list[VectorData] = []
    for name, (description, data, bounds) in ragged.items():
        values = H5DataIO(data, **packed) if bounds[-1] else np.empty(0)
        column = VectorData(name=name, description=description, data=values)
        # The index first: HDMF looks for the target of one that comes after an iterator in vain.
        columns += [VectorIndex(name=f"{name}_index", target=column, data=bounds.astype(np.uint64)), column]
    texts = {"unit_name": ("as the recording calls the unit", list(names))}
    flags = {"heldout": ("whether the unit is withheld from decoders: none is", [False] * n_units)}
    columns += [
        VectorData(name=name, description=description, data=data)
        for name, (description, data) in {**texts, **flags}.items()
    ]
    return Units(
        name="units",
        description=DESCRIPTION,
        columns=columns,
        id=list(range(n_units)),
        resolution=1.0 / bin_rate,
    )
