"""The trials of a record as they were played, on the record's clock: sequence number by bin rate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from engine.bins.trials import Trial
from engine.sinks.record.record import Record

SOURCE = "source_trial"
"""Column with a trial's id in the recording."""


def played_trials(record: Record) -> tuple[Trial, ...]:
    """One trial for each uninterrupted run of bins of a trial, in the order in which they were played.

    A loop, or a seek back, makes a trial appear again. The first time a trial keeps its id; each
    repetition has a new one above all of them, and every one has its own in the column `SOURCE`.
    A trial that was played in part starts and stops with that part, and lacks the events outside it.

    Parameters
    ----------
    record : Record

    Returns
    -------
    tuple of Trial
        Times in s of the record's clock.
    """
    seen: set[int] = set()
    fresh = max((trial.trial_id for trial in record.header.trials), default=-1) + 1
    played = []
    for first, last in _runs(record):
        trial = _as_played(record, first, last)
        source = trial.trial_id
        if source in seen:
            trial, fresh = replace(trial, trial_id=fresh), fresh + 1
        seen.add(source)
        played.append(replace(trial, columns=MappingProxyType({**trial.columns, SOURCE: source})))
    return tuple(played)


def _runs(record: Record) -> Iterator[tuple[int, int]]:
    """First and last row of each run, in which packets follow each other within one trial."""
    rows = record.rows
    inside = np.flatnonzero(rows["trial"] >= 0)
    if not len(inside):
        return
    trial = rows["trial"][inside]
    shift = rows["packet_id"][inside] - rows["sequence_number"][inside]
    breaks = np.flatnonzero((np.diff(trial) != 0) | (np.diff(shift) != 0))
    firsts, lasts = [0, *(breaks + 1).tolist()], [*breaks.tolist(), len(inside) - 1]
    yield from zip(inside[firsts].tolist(), inside[lasts].tolist(), strict=True)


def _as_played(record: Record, first: int, last: int) -> Trial:
    header, rows = record.header, record.rows
    trial = header.trials[int(rows["trial"][first])]
    width = 1.0 / header.bin_rate
    begin, end = (int(rows["sequence_number"][at]) * 1.0 / header.bin_rate for at in (first, last))
    shift = begin - (header.start_time + int(rows["packet_id"][first]) * width)

    def moved(time: float) -> float:
        """A time of the recording's clock on the record's."""
        return round(float(time + shift), 9)

    # A trial holds the bins whose centre it holds, so it may start half a bin beside its first one.
    start, stop = moved(trial.start_time), moved(trial.stop_time)
    if abs(start - begin) > width / 2 + 1e-6:
        start = float(begin)
    if not width / 2 <= stop - end <= 1.5 * width + 1e-6:
        stop = float(end + width)

    def kept(time: float) -> float:
        return moved(time) if start <= moved(time) <= stop else float("nan")

    return replace(
        trial,
        start_time=start,
        stop_time=stop,
        target_on_time=kept(trial.target_on_time),
        go_cue_time=kept(trial.go_cue_time),
        move_onset_time=kept(trial.move_onset_time),
    )
