"""The trials of a recording, with what decoders made of each, in any order."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from engine.answers.scores.summary import Summary, TrialScore
from engine.bins.description import Description
from engine.bins.trials import Trial

Value = float | str | bool | None
Scores = Mapping[str, Mapping[int, TrialScore]]
"""By decoder and trial; the decoder that is best comes first."""


@dataclass(frozen=True)
class Passage:
    """A trial that has bins.

    Attributes
    ----------
    trial : Trial
    first, end : int
        Its first bin, and one past its last.
    """

    trial: Trial
    first: int
    end: int


@lru_cache(maxsize=16)
def passages(recording: Description) -> tuple[Passage, ...]:
    """The trials of a recording that have bins, in their order."""
    trial_of_bin = recording.bins["trial"]
    inside = np.flatnonzero(trial_of_bin >= 0)
    rows, first, n_bins = np.unique(trial_of_bin[inside], return_index=True, return_counts=True)
    return tuple(
        Passage(recording.trials[row], start, start + n)
        for row, start, n in zip(rows.tolist(), inside[first].tolist(), n_bins.tolist(), strict=True)
    )


def scores_by_trial(decoders: Mapping[str, Summary]) -> Scores:
    """The newest score of each trial."""
    return {name: {score.trial_id: score for score in summary.trials} for name, summary in decoders.items()}


def failures(recording: Description, scores: Scores) -> list[int]:
    """Which of the passages failed: in the recording, or the best decoder missed."""
    best = next(iter(scores.values()), {})
    return [i for i, each in enumerate(passages(recording)) if has_failed(each.trial, best)]


def errors(recording: Description, scores: Scores) -> list[list[float]]:
    """The best decoder's error in each of the passages that it has answered.

    Returns
    -------
    list of list
        The passage's place among them, and its root mean square error of position as a share of the
        greatest.
    """
    best = next(iter(scores.values()), {})
    of_trial = {trial_id: score.measures.rmse_position for trial_id, score in best.items()}
    found = [(i, of_trial.get(each.trial.trial_id, math.nan)) for i, each in enumerate(passages(recording))]
    greatest = max((error for _, error in found if error > 0), default=math.nan)
    return [[i, round(error / greatest, 3)] for i, error in found if error >= 0]


def has_failed(trial: Trial, best: Mapping[int, TrialScore]) -> bool:
    score = best.get(trial.trial_id)
    return trial.success is False or (score is not None and score.hit is False)


OF_TRIAL: Final[Mapping[str, Callable[[Passage, float], Value]]] = {
    "Trial": lambda each, _: each.trial.trial_id,
    "Target": lambda each, _: each.trial.target_id,
    "Outcome": lambda each, _: each.trial.success,
    "Start": lambda each, rate: each.first / rate,
    "Duration, s": lambda each, rate: (each.end - each.first) / rate,
}
"""Columns, and their values given the bins per second."""
OF_DECODER: Final[Mapping[str, Callable[[TrialScore], Value]]] = {
    "hit": lambda score: score.hit,
    "time to target, s": lambda score: score.measures.time_to_target,
    "R2": lambda score: score.measures.r2_position,
    "error": lambda score: score.measures.rmse_position,
}


class TrialList:
    """Trials as lines of a table.

    Parameters
    ----------
    recording : Description
    scores : mapping
        As `scores_by_trial` has them.
    """

    def __init__(self, recording: Description, scores: Scores) -> None:
        self.scores = scores
        self.passages = passages(recording)
        self.failures = frozenset(failures(recording, scores))
        self._rate = recording.bin_rate

    def columns(self, decoders: Sequence[str]) -> list[str]:
        """Titles."""
        return [*OF_TRIAL, *(f"{name}: {measure}" for name in decoders for measure in OF_DECODER)]

    def values(self, i: int, decoders: Sequence[str]) -> list[Value]:
        """A trial's values, one a column; None where there is none."""
        n = len(self.columns(decoders))
        return [self.value(i, column, decoders) for column in range(n)]

    def value(self, i: int, column: int, decoders: Sequence[str]) -> Value:
        passage = self.passages[i]
        if column < len(OF_TRIAL):
            return [*OF_TRIAL.values()][column](passage, self._rate)
        decoder, measure = divmod(column - len(OF_TRIAL), len(OF_DECODER))
        score = self.scores.get(decoders[decoder], {}).get(passage.trial.trial_id)
        value = [*OF_DECODER.values()][measure](score) if score else None
        return None if isinstance(value, float) and math.isnan(value) else value

    def order(
        self, column: int, decoders: Sequence[str], *, descending: bool, failures_first: bool
    ) -> list[int]:
        """All trials, sorted by a column; those without a value are the last, equal ones in their order."""
        values = [self.value(i, column, decoders) for i in range(len(self.passages))]
        known = [i for i, value in enumerate(values) if value is not None]
        known.sort(key=lambda i: values[i], reverse=descending)  # type: ignore[arg-type, return-value]
        order = [*known, *(i for i, value in enumerate(values) if value is None)]
        return sorted(order, key=lambda i: i not in self.failures) if failures_first else order

    def failure_away(self, bin_: int, n: int) -> int | None:
        """The failed trial before (-1) or after (1) a bin's own; None if there is none."""
        failed = [self.passages[i] for i in sorted(self.failures)]
        if n > 0:
            return next((each.trial.trial_id for each in failed if each.first > bin_), None)
        return next((each.trial.trial_id for each in reversed(failed) if each.end <= bin_), None)
