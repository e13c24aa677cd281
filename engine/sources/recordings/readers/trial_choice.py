"""Which table of a file is its trials, wherever it is and however named."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from engine.bins.trials import Trial
from engine.errors import RecordingError
from engine.sources.recordings.readers.tables import Table
from engine.sources.recordings.readers.trials import TrialTable

NEVER = "invalid_times"


@dataclass(frozen=True, eq=False)
class ChosenTrials:
    """The table of trials to replay.

    Attributes
    ----------
    trials : tuple of Trial
        None where no table is taken.
    report : dict
        Ready for JSON: ``taken`` (name, path, n_trials, how; or None) and ``passed_over`` (name, path,
        reason).
    warnings : tuple of str
    """

    trials: tuple[Trial, ...]
    report: dict[str, Any]
    warnings: tuple[str, ...] = field(default=())

    def beside(self, others: Sequence[Mapping[str, str]]) -> ChosenTrials:
        """The same, with further tables that are passed over: name, path and reason of each."""
        return replace(self, report=self.report | {"passed_over": [*self.report["passed_over"], *others]})


def choose_trials(
    file_name: str, tables: Sequence[Table], wanted: str | None, read: Callable[[Table], TrialTable]
) -> ChosenTrials:
    """Choose among the tables of intervals, the likeliest first.

    Parameters
    ----------
    file_name : str
        For messages.
    tables : sequence of Table
    wanted : str, optional
        Name or path of a table, as a person asks for it.
    read : callable
        From a table to its trials.

    Raises
    ------
    RecordingError
        If there is no such table, or no trial in it.
    """
    offered = sorted((t for t in tables if t.is_of_intervals and t.name != NEVER), key=lambda t: t.rank)
    names = ", ".join(each.name for each in offered) or "none"
    if wanted is not None and not any(wanted in (each.name, each.path) for each in offered):
        raise RecordingError(f"{file_name} has no trial table {wanted!r}. It has {names}.")
    queue = [t for t in offered if wanted in (t.name, t.path)] if wanted else offered
    reasons = {}
    warnings: list[str] = []
    taken, trials = None, TrialTable()
    for each in queue:
        if wanted is None and not each.speaks_of_trials:
            reasons[each.path] = f"nothing in it speaks of trials; --trials {each.name} takes it"
            continue
        found = read(each)
        if found.trials:
            taken, trials = each, found
            break
        reasons[each.path] = f"it has no trial that can be played ({found.left_out or 'it is empty'})"
        if len(each):
            warnings.append(
                f"The trial table {each.name} has no trial that can be played: {found.left_out}. "
                + ("It is passed over; --trials NAME takes another table. " if len(queue) > 1 else "")
            )
    if wanted and taken is None:
        raise RecordingError(f"{file_name}: {wanted} has no trial that can be played. Its tables: {names}.")
    report = {
        "taken": taken
        and {
            "name": taken.name,
            "path": taken.path,
            "n_trials": len(trials.trials),
            "how": "named by --trials" if wanted else f"the likeliest of {len(offered)}",
        },
        "passed_over": [
            {"name": t.name, "path": t.path, "reason": reasons.get(t.path, "another one comes first")}
            for t in offered
            if t is not taken
        ],
    }
    if taken is None and warnings:
        warnings[-1] += "The whole recording is played as one trial."
    if taken:
        warnings += [f"In the trial table {taken.name}, {said}" for said in trials.doubts]
    return ChosenTrials(trials.trials, report, tuple(warnings))
