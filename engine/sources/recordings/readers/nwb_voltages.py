"""Voltages of electrodes in an NWB file: an ElectricalSeries, of which no sample is read here."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
from hdmf.common import DynamicTable, DynamicTableRegion, VectorIndex
from pynwb import NWBFile
from pynwb.ecephys import ElectricalSeries, SpikeEventSeries
from pynwb.misc import Units

from engine.broadband import MICROVOLTS_PER_COUNT, MOST_CHANNELS
from engine.files.stretches import Floats, Stretches, Unplayable
from engine.files.voltages import Conversion, VoltageSeries
from engine.sources.recordings.readers.hdf5 import MOST_CELLS, Unreadable, missing_filter, values
from engine.sources.recordings.readers.nwb_answers import is_record
from engine.sources.recordings.readers.series import Candidate

log = logging.getLogger(__name__)

MICROVOLTS = 1e6
"""Of a volt, in which NWB has them."""
LOST = "lost_voltages"
"""Table of a record."""
NOTHING = np.zeros((0, 2))
ODD = (AttributeError, IndexError, KeyError, OSError, RuntimeError, TypeError, ValueError)
"""What pynwb and h5py raise of parts that are missing or do not fit."""
MOST_CHUNK = 2**28
"""Bytes of the file's chunks beside each other, which are read together."""


def find_voltages(
    path: Path, nwb: NWBFile, candidates: Sequence[Candidate], units: Units | None, sealed: bool
) -> VoltageSeries | None:
    """The voltages of a file: of several series the first that can be played, those of acquisition first.

    Parameters
    ----------
    path : Path
        Of the file.
    nwb : NWBFile
    candidates : sequence of Candidate
        Its series.
    units : Units or None
        Those of the recording.
    sealed : bool
        Whether the file is encrypted.
    """
    there = [each for each in candidates if _is_voltages(each.series)]
    there.sort(key=lambda each: not each.path.startswith("acquisition/"))
    lost = _lost(nwb) if there else NOTHING
    found = [_described(path if sealed else None, each.series, units, lost) for each in there]
    return next((each for each in found if not each.misfit), found[0] if found else None)


def _is_voltages(series: Any) -> bool:
    return (
        isinstance(series, ElectricalSeries)
        and not isinstance(series, SpikeEventSeries)  # snippets
        and isinstance(series.data, h5py.Dataset)
        and series.data.ndim in (1, 2)
        and series.data.dtype.kind in "iuf"
        and 0 not in series.data.shape
    )


def _lost(nwb: NWBFile) -> Floats:
    """What a record lacks of its voltages, in whose place it has zeros: begin and end, s, shape (n, 2)."""
    table = nwb.processing["record"].data_interfaces.get(LOST) if is_record(nwb) else None
    if table is None:
        return NOTHING
    return np.column_stack([values(table[name].data) for name in ("start_time", "stop_time")])


def _described(path: Path | None, series: Any, units: Units | None, lost: Floats) -> VoltageSeries:
    data = series.data
    found = VoltageSeries(
        path=(path or Path(data.file.filename)).resolve(),
        place=str(data.name),
        name=series.name,
        n_channels=1 if data.ndim == 1 else data.shape[1],
        n_samples=len(data),
        rate=float(series.rate or np.nan),
    )
    try:
        return _timed(found, series, units, lost)
    except Unplayable as fault:
        return replace(found, misfit=str(fault))
    except Unreadable as fault:
        return replace(found, misfit=f"cannot be read: a part of them {fault}")
    except ODD as fault:
        log.debug("What is odd about %s", series.name, exc_info=fault)
        return replace(found, misfit=f"cannot be read: {series.name} is not as NWB has it. Write it again")


def _timed(found: VoltageSeries, series: Any, units: Units | None, lost: Floats) -> VoltageSeries:
    """With all that is needed to play them.

    Raises
    ------
    Unplayable, Unreadable
    """
    n_channels, data = found.n_channels, series.data
    if n_channels > MOST_CHANNELS:
        raise Unplayable(f"are of {n_channels} channels; at most {MOST_CHANNELS} can be. Choose some")
    if lacking := missing_filter(data):
        raise Unreadable(lacking)
    chunk = data.chunks[0] * n_channels * data.dtype.itemsize if data.chunks else 0
    if chunk > MOST_CHUNK:
        raise Unplayable(
            f"lie in chunks of {chunk / 1e6:.0f} MB; at most {MOST_CHUNK / 1e6:.0f} are read together. "
            "Write them in smaller ones"
        )
    gains = np.full(n_channels, series.conversion * MICROVOLTS, np.float64)
    if series.channel_conversion is not None:
        gains *= values(series.channel_conversion, most=MOST_CELLS)
    offset = float(series.offset) * MICROVOLTS
    if not (np.isfinite(gains).all() and gains.all() and np.isfinite(offset)):
        raise Unplayable("have a conversion that is 0 or no number. Repair it")
    conversion = Conversion.of(data.dtype, gains, offset)
    scale, (low, high) = conversion.microvolts_per_count, MICROVOLTS_PER_COUNT
    if scale is not None and not low <= scale <= high:
        raise Unplayable(f"have {scale:g} uV a count; {low:g} to {high:g} can be. Repair their conversion")
    if series.timestamps is None:
        start = 0.0 if series.starting_time is None else float(series.starting_time)
        stretches, rate = Stretches.regular(len(data), found.rate, start), found.rate
    elif len(series.timestamps) != len(data):
        raise Unplayable(f"are {len(data)} samples with {len(series.timestamps)} timestamps. Repair these")
    else:
        stretches, rate = Stretches.stamped(series.timestamps)
    rows = _rows(series.electrodes)
    names = _names(series.electrodes.table, rows)
    if len(rows) != n_channels:
        raise Unplayable(f"are of {n_channels} channels with {len(rows)} electrodes. Repair these")
    return replace(
        found,
        rate=rate,
        channel_names=names,
        stretches=stretches.without(lost) if len(lost) else stretches,
        conversion=conversion,
        unit_channels=None if units is None else _unit_channels(units, rows),
    )


def _names(electrodes: DynamicTable, rows: npt.NDArray[np.int64]) -> tuple[str, ...]:
    """Of channels, as the table has them, else by its ids."""
    if "channel_name" in electrodes.colnames:
        return tuple(map(str, np.asarray(electrodes["channel_name"].data[:])[rows]))
    return tuple(f"electrode {i}" for i in np.asarray(electrodes.id[:])[rows])


def _rows(region: DynamicTableRegion) -> npt.NDArray[np.int64]:
    """In the table of electrodes."""
    return values(region.data, most=MOST_CELLS).astype(np.int64)


def _unit_channels(units: Units, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int32] | None:
    """The channel of each unit, of those whose electrodes have these rows; None if no unit has one."""
    if "electrodes" not in units.colnames:
        return None
    column = units["electrodes"]
    if isinstance(column, VectorIndex):
        ends = values(column.data, most=MOST_CELLS).astype(np.int64)
        near = np.split(_rows(column.target), ends)[: len(ends)]
    else:
        near = list(_rows(column)[:, None])
    channel = {row: i for i, row in enumerate(rows.tolist())}
    found = [next((channel[row] for row in each.tolist() if row in channel), -1) for each in near]
    return np.array(found, np.int32) if max(found, default=-1) >= 0 else None
