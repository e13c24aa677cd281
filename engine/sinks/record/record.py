"""What a record holds, in memory: the same whether it comes from a journal or from a finished file."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.answers.scores.sent import moving_above
from engine.bins.description import Description, Goal
from engine.bins.schema import Rows
from engine.bins.trials import Barrier, Trial
from engine.deck.happenings import Note
from engine.sinks.record.voltages import RecordedVoltages

Json = Mapping[str, Any]


OPTIONAL: Final = ("goal", "moving_above")
"""Of a header: what stands in it only where it is known."""


@dataclass(frozen=True)
class Header:
    """What is known when a record starts.

    Attributes
    ----------
    name : str
        Of the record.
    session : str
        Code of the session.
    started : float
        Unix seconds.
    recording, sha256 : str
        Name and hash of the recording that is played.
    bin_rate : float
        Bins per second of recording.
    start_time : float
        Start of the recording's bin 0, in the seconds of its file.
    length_unit : str
    synthetic : bool
    channel_names : tuple of str
    trials : tuple of Trial
        Of the recording; ``rows["trial"]`` is an index into them.
    go_bins : tuple of int
        The ``packet_id`` of each trial from which a hit counts, as `phases.plan` has it; -1
        where there is none.
    versions : mapping
        Of the programs that wrote the record.
    goal : Goal or None
        Of a closed loop.
    moving_above : float or None
        As `engine.answers.scores.sent.Reference` has it; None where it is not known.
    """

    name: str
    session: str
    started: float
    recording: str
    sha256: str
    bin_rate: float
    start_time: float
    length_unit: str
    synthetic: bool
    channel_names: tuple[str, ...]
    trials: tuple[Trial, ...]
    go_bins: tuple[int, ...]
    versions: Mapping[str, str]
    goal: Goal | None = None
    moving_above: float | None = None

    def to_json(self) -> str:
        trials = [trial_json(trial) for trial in self.trials]
        known = {name: value for name, value in vars(self).items() if name not in OPTIONAL or value}
        return json.dumps({**known, "trials": trials, "versions": dict(self.versions)})

    @classmethod
    def from_json(cls, text: str | bytes) -> Header:
        read = json.loads(text)
        tuples = {name: tuple(read[name]) for name in ("channel_names", "go_bins")}
        goal = Goal(*read["goal"]) if "goal" in read else None
        return cls(**read | tuples | {"trials": tuple(map(_trial, read["trials"])), "goal": goal})

    def with_trial(self, row: int, go_bin: int, trial: Mapping[str, Any]) -> Header:
        """The same with a trial in its row, given as `trial_json` has it: a new one, or another."""
        trials, go_bins = (
            (*old[:row], new, *old[row + 1 :])
            for old, new in ((self.trials, _trial(dict(trial))), (self.go_bins, go_bin))
        )
        return replace(self, trials=trials, go_bins=go_bins)


def trial_json(trial: Trial) -> dict[str, Any]:
    """A trial, ready for JSON."""
    return {**vars(trial), "columns": dict(trial.columns)}


def header_of(
    recording: Description, name: str, session: str, started: float, versions: Mapping[str, str]
) -> Header:
    """The header of a record of a session that plays `recording`."""
    above = moving_above(recording.kinematics)
    return Header(
        name=name,
        session=session,
        started=started,
        recording=recording.name,
        sha256=recording.sha256 or "none",
        bin_rate=recording.bin_rate,
        start_time=recording.start_time,
        length_unit=recording.length_unit,
        synthetic=recording.synthetic,
        channel_names=recording.channel_names,
        trials=tuple(recording.trials),
        go_bins=tuple(recording.go_bins),
        versions=versions,
        goal=recording.goal,
        moving_above=None if math.isnan(above) else above,
    )


@dataclass(frozen=True, eq=False)
class Record:
    """All of a record.

    Attributes
    ----------
    header : Header
    rows : ndarray, shape (n_bins,), dtype `engine.bins.schema.row_dtype`, or Columns
        What was sent, in order of ``sequence_number``.
    predictions : ndarray, shape (n_predictions,), dtype `engine.answers.prediction.PREDICTION`
        In order of arrival; ``decoder`` is an index into `decoders`.
    decoders : tuple of str
        Names.
    notes : tuple of Note
        What was asked of the session.
    settings : tuple of mapping
        All settings at the start and after each change, each with ``due`` (s of the engine's clock)
        and ``timestamp`` (Unix s).
    scores : mapping
        As they stood at the end, as `scored.scores_of` has them; empty if the record was
        cut off.
    detection : mapping
        How spikes were found on each channel in the newest 10 s at the end: ``threshold`` and ``noise_uv``,
        ``recall``, ``precision``, ``timing_error_ms``. Empty if they were not, or the record was cut off.
    voltages : RecordedVoltages or None
        What there is of voltages, if these were recorded. Their samples stay in the file.
    """

    header: Header
    rows: Rows
    predictions: npt.NDArray[np.void]
    decoders: tuple[str, ...]
    notes: tuple[Note, ...]
    settings: Sequence[Json]
    scores: Json
    detection: Mapping[str, Sequence[float]] = field(default_factory=dict)
    voltages: RecordedVoltages | None = None

    @property
    def times(self) -> npt.NDArray[np.float64]:
        """Start of each bin on the record's clock, s, shape (n_bins,): sequence number by bin rate."""
        seconds: npt.NDArray[np.float64] = self.rows["sequence_number"] / self.header.bin_rate
        return seconds

    def sequence_numbers(self, due: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """The bins that came next after some instants of the engine's clock, same shape."""
        index = np.searchsorted(self.rows["due"], np.asarray(due, np.float64))
        first = self.rows["sequence_number"][0] if len(self.rows) else 0
        return index + int(first)


def _trial(read: dict[str, Any]) -> Trial:
    places = {
        "target_pos": tuple((x, y) for x, y in read["target_pos"]),
        "barriers": tuple(Barrier(*wall) for wall in read.get("barriers", ())),
    }
    return Trial(**read | places | {"columns": MappingProxyType(read["columns"])})
