"""Counts of a record as trains of spike times, for programs that know no counts."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from hdmf.common import VectorData, VectorIndex
from pynwb import H5DataIO
from pynwb.misc import Units

DESCRIPTION = (
    "Spikes as they were sent. Their times are known to the bin alone (resolution): those of a bin are "
    "spaced evenly within it. The counts themselves are in processing/ecephys/spike_counts."
)


def spike_times(
    counts: npt.NDArray[np.unsignedinteger[Any]], first: int, bin_rate: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Spikes spaced evenly within their bins: of c, the j-th lies (j + 1/2) / c of a bin after its start.

    Parameters
    ----------
    counts : ndarray of unsigned integers, shape (n_bins, n_units)
    first : int
        Bins before the first one on the record's clock.
    bin_rate : float
        Bins per second.

    Returns
    -------
    times : ndarray of float64, shape (n_spikes,)
        s, of all units one after the other, each in order.
    ends : ndarray of int64, shape (n_units,)
        Unit i has ``times[ends[i - 1]:ends[i]]``.
    """
    ends = np.cumsum(counts.sum(axis=0, dtype=np.int64))
    times = np.empty(int(ends[-1]) if len(ends) else 0)
    for unit, end in enumerate(ends.tolist()):
        column = counts[:, unit]
        bins = np.flatnonzero(column)
        each = column[bins].astype(np.int64)
        n_spikes = int(each.sum())
        place = np.arange(n_spikes) - np.repeat(np.cumsum(each) - each, each)
        within = (place + 0.5) / np.repeat(each, each)
        times[end - n_spikes : end] = (np.repeat(bins, each) + first + within) / bin_rate
    return times, ends


def units_table(
    counts: npt.NDArray[np.unsignedinteger[Any]],
    first: int,
    bin_rate: float,
    names: tuple[str, ...],
) -> Units:
    """The table ``units`` of a record.

    Its observed interval is the whole record: gaps are in ``invalid_times``, as some programs know one
    interval a unit and no more.

    Parameters
    ----------
    counts, first, bin_rate
        As `spike_times` takes them.
    names : tuple of str
        Of the units.
    """
    times, ends = spike_times(counts, first, bin_rate)
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
        values = H5DataIO(data, **packed) if len(data) else data
        column = VectorData(name=name, description=description, data=values)
        columns += [column, VectorIndex(name=f"{name}_index", target=column, data=bounds.astype(np.uint64))]
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
