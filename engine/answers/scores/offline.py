"""The scores of a record, recomputed from what it holds."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from engine.answers.scores.board import Board
from engine.answers.scores.sent import Reference
from engine.answers.scores.summary import Summary
from engine.bins.schema import Rows
from engine.deck.replay import KEPT_SECONDS

PORTION = 512
"""Bins at a time."""


def rescore(
    rows: Rows,
    predictions: Rows,
    names: Sequence[str],
    reference: Reference,
    radius: float,
    until: float = math.inf,
    driver: str | None = None,
) -> dict[str, Summary]:
    """Score decoders from a session's bins and its log of predictions, as the live session did.

    Parameters
    ----------
    rows : ndarray, shape (n,), dtype `engine.bins.schema.row_dtype`
        Bins in the order in which they were sent; ``counts`` are not needed.
    predictions : ndarray, shape (m,), dtype `engine.answers.prediction.PREDICTION`
        In the order in which they were received. What is about bins that `rows` do not hold is left out.
    names : sequence of str
        Of the decoders.
    reference : Reference
    radius : float
        Of targets, in length units.
    until : float, optional
        On the clock of ``due``: bins that were due within 10 s before are not missing yet.
    driver : str, optional
        Of a closed loop: the decoder that moved the cursor.

    Returns
    -------
    dict of str to Summary
        By decoder.
    """
    board = Board(reference, max(round(KEPT_SECONDS * reference.bin_rate), PORTION))
    numbers = rows["sequence_number"]
    if not len(rows):
        return {}
    held = predictions["sequence_number"] >= numbers[0]
    lines = predictions[held]
    newest = np.maximum.accumulate(lines["sequence_number"])
    done = 0
    drove = names.index(driver) if driver in names else None
    for first in range(0, len(rows), PORTION):
        portion = rows[first : first + PORTION]
        # Of the log what comes before its first line about a later bin.
        end = int(np.searchsorted(newest, portion["sequence_number"][-1], side="right"))
        board.advance(portion, lines[done:end], radius, min(until, float(portion["due"][-1])), drove)
        done = end
    board.advance(rows[:0], lines[done:][newest[done:] <= numbers[-1] + 1], radius, until, drove)
    return {names[decoder]: summary for decoder, summary in board.summaries().items()}
