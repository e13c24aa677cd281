"""Voltages of a record as an ElectricalSeries, which gets the chunks of the journal as they are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import h5py
import numpy as np
from pynwb import H5DataIO, NWBFile
from pynwb.ecephys import ElectricalSeries

from engine.broadband import SAMPLING_RATE
from engine.sinks.record.voltages import Layout, RecordedVoltages

NAME: Final = "ElectricalSeries"
DATA: Final = f"acquisition/{NAME}/data"
LOST: Final = "lost_voltages"
"""Table of what was lost."""


def add_electrical_series(nwb: NWBFile, voltages: RecordedVoltages, channel_names: tuple[str, ...]) -> None:
    """Add the series without its samples, and a table of its electrodes, one a channel."""
    layout = voltages.layout
    device = nwb.create_device(name="array", description="electrodes that PhantomDeck simulates")
    group = nwb.create_electrode_group(
        name="array", description="all electrodes", location="unknown", device=device
    )
    nwb.add_electrode_column("channel_name", "as in the packets that count its spikes")
    for name in channel_names:
        nwb.add_electrode(group=group, location="unknown", channel_name=name)
    everyone = nwb.create_electrode_table_region(list(range(layout.n_channels)), "all electrodes")
    nwb.add_acquisition(
        ElectricalSeries(
            name=NAME,
            description="voltages at the electrodes, before any filter; one column an electrode",
            comments=f"Samples that were lost are zeros; processing/record/{LOST} lists them, if any.",
            data=H5DataIO(
                shape=(voltages.n_samples, layout.n_channels),
                dtype=np.dtype(np.int16),
                chunks=(layout.chunk, layout.n_channels),
                compression="gzip",
                shuffle=True,
            ),
            electrodes=everyone,
            conversion=1e-6 * layout.microvolts_per_count,
            starting_time=voltages.starting_time,
            rate=float(SAMPLING_RATE),
        )
    )


def lost_times(voltages: RecordedVoltages) -> dict[str, list[float]]:
    """Columns of the table of what was lost, s of the record's clock."""
    return {
        "start_time": [start / SAMPLING_RATE for start, _ in voltages.gaps],
        "stop_time": [stop / SAMPLING_RATE for _, stop in voltages.gaps],
    }


def copy_chunks(file: h5py.File, voltages: RecordedVoltages, chunks: Iterable[tuple[int, bytes]]) -> None:
    """Store the samples of a series that was written without; chunks that are missing read as zeros.

    Parameters
    ----------
    file : h5py.File
    voltages : RecordedVoltages
    chunks : iterable of tuple
        The index of the first sample, and what the filters leave of the chunk.
    """
    data = file[DATA].id
    for first, content in chunks:
        data.write_direct_chunk((first - voltages.first, 0), content)


def described_voltages(file: h5py.File) -> RecordedVoltages | None:
    """What a finished record has of voltages; None if it has none."""
    if DATA not in file:
        return None
    data, lost = file[DATA], file.get(f"processing/record/{LOST}")
    edges = () if lost is None else (lost[name][:] for name in ("start_time", "stop_time"))
    starting_time = file[f"acquisition/{NAME}/starting_time"][()]
    return RecordedVoltages(
        layout=Layout(data.shape[1], round(float(1e6 * data.attrs["conversion"]), 12), data.chunks[0]),
        first=_sample(starting_time),
        n_samples=len(data),
        gaps=tuple((_sample(start), _sample(stop)) for start, stop in zip(*edges, strict=True)),
    )


def _sample(time: float) -> int:
    return round(time * SAMPLING_RATE)
