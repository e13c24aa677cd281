"""Which tables of an NWB file are its trials and its units, wherever they are and however named."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from hdmf.common import DynamicTable
from hdmf.container import AbstractContainer
from pynwb import NWBFile
from pynwb.misc import Units

from engine.bins.trials import Trial
from engine.errors import RecordingError
from engine.sources.recordings.readers.nwb_trials import NAMES, STARTS, STOPS, TrialTable, plain_name

PLACES = ("processing", "acquisition", "analysis", "scratch")
OF_TRIALS = frozenset(
    {"trial", "trials", "reach", "reaches", "attempt", "attempts", "movement", "movements"}
)
NEVER = "invalid_times"


@dataclass(frozen=True, eq=False)
class Table:
    """A table and where it is, such as 'intervals/trials'."""

    table: DynamicTable
    path: str

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def columns(self) -> frozenset[str]:
        """Names of its columns, without case and underscores."""
        return frozenset(map(plain_name, self.table.colnames))

    @property
    def is_of_intervals(self) -> bool:
        return all(self.columns & set(map(plain_name, names)) for names in (STARTS, STOPS))

    @property
    def n_facts(self) -> int:
        """How much of what is asked of trials its columns say."""
        return sum(any(plain_name(name) in self.columns for name in names) for names in NAMES.values())

    @property
    def speaks_of_trials(self) -> bool:
        words = {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", self.name)}
        return bool(words & OF_TRIALS) or self.n_facts > 0

    @property
    def rank(self) -> tuple[Any, ...]:
        """Tables are tried in this order."""
        words = {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", self.name)}
        named = self.path != "intervals/trials", not words & {"trial", "trials"}, not words & OF_TRIALS
        return (*named, -self.n_facts, -len(self.table), self.path)


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


def find_tables(nwb: NWBFile) -> list[Table]:
    """Every table outside of the description of the experiment."""
    own = [(nwb.units, "units"), (nwb.trials, "intervals/trials"), (nwb.epochs, "intervals/epochs")]
    found = [Table(table, path) for table, path in own if table is not None]
    found += [Table(table, f"intervals/{name}") for name, table in nwb.intervals.items()]
    for place in PLACES:
        found += [Table(*each) for each in _below(getattr(nwb, place), place)]
    return list({id(each.table): each for each in reversed(found)}.values())[::-1]


def _below(holder: Any, path: str) -> Iterator[tuple[DynamicTable, str]]:
    for name, item in holder.items() if isinstance(holder, dict) else _children(holder):
        if isinstance(item, DynamicTable):
            yield item, f"{path}/{name}"
        elif isinstance(item, AbstractContainer):
            yield from _below(item, f"{path}/{name}")


def _children(holder: AbstractContainer) -> Iterator[tuple[str, Any]]:
    for value in holder.fields.values():
        if isinstance(value, dict):
            yield from value.items()


def units_of(tables: Sequence[Table]) -> tuple[Units | None, list[Table]]:
    """The table of units that has spike times, and those that are passed over for it."""
    found = [each for each in tables if isinstance(each.table, Units)]
    if not found:
        return None, []
    best = next((each for each in found if "spike_times" in each.table.colnames), found[0])
    return best.table, [each for each in found if each is not best]


def choose_trials(
    file_name: str, tables: Sequence[Table], wanted: str | None, read: Callable[[DynamicTable], TrialTable]
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
        found = read(each.table)
        if found.trials:
            taken, trials = each, found
            break
        reasons[each.path] = f"it has no trial that can be played ({found.left_out or 'it is empty'})"
        if len(each.table):
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
