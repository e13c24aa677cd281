"""What a file of named arrays holds; resources/recordings.md has the names.

Spikes are ``counts`` (n_bins, n_units) with ``bin_rate`` or ``bin_width``, or ``spike_times`` with
``spike_times_index``. Series have a row a bin, or a row for each of ``NAME_timestamps`` or ``timestamps``.
Trials are ``trial_start``, ``trial_stop`` and further columns, or a ``trial_table``, or told by a
``trial_id`` or ``target`` of each bin or sample. Times are in s.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.bins.ticks import TICKS
from engine.sources.recordings.kinematics import Floats
from engine.sources.recordings.readers.array_spikes import OF_SPIKES, Arrays, read_spikes
from engine.sources.recordings.readers.array_trials import find_tables, is_of_trials
from engine.sources.recordings.readers.contents import Contents
from engine.sources.recordings.readers.counts import BinnedSpikes
from engine.sources.recordings.readers.series import OTHER, POSITION, VELOCITY, Candidate, Samples, words_of
from engine.sources.recordings.readers.wanted import Wanted

TIMESTAMPS = ("timestamps", "t", "time", "times")
OF = "_timestamps"
BOTH = "kinematics"
"""x, y, vx, vy in one array."""
FACTS = frozenset({"length_unit", "synthetic", "recording", "sha256", "start", *TIMESTAMPS})
NO_PLACE = "neither position nor velocity, but where the target is"


def read_contents(
    file_name: str,
    wanted: Wanted,
    arrays: Arrays,
    *,
    unit: str = "",
    table: str = "trials",
    warnings: tuple[str, ...] = (),
    passed_over: tuple[Mapping[str, str], ...] = (),
) -> Contents:
    """Find spikes, kinematics and trials.

    Parameters
    ----------
    file_name : str
        For messages.
    wanted : Wanted
        What a person chose.
    arrays : mapping of str to ndarray
    unit : str
        Of lengths, where the file does not tell it.
    table : str
        What trials in arrays are called.
    warnings : tuple of str
    passed_over : tuple of mapping

    Raises
    ------
    RecordingError
        In one line, with the file's name.
    """
    spikes = read_spikes(file_name, arrays)
    bins = _bins(spikes) if isinstance(spikes, BinnedSpikes) else None
    common = next((arrays[name].ravel() for name in TIMESTAMPS if name in arrays), None)
    series = sorted(
        _series(arrays, bins, common, text(arrays, "length_unit") or unit), key=lambda c: c.rank
    )
    return Contents.chosen(
        file_name,
        wanted,
        spikes,
        series,
        find_tables(file_name, arrays, bins, _spans(common), table),
        synthetic=bool(arrays.get("synthetic", np.False_).any()),
        warnings=warnings,
        passed_over=passed_over,
    )


def text(arrays: Arrays, name: str) -> str:
    """A fact that is a word; empty where there is none."""
    given = arrays.get(name)
    return (
        str(given.ravel()[0]) if given is not None and given.dtype.kind == "U" and given.size == 1 else ""
    )


def _bins(spikes: BinnedSpikes) -> Floats:
    """Start and stop of each row of the counts, s, shape (n_bins, 2)."""
    width = float(1 / spikes.rate)
    starts = np.round(spikes.centres / TICKS - width / 2, 6)
    return np.column_stack((starts, np.round(starts + width, 6)))


def _spans(times: npt.NDArray[Any] | None) -> Floats | None:
    """From each sample to the next, s, shape (n, 2); None where times are no times."""
    if times is None or len(times) < 2 or times.dtype.kind not in "iuf" or not np.isfinite(times).all():
        return None
    steps = np.diff(times.astype(np.float64))
    if not (steps > 0).all():
        return None
    return np.column_stack((times, times + np.minimum([*steps, np.inf], 1.5 * np.median(steps))))


def _series(
    arrays: Arrays, bins: Floats | None, common: npt.NDArray[Any] | None, unit: str
) -> Iterator[Candidate]:
    for name, path, array in _split(arrays):
        own = arrays.get(name + OF)
        given = [
            times
            for times in (None if own is None else own.ravel(), common, _centres(bins))
            if times is not None
        ]
        if array.dtype.kind not in "iuf" or not array.ndim or not given:
            continue
        times = next((times for times in given if len(times) in array.shape[:2]), given[0])
        if array.ndim == 2 and len(array) != len(times) == array.shape[1]:
            array = array.T
        words = words_of(path.rpartition("/")[2])
        misfit = NO_PLACE if words & {"target", "goal"} else ""
        yield Candidate(Samples(array, times, _unit(words, unit)), path, misfit=misfit)


def _split(arrays: Arrays) -> Iterator[tuple[str, str, npt.NDArray[Any]]]:
    """Arrays that may be series, their names, and paths that say what they are."""
    for name, array in arrays.items():
        if name == BOTH and array.ndim == 2 and array.shape[1] == 4 and array.dtype.kind in "iuf":
            for path, half in ((f"{name}/position", array[:, :2]), (f"{name}/velocity", array[:, 2:])):
                there = np.asarray(np.isfinite(half).any(axis=0))  # of one dimension the other is missing
                if there[0]:
                    yield name, path, half if there.all() else half[:, :1]
        elif name not in OF_SPIKES | FACTS and not name.endswith(OF) and not is_of_trials(name):
            yield name, name, array


def _centres(bins: Floats | None) -> Floats | None:
    return None if bins is None else np.round(bins.mean(axis=1), 6)


def _unit(words: frozenset[str], unit: str) -> str:
    if words & OTHER or not unit:
        return ""
    return f"{unit}/s" if words & VELOCITY else unit if words & POSITION else ""
