"""Small NWB files for tests, written through pynwb."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pynwb import NWBHDF5IO, NWBFile, TimeSeries
from pynwb.behavior import SpatialSeries
from pynwb.ecephys import ElectricalSeries


def nwb_file(
    spike_times: Iterable[Sequence[float]] = ((0.01, 0.075, 1.5), (0.5,), ()),
    obs_intervals: npt.ArrayLike | None = None,
    **fields: Any,
) -> NWBFile:
    """An NWB file in memory with units and nothing else; `fields` go to `NWBFile`."""
    made = {
        "session_description": "test",
        "identifier": "test",
        "session_start_time": datetime(2024, 1, 1, tzinfo=UTC),
    }
    nwb = NWBFile(**(made | fields))
    for train in spike_times:
        observed = {} if obs_intervals is None else {"obs_intervals": np.asarray(obs_intervals)}
        nwb.add_unit(spike_times=np.asarray(train, np.float64), **observed)
    return nwb


def samples(name: str, values: npt.ArrayLike, unit: str = "mm", **fields: Any) -> TimeSeries:
    """A series at 100 Hz, unless `fields` have timestamps or a rate; spatial if its unit is a length."""
    values = np.asarray(values)
    if "rate" not in fields and "timestamps" not in fields:
        fields["timestamps"] = np.arange(len(values)) / 100
    if "/" in unit or values.ndim > 2:
        return TimeSeries(name=name, data=values, unit=unit, **fields)
    return SpatialSeries(name=name, data=values, unit=unit, reference_frame="centre", **fields)


def ramp(n_samples: int = 201, slope: Sequence[float] = (10.0, -20.0)) -> npt.NDArray[np.float64]:
    """Positions that move evenly: at 100 Hz `slope` is the velocity per second; shape (n, n_dims)."""
    moved: npt.NDArray[np.float64] = np.arange(n_samples)[:, None] / 100 * np.asarray(slope)
    return moved


def add_behavior(nwb: NWBFile, *series: Any) -> NWBFile:
    """Put series, or containers of series, into processing/behavior."""
    if "behavior" not in nwb.processing:
        nwb.create_processing_module("behavior", "test")
    for one in series:
        nwb.processing["behavior"].add(one)
    return nwb


def add_trials(
    nwb: NWBFile,
    spans: Sequence[tuple[float, float]],
    columns: Mapping[str, Sequence[Any]],
    ragged: int = 1,
) -> NWBFile:
    """Fill the trial table; columns of places are indexed `ragged` times (0: not at all)."""
    for name in columns:
        index = {"index": ragged} if name in ("target_pos", "barrier_pos") and ragged else {}
        nwb.add_trial_column(name, "test", **index)
    for row, (start, stop) in enumerate(spans):
        cells = {name: column[row] for name, column in columns.items()}
        nwb.add_trial(start_time=start, stop_time=stop, **cells)
    return nwb


def save(nwb: NWBFile, path: Path) -> Path:
    """Write the file, and return its path."""
    with NWBHDF5IO(path, "w") as io:
        io.write(nwb)
    return path


def small_nwb(path: Path) -> Path:
    """A file in the schema of MC_Maze: 3 units, 2 s at 100 Hz, 2 trials of 1 s with up to 2 targets."""
    nwb = nwb_file(obs_intervals=[[0.0, 0.8], [1.0, 2.02]])
    add_behavior(
        nwb,
        samples("cursor_pos", ramp()),
        samples("hand_pos", ramp() + 5),
        samples("hand_vel", np.tile([10.0, -20.0], (201, 1)), "mm/s"),
    )
    columns = {
        "target_on_time": (0.1, 1.1),
        "go_cue_time": (0.3, 1.3),
        "move_onset_time": (0.5, float("nan")),
        "success": (True, False),
        "num_targets": (2, 1),
        "active_target": (1, 0),
        "trial_type": (4, 5),
        "maze_id": (1, 2),
        "split": ("train", "val"),
        "target_pos": ([[50.0, 0.0], [0.0, 50.0]], [[-50.0, 0.0]]),
        "barrier_pos": ([[25.0, 0.0, 2.0, 9.0], [0.0, 25.0, 9.0, 2.0]], [[-25.0, 0.0, 2.0, 9.0]]),
    }
    return save(add_trials(nwb, ((0.0, 1.0), (1.0, 2.0)), columns, ragged=2), path)


def add_electrodes(nwb: NWBFile, n: int) -> NWBFile:
    """A table of electrodes with the ids 10 and on."""
    device = nwb.create_device("array")
    group = nwb.create_electrode_group("group", "test", "M1", device)
    for i in range(n):
        nwb.add_electrode(id=10 + i, location="M1", group=group)
    return nwb


def voltages(
    nwb: NWBFile, counts: npt.ArrayLike, rows: Sequence[int] = (), name: str = "raw", **fields: Any
) -> ElectricalSeries:
    """A series of electrodes, at 30 kHz and 0.25 uV a count unless `fields` say otherwise.

    Parameters
    ----------
    counts : array, shape (n, n_channels)
    rows : sequence of int
        In the table of electrodes; the first ones if empty.
    """
    values = np.asarray(counts)
    if "rate" not in fields and "timestamps" not in fields:
        fields["rate"] = 30_000.0
    region = nwb.create_electrode_table_region(list(rows) or list(range(values.shape[1])), "test")
    return ElectricalSeries(name=name, data=values, electrodes=region, **{"conversion": 0.25e-6, **fields})
