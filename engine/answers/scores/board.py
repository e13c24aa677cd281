"""The scores of all decoders of a session, from the bins it sent and the log of predictions."""

from __future__ import annotations

from typing import Final

import numpy as np

from engine.answers.scores.acquisition import Acquisition, Acquisitions
from engine.answers.scores.decoder_score import DecoderScore
from engine.answers.scores.lag import Lags
from engine.answers.scores.places import LastPlaces
from engine.answers.scores.sent import Reference, Sent
from engine.answers.scores.summary import Summary, TrialScore
from engine.bins.answered import Verdict
from engine.bins.schema import Rows

MISSING_AFTER: Final = 10.0
"""Seconds after which a bin without an answer counts as missing, or earlier if it leaves the ring."""


class Board:
    """Scores that grow with what is fed, in whatever portions.

    Parameters
    ----------
    reference : Reference
    capacity : int
        Bins after which a prediction is stale.
    """

    def __init__(self, reference: Reference, capacity: int) -> None:
        self._reference = reference
        self._capacity = capacity
        self._lags = Lags(reference.bin_rate)
        self._sent = Sent(2 * capacity, intended=reference.goal is not None)
        self._acquisitions = Acquisitions(reference.goal, reference.bin_width) if reference.goal else None
        self._scores: dict[int, DecoderScore] = {}
        self._settled = 0  # the bins before that are missing, or answered
        self._ended: list[Acquisition] = []  # trials that no decoder has been given yet

    def advance(
        self, rows: Rows, lines: Rows, radius: float, now: float, driver: int | None = None
    ) -> list[tuple[int, TrialScore]]:
        """Take what is new.

        Parameters
        ----------
        rows : ndarray, shape (n,), dtype `engine.bins.schema.row_dtype`
            Bins in the order in which they were sent, at most as many as the capacity.
        lines : ndarray, shape (m,), dtype `engine.answers.prediction.PREDICTION`
            In the order in which they were received; about bins that are in `rows` or were before.
        radius : float
            Of targets, in length units.
        now : float
            On the clock of ``due``.
        driver : int, optional
            Of a closed loop: the decoder that moves the cursor, whose are the trials that end.

        Returns
        -------
        list of tuple
            Decoder and score of every trial that has ended.
        """
        if len(rows):
            before = self._sent.end
            numbers = self._sent.take(rows)
            bins = self._sent.at(numbers)
            if self._acquisitions:
                self._ended += self._acquisitions.take(rows)
            for score in self._scores.values():
                score.pending.skip(before, int(numbers[0]))
                score.expect(numbers, bins)
        self._credit(driver, lines)
        finished = []
        for decoder in np.unique(lines["decoder"]).tolist():
            own = lines[lines["decoder"] == decoder]
            trials = self._score(decoder).read(own, self._sent, radius)
            finished += [(decoder, trial) for trial in trials]
        horizon = self._horizon(now)
        for score in self._scores.values():
            score.pending.settle(horizon)
            score.turn(self._sent.end - 1)
        return finished

    def _credit(self, driver: int | None, lines: Rows) -> None:
        """Give the trials that have ended to the decoder that drives, from its first answered bin on.

        Until that is known they wait, but no longer than a bin may be answered.
        """
        oldest = self._sent.end - self._capacity
        self._ended = [acquisition for acquisition in self._ended if acquisition.last >= oldest]
        if driver is None or not self._ended:
            return
        score = self._score(driver)
        first = score.first
        if first < 0:
            answers = lines[(lines["decoder"] == driver) & (lines["verdict"] <= Verdict.LATE)]
            numbers = answers["sequence_number"][self._sent.holds(answers["sequence_number"])]
            if not len(numbers):
                return
            first = int(numbers[0])
        for acquisition in self._ended:
            if acquisition.last >= first:
                score.acquire(acquisition)
        self._ended = []

    def summaries(self) -> dict[int, Summary]:
        """By decoder."""
        return {decoder: score.summary() for decoder, score in self._scores.items()}

    def places(self) -> dict[int, LastPlaces]:
        """By decoder; they go on with the scores."""
        return {decoder: score.places for decoder, score in self._scores.items()}

    def _score(self, decoder: int) -> DecoderScore:
        if decoder not in self._scores:
            self._scores[decoder] = DecoderScore(self._reference, self._lags, self._sent.kept)
        return self._scores[decoder]

    def _horizon(self, now: float) -> int:
        """Number of the first bin that may still be answered without being missing."""
        end = self._sent.end
        first = max(self._settled, end - self._capacity)
        dues = self._sent.at(np.arange(first, end))["due"]
        self._settled = first + int(np.searchsorted(dues, now - MISSING_AFTER))
        return self._settled
