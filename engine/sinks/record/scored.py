"""The scores in a record, and the same recomputed from its bins and predictions."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, Final

import numpy as np

from engine.answers.scores.offline import rescore
from engine.answers.scores.scorer import Scorer
from engine.answers.scores.sent import Reference
from engine.answers.scores.summary import Summary
from engine.deck.transport import SCORED_FROM
from engine.errors import RecordingError
from engine.sinks.record.record import Record

SETTLED_WITHIN: Final = 2.0
"""Seconds that the scorer gets to take the last predictions in."""
ANEW: Final = re.compile(rf"(?:^restart |{SCORED_FROM})(\d+)$")
"""A note after which scores begin anew, with the first bin that counts."""
DEFAULT_RADIUS: Final = 10.0
"""Of targets, in length units, where a record says none."""


def scores_of(scorer: Scorer, radius: float, first_line: int) -> dict[str, Any]:
    """The scores of a session as a record keeps them.

    Parameters
    ----------
    scorer : Scorer
    radius : float
        That of targets at the end, in length units.
    first_line : int
        Of the log of predictions: the first that the record has.

    Returns
    -------
    dict
        Ready for JSON; empty if nobody predicted. ``decoders`` has, by name, the `Measures` ``total``
        and ``window``, and ``trials``. The others say what they are about: the bins before
        ``next_bin``, so many ``predictions`` of the record, the ``hit_radius``, ``at``, s of the
        engine's clock, and of a closed loop the ``driver``. They reach back to the decoder's first
        prediction, before the record if that began later.
    """
    board = scorer.settle(SETTLED_WITHIN)
    if not board.decoders:
        return {}
    return {
        "at": board.at,
        "next_bin": board.next_bin,
        "predictions": max(board.next_line - first_line, 0),
        "hit_radius": radius,
        "decoders": plain(board.decoders),
        **({} if scorer.driver is None else {"driver": scorer.driver}),
    }


def plain(summaries: Mapping[str, Summary]) -> dict[str, Any]:
    """Summaries ready for JSON, by decoder."""
    return {
        name: {
            "total": asdict(summary.total),
            "window": asdict(summary.window),
            "trials": [asdict(trial) for trial in summary.trials],
        }
        for name, summary in summaries.items()
    }


def recompute(record: Record) -> dict[str, Summary]:
    """Score the decoders of a record from its bins and predictions.

    Equal to the record's own scores, if that began before the first bin that was answered, in a closed
    loop before the trial that it is of, and the radius of targets stayed as it was. A record that was
    cut off is scored to its end.

    Returns
    -------
    dict of str to Summary
        By decoder.

    Raises
    ------
    RecordingError
        If it is of a closed loop and does not tell who drove.
    """
    driver = driver_of(record)
    if of_closed_loop(record) and driver is None:
        raise RecordingError(
            f"{record.header.name} is of a closed loop, and does not tell who drove, so that it cannot be "
            "scored again. Take the scores that it has."
        )
    header, about = record.header, record.scores or _all_of(record)
    reference = Reference(
        header.bin_rate,
        tuple(trial.trial_id for trial in header.trials),
        header.go_bins,
        header.goal,
        moving_above=math.nan if header.moving_above is None else header.moving_above,
    )
    numbers = record.rows["sequence_number"]
    first, end = np.searchsorted(numbers, (_begins(record, about["next_bin"]), about["next_bin"])).tolist()
    rows = record.rows[first:end] if end - first < len(numbers) else record.rows
    lines = record.predictions[: about["predictions"]]
    return rescore(rows, lines, record.decoders, reference, about["hit_radius"], about["at"], driver)


def _begins(record: Record, next_bin: int) -> int:
    """The bin from which scores count that are about the bins before `next_bin`."""
    told = (ANEW.search(note.text) for note in record.notes)
    return max((first for found in told if found and (first := int(found[1])) <= next_bin), default=0)


def with_scores(record: Record) -> Record:
    """The record; with scores, if it was cut off before it had any and they can be known."""
    unknown = of_closed_loop(record) and driver_of(record) is None
    if record.scores or unknown or not len(record.predictions) or not len(record.rows):
        return record
    return replace(record, scores={**_all_of(record), "decoders": plain(recompute(record))})


def driver_of(record: Record) -> str | None:
    """The decoder that moved the cursor, if the record is of a closed loop and tells it."""
    loop = record.settings[-1].get("closed_loop") if record.settings else None
    driver = record.scores.get("driver") or (loop or {}).get("driver")
    return None if driver is None else str(driver)


def of_closed_loop(record: Record) -> bool:
    """Whether a user's intention is in it."""
    return "intended" in (record.rows.dtype.names or ()) and bool(
        np.isfinite(record.rows["intended"]).any()
    )


def _all_of(record: Record) -> dict[str, Any]:
    """What scores are about that are about a whole record."""
    last = record.rows[-1:]
    view = record.settings[-1].get("view", {}) if record.settings else {}
    return {
        "at": float(last["due"].sum()),
        "next_bin": int(last["sequence_number"].sum()) + 1,
        "predictions": len(record.predictions),
        "hit_radius": view.get("hit_radius", DEFAULT_RADIUS),
    }
