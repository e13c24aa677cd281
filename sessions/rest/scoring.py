"""REST calls about decoders' predictions: how good they are, and where they come from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.answers.prediction import checked_name
from engine.answers.scores.comparison import compare, estimates
from engine.answers.scores.resampled import Intervals
from engine.answers.scores.summary import joined_later
from sessions.rest.context import Context
from sessions.rest.models.scores import (
    Comparison,
    DecoderScores,
    EstimateAnswer,
    FloorsAnswer,
    MeasuresAnswer,
    PairAnswer,
    Scores,
    SourceAnswer,
    Sources,
    TrialScoreAnswer,
)
from sessions.rest.requests import ComparisonQuery, SourceQuery
from sessions.session import Session

TRIALS_SHOWN = 20
LATENCIES_TOLD = 400
"""Newest packets of which the latencies count."""


@dataclass(frozen=True)
class LatencyParts:
    """Where the time goes, in medians, ms after a bin was due.

    Attributes
    ----------
    ticked : float
        The replay sends it.
    sent : float
        It has been handed to the last decoder's socket; NaN without WebSocket decoders.
    received : mapping of str to float
        Its prediction is here, by decoder; NaN if there was none within 10 s.
    """

    ticked: float
    sent: float
    received: Mapping[str, float]


def show_scores(context: Context, code: str) -> Scores:
    """How good the decoders of a session are that send predictions.

    A decoder sends `{"type": "prediction", "sequence_number": n, "x": .., "y": ..}` and/or `vx`, `vy`
    on its stream. The scores are kept until the session ends.
    """
    return scores(context.session(code))


def scores(session: Session) -> Scores:
    """The scores of a session, half a second old at most."""
    refused, told = session.predictions.refused, session.predictions.holds.told
    decoders, summaries = {}, session.scores.latest().decoders
    begins = {name: summary.first for name, summary in summaries.items()}
    later = joined_later(begins, session.description.bin_rate)
    for rank, (name, summary) in enumerate(summaries.items(), start=1):
        trials = [TrialScoreAnswer.model_validate(trial) for trial in summary.trials[-TRIALS_SHOWN:]]
        decoders[name] = DecoderScores(
            **asdict(summary.total),
            rank=rank,
            first_sequence_number=summary.first,
            joined_later=later.get(name, 0.0),
            truth=name in told,
            refused=refused[name],
            **_intervals(summary.intervals),
            window=MeasuresAnswer.model_validate(summary.window),
            trial=trials[-1] if trials else None,
            trials=trials,
        )
    found = session.floors if decoders else None
    return Scores(
        decoders=decoders,
        floors=None if found is None else FloorsAnswer.model_validate(found),
        moving_above=session.scores.moving_above,
    )


def _intervals(found: Intervals) -> dict[str, Any]:
    """By their names in the answer."""
    names = (each.name for each in fields(found) if each.name != "n_trials")
    return {f"{name}_interval": getattr(found, name) for name in names}


def show_comparison(context: Context, code: str, asked: ComparisonQuery) -> Comparison:
    """How sure a measure is of each decoder, and the difference of every two, over trials.

    Two decoders are compared on the passages through trials of which both answered every bin.
    """
    decoders = context.session(code).scores.latest().decoders
    trials = {name: summary.trials for name, summary in decoders.items()}
    found = estimates(trials, asked.measure)
    return Comparison(
        measure=asked.measure,
        decoders={name: EstimateAnswer.model_validate(each) for name, each in found.items()},
        pairs=[PairAnswer.model_validate(pair) for pair in compare(trials, asked.measure)],
    )


def show_sources(context: Context, code: str) -> Sources:
    """The LSL streams from which a session takes predictions."""
    inlets = context.session(code).inlets.present
    sources = [
        SourceAnswer(decoder=name, lsl=inlet.stream, connected=inlet.connected, error=inlet.error)
        for name, inlet in inlets.items()
    ]
    return Sources(sources=sources, count=len(sources))


def add_source(context: Context, code: str, lsl: str, decoder: str | None) -> Sources:
    """Take predictions from an LSL stream."""
    context.session(code).inlets.add(lsl, checked_name(decoder or lsl))
    return show_sources(context, code)


def remove_sources(context: Context, code: str, asked: SourceQuery) -> Sources:
    """Take no more predictions from LSL, for one decoder or for all. Scores are kept."""
    context.session(code).inlets.remove(asked.decoder)
    return show_sources(context, code)


def latency_parts(session: Session) -> LatencyParts:
    """Where the time goes from a bin's being due to its predictions' being received."""
    sent = np.concatenate([np.empty(0), *(a.latencies[-LATENCIES_TOLD:] for a in session.audiences)])
    ticked = session.ring.since(max(session.ring.head - LATENCIES_TOLD, 0))[0]["lateness"]
    decoders = session.scores.latest().decoders
    return LatencyParts(
        ticked=_median_ms(ticked),
        sent=_median_ms(sent),
        received={name: summary.window.latency_p50_ms for name, summary in decoders.items()},
    )


def _median_ms(seconds: npt.NDArray[np.floating[Any]]) -> float:
    return 1000.0 * float(np.median(seconds)) if len(seconds) else math.nan
