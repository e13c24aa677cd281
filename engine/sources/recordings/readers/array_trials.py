"""Trials among the named arrays of a file: a table, or told by what each bin or sample has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.errors import RecordingError
from engine.sources.recordings.kinematics import JUMP, Floats
from engine.sources.recordings.readers.array_spikes import OF_SPIKES, Arrays
from engine.sources.recordings.readers.tables import NAMES, STARTS, STOPS, ColumnTable, plain_name
from engine.sources.recordings.readers.trials import MOST_TRIALS

TABLE = "trial_table"
START = "trial_start"
IDS = ("trial_ids", "trial_id")
TARGETS = ("target", "target_pos", "goal_pos")
"""Where the target is, (n, 2), with a row a bin or a sample."""
COLUMNS = frozenset(plain_name(name) for names in (STARTS, STOPS, *NAMES.values()) for name in names)


def find_tables(
    file_name: str, arrays: Arrays, bins: Floats | None, samples: Floats | None, name: str = "trials"
) -> list[ColumnTable]:
    """Tables of trials, those that say most first.

    Parameters
    ----------
    file_name : str
        For messages.
    arrays : mapping
    bins : ndarray of float64, shape (n_bins, 2), optional
        Start and stop of the rows of the counts, s.
    samples : ndarray of float64, shape (n, 2), optional
        The same of the common timestamps.
    name : str
        Of a table that is made of arrays.

    Raises
    ------
    RecordingError
        If columns of a table are not equally long.
    """
    found = []
    if TABLE in arrays and arrays[TABLE].dtype.names:
        table = arrays[TABLE].ravel()
        found.append(table_of(TABLE, {name: table[name] for name in table.dtype.names or ()}))
    elif START in arrays:
        found.append(table_of(name, _columns(file_name, arrays)))
    for spans in (bins, samples) if not found else ():
        told = None if spans is None else _told(arrays, spans)
        if told is not None:
            return [told]
    return found


def is_of_trials(name: str) -> bool:
    """Whether an array is for the trials, by its name."""
    return name == TABLE or name in TARGETS or name.startswith("trial_") or plain_name(name) in COLUMNS


def table_of(path: str, columns: dict[str, npt.NDArray[Any]]) -> ColumnTable:
    """Columns as a table.

    Parameters
    ----------
    path : str
    columns : dict of str to ndarray, shape (n_trials, ...)
    """
    ids: Sequence[int] = ()
    for name in IDS:
        given = columns.pop(name, np.empty(0))
        if given.ndim == 1 and given.dtype.kind in "iuf" and np.isfinite(given).all() and not ids:
            ids = [int(i) for i in given]
    n_rows = len(next(iter(columns.values()), ()))
    few = n_rows <= MOST_TRIALS  # beyond that they are refused for their number alone
    cells = {
        name: (column.tolist() if column.ndim == 1 else list(column)) if few else [0.0] * n_rows
        for name, column in columns.items()
    }
    return ColumnTable(path, cells, ids)


def _columns(file_name: str, arrays: Arrays) -> dict[str, npt.NDArray[Any]]:
    starts = arrays[START].ravel()
    if starts.dtype.kind not in "iuf":
        raise RecordingError(
            f"{file_name}: {START} is of type {starts.dtype.name}, not times in s. Repair it."
        )
    columns = {START: starts}
    for name, array in arrays.items():
        if not is_of_trials(name) or name in (START, TABLE) or name in OF_SPIKES or not array.ndim:
            continue
        column = array.ravel() if array.size == max(array.shape, default=0) else array
        if len(column) == len(starts) and column.dtype.kind in "biufU":
            columns["target_pos" if name in TARGETS and column.ndim > 1 else name] = column
        elif name == "trial_stop":
            raise RecordingError(
                f"{file_name}: {START} has {len(starts)} trials, but {name} has {len(column)}. Repair them."
            )
    return columns


def _told(arrays: Arrays, spans: Floats) -> ColumnTable | None:
    """Stretches in which the trial, or else the target, stays the same."""
    n = len(spans)
    places = next((arrays[t] for t in TARGETS if t in arrays and arrays[t].shape[:1] == (n,)), None)
    if places is not None and (places.ndim != 2 or places.dtype.kind not in "iuf" or places.shape[1] < 2):
        places = None
    ids = arrays.get("trial_id")
    if ids is not None and (ids.dtype.kind not in "iu" or ids.size != n):
        ids = None
    if ids is not None:
        key, inside = ids.reshape(n, 1), np.asarray(ids.ravel() >= 0)
    elif places is not None:
        key = places[:, :2]
        inside = np.asarray(np.isfinite(key).all(axis=1))
    else:
        return None
    anew = np.ones(n, np.bool_)
    width = float(np.median(spans[:, 1] - spans[:, 0]))
    far = spans[1:, 0] - spans[:-1, 0] > JUMP * width
    anew[1:] = (key[1:] != key[:-1]).any(axis=1) | far | (inside[1:] != inside[:-1])
    first = np.flatnonzero(anew)
    last = np.append(first[1:], n) - 1
    first, last = first[inside[first]], last[inside[first]]
    columns = {START: spans[first, 0], "trial_stop": spans[last, 1]}
    if ids is not None:
        columns["trial_id"] = ids.ravel()[first]
    if places is not None:
        columns["target_pos"] = places[first, :2].astype(np.float64)
    return table_of("trials of the target" if ids is None else "trials of the bins", columns)
