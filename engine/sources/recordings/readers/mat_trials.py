"""A struct array with an element a trial, laid out in time as the arrays of one recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.errors import RecordingError
from engine.sources.recordings.kinematics import Floats
from engine.sources.recordings.readers.array_spikes import COUNTS, RATES, Arrays, rate_in
from engine.sources.recordings.readers.array_trials import is_of_trials
from engine.sources.recordings.readers.arrays import BOTH, TIMESTAMPS
from engine.sources.recordings.readers.matlab import Cells, Structs, Value, as_array, vector
from engine.sources.recordings.readers.series import POSITION, VELOCITY, words_of
from engine.sources.recordings.readers.tables import STARTS, STOPS, plain_name

SPIKES = ("spike_times", "spikes", "units")
PAUSE = 1.0
"""Seconds between trials whose times are not given; nothing is observed there."""
Trains = list[list[Floats]]


def has_spikes(found: Structs) -> bool:
    """Whether the structs are trials."""
    return any(name in found.fields for name in (*COUNTS, *SPIKES))


@dataclass
class _Layout:
    arrays: dict[str, npt.NDArray[Any]]
    warnings: list[str] = field(default_factory=list)


def lay_out(file_name: str, name: str, found: Structs, around: Arrays) -> tuple[Arrays, tuple[str, ...]]:
    """All trials one after the other.

    Parameters
    ----------
    file_name, name : str
        For messages.
    found : Structs
        Trials.
    around : mapping
        What else the file has, such as ``bin_width``.

    Returns
    -------
    arrays : mapping of str to ndarray
        As `engine.sources.recordings.readers.arrays` reads them; times in s.
    warnings : tuple of str

    Raises
    ------
    RecordingError
        In one line, with the file's name.
    """
    own = {key: as_array(found.fields[key][0]) for key in RATES if key in found.fields}
    facts = {**around, **{key: value for key, value in own.items() if value is not None}}
    layout = _Layout({key: value for key, value in facts.items() if not is_of_trials(key)})
    counts = next((key for key in (*COUNTS, "spikes") if _all_numbers(found.fields.get(key))), None)
    if counts is not None:
        _lay_counts(layout, file_name, f"{name}.{counts}", found, counts, facts)
    else:
        _lay_trains(layout, file_name, name, found)
    _add_columns(layout, found)
    return layout.arrays, tuple(layout.warnings)


def _all_numbers(values: Sequence[Value] | None) -> bool:
    return values is not None and all(isinstance(value, np.ndarray) for value in values)


def _numbers(found: Structs, names: Sequence[str]) -> Floats | None:
    """One number a trial, shape (n,); None where the structs have no such field."""
    plain = {plain_name(key): values for key, values in found.fields.items()}
    for values in (plain[plain_name(each)] for each in names if plain_name(each) in plain):
        if all(isinstance(v, np.ndarray) and v.size == 1 and v.dtype.kind in "biuf" for v in values):
            return np.array([float(v.ravel()[0]) for v in values if isinstance(v, np.ndarray)])
    return None


def _lay_counts(
    layout: _Layout, file_name: str, place: str, found: Structs, key: str, facts: Arrays
) -> None:
    rate = rate_in(file_name, place, facts)
    given = [value for value in found.fields[key] if isinstance(value, np.ndarray)]
    if any(each.ndim != 2 or each.dtype.kind not in "biuf" for each in given):
        raise RecordingError(f"{file_name}: {place} is not a matrix of numbers in each trial. Repair it.")
    if len({each.shape[1] for each in given}) > 1:  # units are what all trials have in common
        given = [each.T for each in given]
    if len({each.shape[1] for each in given}) > 1:
        shapes = ", ".join(str(each.shape) for each in given[:3])
        raise RecordingError(f"{file_name}: {place} has other units in each trial: {shapes}. Repair it.")
    lengths = np.array([len(each) for each in given])
    starts = _numbers(found, STARTS)
    if starts is None:
        pitch = lengths + int(np.ceil(PAUSE * rate))
        first = np.cumsum(pitch) - pitch
        _tell_pause(layout)
    elif not np.isfinite(starts).all() or abs(starts).max() * rate > 2**31:
        raise RecordingError(f"{file_name}: its trials do not start at times in s. Repair them.")
    else:
        first = np.rint(starts * rate).astype(np.int64)
    order = np.argsort(first, kind="stable")
    if (first[order][1:] < (first + lengths)[order][:-1]).any():
        raise RecordingError(f"{file_name}: its trials lie over one another in time. Repair their starts.")
    places = np.concatenate([first[row] + np.arange(lengths[row]) for row in order])
    layout.arrays |= {"counts": np.concatenate([given[row] for row in order]), "packet_id": places}
    layout.arrays |= {"trial_start": first / rate, "trial_stop": (first + lengths) / rate}
    times = [(first[row] + np.arange(lengths[row]) + 0.5) / rate for row in range(found.n)]
    _add_series(layout, found, times, order)


def _lay_trains(layout: _Layout, file_name: str, name: str, found: Structs) -> None:
    key = next((key for key in SPIKES if key in found.fields), SPIKES[0])
    trials: Trains = [
        [np.asarray(vector(v), np.float64).reshape(-1) for v in cell.values if isinstance(v, np.ndarray)]
        for cell in found.fields.get(key, [])
        if isinstance(cell, Cells)
    ]
    if len(trials) != found.n or len({len(trial) for trial in trials}) != 1:
        raise RecordingError(
            f"{file_name}: {name}.{key} is not a cell array with a vector of spike times for each unit in "
            "every trial. Repair it."
        )
    times = _sample_times(found)
    lasts = np.array(
        [max((x.max() for x in (*t, s) if len(x)), default=0.0) for t, s in zip(trials, times, strict=True)]
    )
    starts, stops = _numbers(found, STARTS), _numbers(found, STOPS)
    if starts is None:
        lengths = np.ceil(np.maximum(lasts, 0.0) * 1000 + 1) / 1000
        starts = np.cumsum(lengths + PAUSE) - lengths - PAUSE
        stops, shifts = starts + lengths, starts
        _tell_pause(layout)
    else:
        stops = stops if stops is not None else np.append(starts[1:], starts[-1] + lasts[-1])
        shifts = starts if _are_relative(trials, starts, stops) else np.zeros(found.n)
    if not (np.isfinite(starts).all() and (stops >= starts).all()):
        raise RecordingError(f"{file_name}: its trials do not start and stop at times in s. Repair them.")
    units = [
        np.concatenate([trial[unit] + shift for trial, shift in zip(trials, shifts, strict=True)])
        for unit in range(len(trials[0]))
    ]
    layout.arrays |= {
        "spike_times": np.concatenate(units),
        "spike_times_index": np.cumsum([len(unit) for unit in units]),
        "obs_intervals": np.column_stack((starts, stops)),
        "trial_start": starts,
        "trial_stop": stops,
    }
    shifted = [each + shift for each, shift in zip(times, shifts, strict=True)]
    _add_series(layout, found, shifted, np.argsort(starts, kind="stable"))


def _tell_pause(layout: _Layout) -> None:
    layout.warnings.append(
        f"The trials have no start: they are laid one after the other, {PAUSE:g} s apart, and nothing is "
        "observed between them. A field start_time, in s, says when they were."
    )


def _sample_times(found: Structs) -> list[Floats]:
    """Times of the samples in each trial, as the file has them; none where it has none."""
    values = next((found.fields[key] for key in TIMESTAMPS if _all_numbers(found.fields.get(key))), None)
    none = [np.empty(0)] * found.n
    return (
        [np.asarray(v, np.float64).ravel() for v in values if isinstance(v, np.ndarray)] if values else none
    )


def _are_relative(trials: Trains, starts: Floats, stops: Floats) -> bool:
    """Whether more spikes lie in their trials if times are counted from each trial's start."""

    def inside(shifts: Floats) -> int:
        spans = zip(trials, starts, stops, shifts, strict=True)
        return sum(
            int(((unit + s >= a) & (unit + s <= b)).sum()) for trial, a, b, s in spans for unit in trial
        )

    return inside(starts) > inside(np.zeros_like(starts))


