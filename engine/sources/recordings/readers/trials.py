"""The trials that a table tells of, whatever its columns are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.bins.trials import Barrier, Scalar, Trial
from engine.sources.recordings.kinematics import Floats
from engine.sources.recordings.readers.hdf5 import Unreadable
from engine.sources.recordings.readers.tables import NAMES, STARTS, STOPS, Table, plain_name

MAX_ID = 2**31 - 1
"""Of a target; larger ones only name it."""

MOST_TRIALS = 100_000
"""Of one recording: two days of trials of 2 s."""
MOST_BARRIERS = 16
"""Of one trial; MC_Maze has up to nine."""

SUCCESS = {"r", "reward", "rewarded", "s", "success", "successful", "correct", "hit", "true", "yes", "1"}
FAILURE = {"f", "fail", "failed", "failure", "a", "abort", "aborted", "i", "incomplete", "false", "no", "0"}


@dataclass(frozen=True)
class TrialTable:
    """What a table says of trials.

    Attributes
    ----------
    trials : tuple of Trial
        In order of their start.
    left_out : str
        How many rows are no trials, and why; empty if all are.
    doubts : tuple of str
        What is odd about the table, and what was done about it: sentences, from their second clause on.
    """

    trials: tuple[Trial, ...] = ()
    left_out: str = ""
    doubts: tuple[str, ...] = ()


def read_trials(table: Table, scale: float, offset: float, end: float) -> TrialTable:
    """The trials that have a start and last; one without a stop ends at the next start.

    Parameters
    ----------
    table : Table
    scale, offset : float
        From the table's positions of targets and barriers to the recording's length unit.
    end : float
        Of all that was recorded, s: where a last trial without a stop ends.
    """
    n_trials = len(table)
    if n_trials > MOST_TRIALS:
        return TrialTable(left_out=f"it has {n_trials} rows, and at most {MOST_TRIALS} can be played")
    columns, unreadable = {}, []
    for name in table.colnames if n_trials else ():
        try:
            columns[name] = table.column(name)
        except Unreadable as fault:
            unreadable.append(f"its column {name} {fault}, and is left out.")
    scalars = {name: column for name, column in columns.items() if _is_scalar(column)}
    if not n_trials or _find(STARTS, scalars) is None:
        return TrialTable(doubts=tuple(unreadable))
    ids = table.ids
    if len(set(ids)) < n_trials:
        ids = list(range(n_trials))

    positions = [_points(cell) * scale + offset for cell in _places(columns, n_trials)]
    target_ids = _target_ids(scalars, positions)
    walls = _named("barrier_pos", columns) or [None] * n_trials
    targets = [_target(i, points) for i, points in zip(target_ids, positions, strict=True)]
    times = {
        name: _floats(_named(name, scalars), n_trials)
        for name in ("target_on_time", "go_cue_time", "move_onset_time")
    }
    success = [_success(value) for value in _named("success", scalars) or [None] * n_trials]
    spans = _Spans.of(end, *(_floats(_find(names, scalars), n_trials) for names in (STARTS, STOPS)))
    others = [name for name in scalars if name not in ("start_time", "stop_time")]
    trials = tuple(
        Trial(
            trial_id=ids[row],
            start_time=float(spans.starts[row]),
            stop_time=float(spans.stops[row]),
            **{name: times[name][row] for name in times},
            success=success[row],
            target_id=target_ids[row],
            target_x=targets[row][0],
            target_y=targets[row][1],
            target_pos=tuple((x, y) for x, y in positions[row].tolist()),
            barriers=_barriers(walls[row], scale, offset),
            columns=MappingProxyType({name: scalars[name][row] for name in others}),
        )
        for row in spans.usable.tolist()
    )
    doubts = [*unreadable, *([f"{spans.left_out}: left out."] if spans.left_out else []), *spans.doubts]
    return TrialTable(trials, spans.left_out, tuple(doubts))


@dataclass(frozen=True, eq=False)
class _Spans:
    """Starts and stops of trials, the rows that last, in order of their start, and what is odd."""

    starts: Floats
    stops: Floats
    usable: npt.NDArray[np.intp]
    left_out: str
    doubts: tuple[str, ...]

    @classmethod
    def of(cls, end: float, starts: Sequence[float], stops: Sequence[float]) -> _Spans:
        begin, given = np.array(starts), np.array(stops)
        known = np.isfinite(begin)
        order = np.flatnonzero(known)[np.argsort(begin[known], kind="stable")]
        stop, open_ended = given.copy(), known & ~np.isfinite(given)
        following = np.append(begin[order][1:], max(end, begin[order][-1] if len(order) else end))
        stop[order] = np.where(open_ended[order], following, stop[order])
        lasts = known & (stop > begin)
        nothing, backwards = known & (stop == begin), known & (stop < begin)
        left_out = ", ".join(
            f"{np.count_nonzero(which)} trials {what}"
            for which, what in (
                (~known, "have no start"),
                (nothing, "have no length, as they stop when they start"),
                (backwards, "stop before they start"),
            )
            if which.any()
        )
        doubts = []
        if (n_open := np.count_nonzero(open_ended & lasts)) > 0:
            doubts.append(
                f"{n_open} trials have no stop: each ends at the next one's start, and the last with the "
                "recording. --trials NAME takes another table."
            )
        return cls(begin, stop, order[lasts[order]], left_out, tuple(doubts))


def _is_scalar(column: Sequence[Any]) -> bool:
    return all(isinstance(value, bool | int | float | str) for value in column)


def _places(columns: Mapping[str, list[Any]], n_trials: int) -> Sequence[Any]:
    """Target positions of each trial, from one column or from one of x and one of y."""
    x, y = (_named(fact, columns) for fact in ("target_x", "target_y"))
    apart = [*zip(x, y, strict=True)] if x is not None and y is not None else [None] * n_trials
    return _named("target_pos", columns) or apart


def _named(fact: str, columns: Mapping[str, list[Any]]) -> list[Any] | None:
    return _find(NAMES[fact], columns)


def _find(names: Sequence[str], columns: Mapping[str, list[Any]]) -> list[Any] | None:
    plain = {plain_name(name): column for name, column in columns.items()}
    return next((plain[name] for name in map(plain_name, names) if name in plain), None)


def _floats(column: Sequence[Any] | None, n_trials: int) -> list[float]:
    """Numbers as float, all else as NaN."""
    return [
        float(value) if isinstance(value, int | float) else float("nan")
        for value in column or [None] * n_trials
    ]


def _success(value: Scalar | None) -> bool | None:
    if isinstance(value, str):
        word = value.strip().lower()
        return True if word in SUCCESS else False if word in FAILURE else None
    return None if value is None or value != value else bool(value)


def _points(cell: Any) -> Floats:
    """Target positions of one trial, shape (n_targets, 2), from a point or a list of points."""
    try:
        points = np.array([] if cell is None else list(cell), np.float64)
    except (TypeError, ValueError):  # not numbers, or points of different lengths
        return np.empty((0, 2))
    if points.ndim == 1:  # one point in two or three dimensions, or x, y, x, y, ...
        dimensions = 3 if len(points) == 3 else 2
        points = points[: len(points) // dimensions * dimensions].reshape(-1, dimensions)
    if points.ndim != 2 or points.shape[1] < 2:
        return np.empty((0, 2))
    return points[np.isfinite(points).all(axis=1), :2]


def _barriers(cell: Any, scale: float, offset: float) -> tuple[Barrier, ...]:
    """The walls of one trial, from rows of x, y, half width and half height, or from one such row.

    There are none where these are something else, or more than `MOST_BARRIERS`.
    """
    try:
        rows = np.array([] if cell is None else list(cell), np.float64)
    except (TypeError, ValueError):  # not numbers, or rows of different lengths
        return ()
    if rows.size % 4 or rows.shape[-1] not in (0, 4) or rows.size > 4 * MOST_BARRIERS:
        return ()
    rows = rows.reshape(-1, 4) * scale + [offset, offset, 0.0, 0.0]
    usable = np.isfinite(rows).all(axis=1) & (rows[:, 2:] > 0).all(axis=1)
    return tuple(Barrier(*row) for row in rows[usable].tolist())


def _target(target_id: int | None, points: Floats) -> tuple[float, float]:
    """The target of a trial: that of its id in the trial's own list, or the only one."""
    if len(points) == 1:
        target_id = 0
    if target_id is None or not 0 <= target_id < len(points):
        return float("nan"), float("nan")
    x, y = points[target_id].tolist()
    return x, y


def _is_id(value: float) -> bool:
    """Whether a number can be an id, or is missing."""
    return value != value or (value % 1 == 0 and abs(value) <= MAX_ID)


def _target_ids(scalars: Mapping[str, list[Any]], positions: Sequence[Floats]) -> list[int | None]:
    """The file's ids; else a number for each distinct name, direction or position of the target."""
    given: Sequence[Any] | None = _named("target_id", scalars)
    if given is not None and all(isinstance(v, int | float) and _is_id(v) for v in given):
        return [None if v != v else int(v) for v in given]
    if given is None:
        given = _named("target_dir", scalars)
    if given is None:
        given = [tuple(points[0].tolist()) if len(points) == 1 else None for points in positions]
    distinct = sorted({v for v in given if v is not None and v == v})
    number = {v: i for i, v in enumerate(distinct)}
    return [number.get(v) for v in given]
