"""A closed loop without socket, thread or clock: bin for bin what a session in lockstep is."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any, Final

import numpy as np

from engine.answers.scores.acquisition import Acquisition, Acquisitions
from engine.bins.schema import Rows
from engine.bins.source import Block, Moved
from engine.deck.transport import Transport
from engine.decoders import Decoder
from engine.errors import NotNow

Values = tuple[float, float, float, float]
"""x, y, vx, vy; NaN where there is none."""
Answer = Callable[[np.void], Values]
"""What answers a bin, of `engine.bins.schema.row_dtype`, that was not lost."""

DRIVER: Final = "driver"
PORTION: Final = 64
"""Bins that are judged at once."""


def answering(decoder: Decoder) -> Answer:
    """What a decoder answers that gets the bins of a session from the first one on."""
    decoder.reset()
    trial = -1

    def answer(row: np.void) -> Values:
        nonlocal trial
        if row["trial"] != trial:
            if trial >= 0:
                decoder.on_done()
            trial = int(row["trial"])
        truth = row["kinematics"] if decoder.uses_truth else None
        x, y, vx, vy = decoder.predict(row["counts"], truth).tolist()
        return x, y, vx, vy

    return answer


def bins(
    source: Moved, answer: Answer, seed: int = 0, perturbation: Mapping[str, Any] | None = None
) -> Iterator[Rows]:
    """The bins of a closed loop in lockstep, one after the other, without end.

    Parameters
    ----------
    source : Moved
        In lockstep.
    answer : function
    seed : int
        Of the perturbations.
    perturbation : mapping, optional
        As `engine.stages.perturb.Perturbations.change` takes it.

    Yields
    ------
    ndarray, shape (1,), dtype `engine.bins.schema.row_dtype`
        The same memory each time, and not answered yet.

    Raises
    ------
    NotNow
        If there is no answer, which a session would wait for.
    """
    transport, block = Transport(source, seed, "max", perturbation or {}), Block(source.description, 1)
    width = source.description.bin_width
    source.attend(DRIVER)
    transport.start(0.0)
    for number in count():
        block.first = number
        transport.reach(number)
        n, _, _ = transport.make(block, 1, number * width)
        if not n:
            raise NotNow(f"A session would wait for ever for {source.waits_for}. Choose another decoder.")
        yield block.rows
        row = block.rows[0]
        if not row["lost"]:
            values = answer(row)
            if any(map(math.isfinite, values)):
                source.answer(DRIVER, number, values)


def trials(loop: Iterator[Rows], source: Moved, n: int) -> list[Acquisition]:
    """The first `n` trials of a closed loop's `bins`, judged as the scores of a session judge them."""
    description = source.description
    assert description.goal is not None
    judge = Acquisitions(description.goal, description.bin_width)
    ended: list[Acquisition] = []
    while len(ended) < n:
        portion = np.concatenate([next(loop).copy() for _ in range(PORTION)])
        ended += judge.take(portion)
    return ended[:n]
