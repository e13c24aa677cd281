"""MATLAB files: arrays by name, spike times in cells, or a struct array of trials.

Names and layouts are in resources/recordings.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from engine.errors import RecordingError
from engine.files.hdf5 import opened
from engine.sources.recordings.readers.array_trials import TABLE
from engine.sources.recordings.readers.arrays import read_contents
from engine.sources.recordings.readers.contents import Contents
from engine.sources.recordings.readers.faults import refuse_contents, refuse_others, refusing
from engine.sources.recordings.readers.mat5 import read_mat5, refuse_mat5
from engine.sources.recordings.readers.mat73 import read_mat73
from engine.sources.recordings.readers.mat_trials import SPIKES, has_spikes, lay_out
from engine.sources.recordings.readers.matlab import (
    Cells,
    Structs,
    Unknown,
    Value,
    as_array,
    as_table,
    without_structs,
)
from engine.sources.recordings.readers.wanted import Wanted

BEGINS = b"matlab 5.0 mat-file"
FEWER = "another struct array comes first; --trials takes this one"
FINGER, CURSOR = "finger_pos", "cursor_pos"


def read_mat(path: Path, wanted: Wanted) -> Contents:
    """Read one file.

    Parameters
    ----------
    path : Path
    wanted : Wanted
        What a person chose.

    Raises
    ------
    RecordingError
        In one line, with the file's name.
    """
    refuse_others(path, own=BEGINS)
    found = dict(without_structs(read_mat73(path) if h5py.is_hdf5(path) else read_mat5(path)))
    arrays = {name: array for name, value in found.items() if (array := as_array(value)) is not None}
    if TABLE in found and (table := as_table(found[TABLE])) is not None:
        arrays[TABLE] = table
    passed_over = tuple(
        {"name": name, "path": name, "reason": value.reason}
        for name, value in found.items()
        if isinstance(value, Unknown)
    )
    trials = {
        name: value for name, value in found.items() if isinstance(value, Structs) and has_spikes(value)
    }
    if trials:
        name = _chosen(path.name, trials, wanted)
        laid, warnings = lay_out(path.name, name, trials[name], arrays)
        contents = read_contents(
            path.name, wanted, laid, table=name, warnings=warnings, passed_over=passed_over
        )
        others = [{"name": o, "path": o, "reason": FEWER} for o in trials if o != name]
        return replace(contents, trials=contents.trials.beside(others))
    _add_trains(arrays, found)
    unit = _fingers_in_mm(arrays) if "length_unit" not in arrays else ""
    return read_contents(path.name, wanted, arrays, unit=unit, passed_over=passed_over)


def refuse_mat(path: Path) -> None:
    """Raise `RecordingError` for what is not a whole MATLAB file."""
    refuse_others(path, own=BEGINS)
    if h5py.is_hdf5(path):
        with refusing(path), opened(path) as file:
            refuse_contents(path, file)
    else:
        refuse_mat5(path)


def _chosen(file_name: str, trials: Mapping[str, Structs], wanted: Wanted) -> str:
    if wanted.trials is not None and wanted.trials not in trials:
        names = ", ".join(trials)
        raise RecordingError(f"{file_name} has no trial table {wanted.trials!r}. It has {names}.")
    return wanted.trials or max(trials, key=lambda name: trials[name].n)


def _add_trains(arrays: dict[str, npt.NDArray[Any]], found: Mapping[str, Value]) -> None:
    """Spike times in cells, a vector each: channels by units, or one a unit."""
    for name in SPIKES:
        cells = found.get(name)
        if not isinstance(cells, Cells) or not all(_is_train(value) for value in cells.values):
            continue
        trains = [np.asarray(value, np.float64).ravel() for value in cells.values]
        n_channels = cells.shape[0]
        by_channel = len(cells.shape) == 2 and min(cells.shape) > 1
        channels = next((arrays[key] for key in ("chan_names", "channel_names") if key in arrays), None)
        names = []
        for i in range(len(trains)):
            row, unit = (i % n_channels, i // n_channels) if by_channel else (i, 0)
            named = channels is not None and channels.size == (n_channels if by_channel else len(trains))
            channel = str(channels.ravel()[row]) if named and channels is not None else f"unit {row}"
            names.append(f"{channel}.{unit}" if by_channel else channel)
        kept = [i for i, train in enumerate(trains) if len(train) or not by_channel]
        arrays["spike_times"] = np.concatenate([np.empty(0), *(trains[i] for i in kept)])
        arrays["spike_times_index"] = np.cumsum([len(trains[i]) for i in kept])
        arrays["channel_names"] = np.array([names[i] for i in kept], np.str_)
        arrays.pop(name, None) if name != "spike_times" else None
        return


def _is_train(value: Value) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in "iuf"


def _fingers_in_mm(arrays: dict[str, npt.NDArray[Any]]) -> str:
    """Of O'Doherty's reaching data, the unit: the cursor is in mm, the finger (z, -x, -y, ...) in cm.

    https://doi.org/10.5281/zenodo.788569
    """
    finger = arrays.get(FINGER)
    if finger is None or CURSOR not in arrays or "t" not in arrays or finger.ndim != 2:
        return ""
    if len(finger) != arrays["t"].size:
        finger = finger.T
    if finger.shape[1] in (3, 6) and finger.dtype.kind in "iuf":
        arrays[FINGER] = -10.0 * finger[:, 1:3]
    return "mm"