def _add_series(layout: _Layout, found: Structs, times: list[Floats], order: npt.NDArray[np.intp]) -> None:
    for key, values in found.fields.items():
        speaks = key == BOTH or bool(words_of(key) & (POSITION | VELOCITY))
        if not speaks or is_of_trials(key) or not _all_numbers(values):
            continue
        pieces = [np.atleast_2d(value) for value in values if isinstance(value, np.ndarray)]
        pieces = [p.T if len(p) != len(t) == p.shape[1] else p for p, t in zip(pieces, times, strict=True)]
        fit = all(len(p) == len(t) for p, t in zip(pieces, times, strict=True))
        if fit and len({piece.shape[1:] for piece in pieces}) == 1:
            layout.arrays[key] = np.concatenate([pieces[row] for row in order])
            layout.arrays[f"{key}_timestamps"] = np.concatenate([times[row] for row in order])
        else:
            layout.warnings.append(
                f"{key} is not taken: in some trial it has not one row for each time of t, or each bin. "
                "--series position=NAME,velocity=NAME chooses among the others."
            )


def _add_columns(layout: _Layout, found: Structs) -> None:
    for key, values in found.fields.items():
        if plain_name(key) in {plain_name(each) for each in (*STARTS, *STOPS)}:
            continue
        column = [as_array(value) for value in values]
        shapes = {None if each is None else each.shape for each in column}
        if len(shapes) != 1 or None in shapes or (shapes != {()} and not is_of_trials(key)):
            continue
        layout.arrays[key if is_of_trials(key) else f"trial_{key}"] = np.stack(
            [c for c in column if c is not None]
        )
