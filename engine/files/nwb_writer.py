"""Arrays -> an NWB file in MC_Maze's schema. The file appears whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
from hdmf.common import VectorData, VectorIndex
from pynwb import NWBHDF5IO, NWBFile, TimeSeries
from pynwb.behavior import SpatialSeries
from pynwb.epoch import TimeIntervals
from pynwb.misc import Units

Column = Sequence[Any] | npt.NDArray[Any]


@dataclass(frozen=True)
class Series:
    """One series of the module ``behavior``; a position where it has a reference frame.

    Attributes
    ----------
    data : ndarray, shape (n_samples, 2)
        In `unit`.
    timestamps : ndarray, shape (n_samples,)
        Seconds. Series that share the array share it in the file too.
    """

    name: str
    data: npt.NDArray[Any]
    timestamps: npt.NDArray[np.float64]
    unit: str
    reference_frame: str = ""


@dataclass(frozen=True)
class Session:
    """What goes into a file.

    Attributes
    ----------
    identifier, description : str
        NWB's ``identifier`` and ``session_description``.
    start : datetime
        With its time zone.
    spike_times : sequence of ndarray
        Seconds, one ascending array a unit.
    obs_intervals : ndarray, shape (n_intervals, 2)
        Seconds; when the units were observed.
    series : sequence of Series
        Kinematics.
    trials : mapping
        Columns of the trial table, ``start_time`` and ``stop_time`` in seconds among them. A column
        whose entries are arrays of differing length becomes a ragged one.
    units : mapping
        Further columns of the unit table.
    descriptions : mapping
        What the columns mean.
    acquisition : sequence of NWBDataInterface
        As it is.
    """

    identifier: str
    description: str
    start: datetime
    spike_times: Sequence[npt.NDArray[np.float64]]
    obs_intervals: npt.NDArray[np.float64]
    series: Sequence[Series]
    trials: Mapping[str, Column]
    units: Mapping[str, Column] = field(default_factory=dict)
    descriptions: Mapping[str, str] = field(default_factory=dict)
    keywords: Sequence[str] = ()
    acquisition: Sequence[Any] = ()


def write_nwb(path: Path, session: Session) -> None:
    """Write a session, replacing the file at `path` in one step.

    Raises
    ------
    OSError
        If the folder cannot be written.
    """
    nwbfile = NWBFile(
        session_description=session.description,
        identifier=session.identifier,
        session_start_time=session.start,
        keywords=list(session.keywords),
    )
    n_units = len(session.spike_times)
    units = dict(session.units) | {
        "spike_times": session.spike_times,
        "obs_intervals": [session.obs_intervals] * n_units,
    }
    nwbfile.units = Units(
        name="units", description="sorted units", **table_columns(units, session.descriptions)
    )
    nwbfile.trials = TimeIntervals(
        name="trials", description="trials", **table_columns(session.trials, session.descriptions)
    )
    behavior = nwbfile.create_processing_module("behavior", "kinematics")
    first: dict[int, TimeSeries] = {}
    for series in session.series:
        behavior.add(_time_series(series, first))
    for each in session.acquisition:
        nwbfile.add_acquisition(each)
    with TemporaryDirectory(prefix=".writing-", dir=path.parent) as scratch:
        unfinished = Path(scratch) / f".{path.name}"  # hidden from those who list recordings
        with NWBHDF5IO(unfinished, "w") as io:
            io.write(nwbfile)
        os.replace(unfinished, path)


def _time_series(series: Series, written: dict[int, TimeSeries]) -> TimeSeries:
    timestamps = written.get(id(series.timestamps), series.timestamps)
    settings = {"name": series.name, "data": series.data, "unit": series.unit, "timestamps": timestamps}
    if series.reference_frame:
        made = SpatialSeries(**settings, reference_frame=series.reference_frame)
    else:
        made = TimeSeries(**settings)
    written.setdefault(id(series.timestamps), made)
    return made


def table_columns(columns: Mapping[str, Column], descriptions: Mapping[str, str]) -> dict[str, Any]:
    """Arguments of a DynamicTable: its columns, the ragged ones with their index."""
    made: list[VectorData] = []
    for name, values in columns.items():
        ragged = isinstance(values[0], np.ndarray)
        column = VectorData(
            name=name,
            description=descriptions.get(name, name),
            data=np.concatenate(values) if ragged else values,
        )
        made.append(column)
        if ragged:
            ends = np.cumsum([len(entry) for entry in values])
            made.append(VectorIndex(name=f"{name}_index", target=column, data=ends))
    return {"columns": made, "colnames": list(columns)}
