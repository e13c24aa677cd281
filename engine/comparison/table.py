"""The table of a comparison: each score over seeds, with its interval."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from engine.answers.scores.comparison import Estimate, estimate
from engine.answers.scores.sums import Measures
from engine.comparison.open_loop import OpenCondition, OpenMeasures
from engine.comparison.runs import Condition

CLOSED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "success": "success",
        "acquisition_time": "acquisition, s",
        "first_touch_time": "first touch, s",
        "dial_in_time": "dial-in, s",
        "path_efficiency": "path efficiency",
        "orbits": "orbits",
        "bit_rate": "throughput, bits/s",
        "bit_rate_achieved": "achieved, bits/s",
    }
)
"""What is told of each condition, fields of `Measures`, and how people read them."""
OPEN: Final[Mapping[str, str]] = MappingProxyType(
    {
        "r2_velocity": "R² velocity",
        "r2_position": "R² position",
        "rmse_velocity": "RMSE velocity",
        "rmse_position": "RMSE position",
        "coverage": "answered",
    }
)
"""The same of `OpenMeasures`."""

AnyCondition = Condition | OpenCondition
Results = Mapping[Condition, Mapping[int, Measures]] | Mapping[OpenCondition, Mapping[int, OpenMeasures]]
"""By condition and seed."""


def scores_of(results: Results) -> Mapping[str, str]:
    """What is told of these."""
    return OPEN if isinstance(next(iter(results)), OpenCondition) else CLOSED


def fields_of(results: Results) -> tuple[str, ...]:
    """What a condition has."""
    return OpenCondition._fields if isinstance(next(iter(results)), OpenCondition) else Condition._fields


@dataclass(frozen=True)
class Line:
    """One condition.

    Attributes
    ----------
    condition : Condition or OpenCondition
    n_runs, n_trials : int
    scores : mapping of str to Estimate
        The mean over runs of each of `scores_of` and its 95 % interval, by percentiles of a bootstrap over
        seeds (Efron & Tibshirani 1993, An Introduction to the Bootstrap, ch. 13), whose draws are the same
        each time. A run that has no such score, as no target was acquired in it, is left out of that one.
    """

    condition: AnyCondition
    n_runs: int
    n_trials: int
    scores: Mapping[str, Estimate]


def lines(results: Results) -> list[Line]:
    """The table, in the order of the results."""
    made: list[Line] = []
    told = scores_of(results)
    for condition, by_seed in results.items():
        runs = [by_seed[seed] for seed in sorted(by_seed)]
        scores = {name: estimate([getattr(run, name) for run in runs]) for name in told}
        made.append(Line(condition, len(runs), sum(run.n_trials for run in runs), scores))
    return made


def as_csv(results: Results, about: Mapping[str, Any]) -> str:  # noqa: ARG001
    """One line a condition: each score, and the ends of its interval; empty where there is none."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    ends = [each for name in scores_of(results) for each in (name, f"{name}_low", f"{name}_high")]
    writer.writerow([*fields_of(results), "n_runs", "n_trials", *ends])
    for line in lines(results):
        found = [value for each in line.scores.values() for value in (each.mean, each.low, each.high)]
        told = ["" if math.isnan(value) else value for value in found]
        writer.writerow([*line.condition, line.n_runs, line.n_trials, *told])
    return file.getvalue()


def as_json(results: Results, about: Mapping[str, Any]) -> str:
    """All of it: what was compared and how, the table, and the scores of every run."""
    table = [
        {
            **line.condition._asdict(),
            "n_runs": line.n_runs,
            "n_trials": line.n_trials,
            **{
                name: {"mean": _known(each.mean), "low": _known(each.low), "high": _known(each.high)}
                for name, each in line.scores.items()
            },
        }
        for line in lines(results)
    ]
    runs = [
        {
            **condition._asdict(),
            "seed": seed,
            "n_trials": by_seed[seed].n_trials,
            **{name: _known(getattr(by_seed[seed], name)) for name in scores_of(results)},
        }
        for condition, by_seed in results.items()
        for seed in sorted(by_seed)
    ]
    return json.dumps({**about, "table": table, "runs": runs}, indent=1) + "\n"


def as_markdown(results: Results, about: Mapping[str, Any]) -> str:  # noqa: ARG001
    """A table that people read as it is."""
    head = [*fields_of(results), "runs", "trials", *scores_of(results).values()]
    body = [
        [*line.condition, str(line.n_runs), str(line.n_trials), *map(spelled, line.scores.values())]
        for line in lines(results)
    ]
    return _table(head, body)


def spelled(value: Estimate) -> str:
    """A score and its interval, such as ``2.31 (2.20-2.43)``."""
    if math.isnan(value.mean):
        return "none"
    told = f"{value.mean:.2f}"
    return told if math.isnan(value.low) else f"{told} ({value.low:.2f}-{value.high:.2f})"


FORMATS: Final[Mapping[str, Callable[[Results, Mapping[str, Any]], str]]] = MappingProxyType(
    {".csv": as_csv, ".json": as_json, ".md": as_markdown}
)
"""What writes a table, by the ending of its file."""


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(head, *body, strict=True)]

    def row(cells: Sequence[str]) -> str:
        return (
            "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"
        )

    return "\n".join([row(head), row(["-" * width for width in widths]), *map(row, body)]) + "\n"
