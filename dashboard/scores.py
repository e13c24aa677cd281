"""The table that ranks decoders, over the last seconds, the newest trial, and since they began."""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any, Final

from engine.answers.scores.decoder_score import WINDOW
from engine.answers.scores.scorer import Scoreboard
from engine.answers.scores.summary import Summary, TrialScore, joined_later
from engine.answers.scores.sums import Measures

Row = list[Any]
"""Texts, and before them data for the row's element, if there are any."""

TOLD: Final = "\N{DAGGER}"
UNKNOWN: Final = "\N{EN DASH}"

PERIODS: Final[Mapping[str, Callable[[Summary], Measures | None]]] = {
    "window": lambda summary: summary.window,
    "trial": lambda summary: summary.trials[-1].measures if summary.trials else None,
    "total": lambda summary: summary.total,
}
"""What is measured, by the period's name."""


def score_tables(
    board: Scoreboard, bin_rate: float, marked: Sequence[str], told: Container[str] = ()
) -> dict[str, list[Row]]:
    """The rows of each period's table, the best decoder first.

    Parameters
    ----------
    board : Scoreboard
    bin_rate : float
        Bins per second.
    marked : sequence of str
        Decoders that have a colour.
    told : container of str
        Decoders that may know the truth, which the floor without spikes shows the worth of.
    """
    tables, decoders = {}, board.decoders
    for period, measured in PERIODS.items():
        known = [(measures, name) for name, each in decoders.items() if (measures := measured(each))]
        begins = {name: begin(period, decoders[name], board.next_bin, bin_rate) for _, name in known}
        later = joined_later(begins, bin_rate)
        rows = []
        for place, (measures, name) in enumerate(sorted(known, key=lambda item: item[0].merit), start=1):
            mark = {"mark": marked.index(name) + 1} if name in marked else {}
            trial = decoders[name].trials[-1] if period == "trial" else None
            called = f"{TOLD} {name}" if name in told else name
            called += f" (from {later[name]:.0f} s later on)" if name in later else ""
            rows.append([mark, str(place), called, *cells(measures, trial)])
        tables[f"scores-{period}"] = rows
    return tables


def begin(period: str, summary: Summary, next_bin: int, bin_rate: float) -> int:
    """The first bin that the scores of a period are about."""
    if period == "trial":
        return summary.trials[-1].sequence_number
    return summary.first if period == "total" else max(summary.first, next_bin - round(WINDOW * bin_rate))


def cells(measures: Measures, trial: TrialScore | None) -> list[str]:
    """One decoder's numbers, as the page's table has its columns."""
    if trial is None:
        hits = f"{measures.n_hits} / {measures.n_trials}"
    else:
        hits = f"{trial.trial_id}: {UNKNOWN if trial.hit is None else 'hit' if trial.hit else 'miss'}"
    return [
        spell(measures.r2_position, 2),
        spell(measures.r2_velocity, 2),
        spell(measures.rmse_position, 1),
        hits,
        spell(measures.bit_rate, 2),
        spell(measures.latency_p50_ms, 1),
        spell(measures.latency_p99_ms, 1),
        spell(100 * measures.coverage, 0),
    ]


def spell(value: float, digits: int) -> str:
    return UNKNOWN if math.isnan(value) else f"{value:.{digits}f}"
