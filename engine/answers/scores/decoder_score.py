"""One decoder's scores: its answers in the order in which they came, summed per second, trial and run."""

from __future__ import annotations

from collections import deque
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.answers.cursor import Cursor
from engine.answers.scores.acquisition import Acquisition
from engine.answers.scores.histogram import LATENCY
from engine.answers.scores.lag import LagFollower, Lags
from engine.answers.scores.moments import Floats
from engine.answers.scores.pending import Numbers, Pending
from engine.answers.scores.places import LastPlaces
from engine.answers.scores.reach import Reach
from engine.answers.scores.resampled import Resampled
from engine.answers.scores.sent import Reference, Sent
from engine.answers.scores.summary import Summary, TrialScore
from engine.answers.scores.sums import Sums
from engine.bins.answered import Verdict
from engine.bins.schema import Rows

WINDOW: Final = 10
"""Seconds of recording that count as recent."""
HISTORY: Final = 60
"""Seconds for which the course of R2 is kept."""
TRIALS_KEPT: Final = 5000


class Visit:
    """One passage through a trial."""

    def __init__(self, row: int, number: int, sums: Sums, entry: Rows) -> None:
        self.row = row
        self.entry = entry  # its first bin
        self.first = self.last = number
        self.sums = sums
        self.reach: Reach | None = None


class DecoderScore:
    """The scores of one decoder.

    A position or velocity is scored at its bin whenever it comes; what has a direction in time (the
    cursor, trials, the lag) follows the bins in ascending order, without those that come late to that.

    Parameters
    ----------
    reference : Reference
    lags : Lags
    kept : int
        Bins of which the fate is remembered.

    Attributes
    ----------
    pending : Pending
        Which bins it is to answer.
    places : LastPlaces
    """

    def __init__(self, reference: Reference, lags: Lags, kept: int) -> None:
        self.total = Sums(lags)
        self.pending = Pending(kept)
        self.places = LastPlaces(reference.n_bins)
        self.trials: deque[TrialScore] = deque(maxlen=TRIALS_KEPT)
        self.history: deque[tuple[float, float]] = deque(maxlen=HISTORY)
        self._resampled = Resampled()
        self._reference = reference
        self._lags = lags
        self._per_block = max(round(reference.bin_rate), 1)
        self._blocks: dict[int, Sums] = {}
        self._told_block = -1
        self._present = False
        self._first = -1
        self._newest = -1
        self._newest_packet = -1
        self._cursor = Cursor(reference.bin_width)
        self._lag = LagFollower(lags)
        self._by_velocity: bool | None = None
        self._visit: Visit | None = None
        self._acquired: dict[int, Acquisition] = {}  # by the row of the trial, before its visit ends

    @property
    def first(self) -> int:
        """The first bin that it answered; -1 before that."""
        return self._first

    def acquire(self, acquisition: Acquisition) -> None:
        """Take in a trial of a closed loop that this decoder has moved the cursor in."""
        judged = Sums(self._lags)
        judged.acquire(acquisition)
        self._book(acquisition.last, judged)
        self._acquired[acquisition.row] = acquisition
        if len(self._acquired) > TRIALS_KEPT:
            del self._acquired[next(iter(self._acquired))]

    def expect(self, numbers: Numbers, bins: Rows) -> None:
        """Note that these bins were sent."""
        self.pending.note(numbers, self._present & bins["observed"] & ~bins["lost"])

    # What it has sent

    def read(self, lines: Rows, sent: Sent, radius: float) -> list[TrialScore]:
        """Take lines of the log, of this decoder alone.

        Parameters
        ----------
        lines : ndarray, shape (n,), dtype `engine.answers.prediction.PREDICTION`
        sent : Sent
            At least up to the newest bin that the lines are about.
        radius : float
            Of targets.

        Returns
        -------
        list of TrialScore
            Of the trials that have ended.
        """
        finished: list[TrialScore] = []
        left = np.flatnonzero(lines["verdict"] == Verdict.LEFT)
        for part in np.split(np.arange(len(lines)), left):
            if len(part) and lines["verdict"][part[0]] == Verdict.LEFT:
                self._leave(int(lines["sequence_number"][part[0]]), sent, radius, finished)
                part = part[1:]
            verdicts = lines["verdict"][part]
            answers = part[verdicts <= Verdict.LATE]
            answers = answers[sent.holds(lines["sequence_number"][answers])]
            if len(answers):
                self._enter(int(lines["sequence_number"][answers[0]]), sent)
                self._answer(lines[answers], sent.at(lines["sequence_number"][answers]), radius, finished)
            dropped = lines["sequence_number"][part[verdicts == Verdict.DROPPED]]
            self.pending.release(dropped)
            self._count_refused(np.bincount(verdicts, minlength=4)[: Verdict.DROPPED])
        self.trials.extend(finished)
        return finished

    def _enter(self, first: int, sent: Sent) -> None:
        """Be expected to answer each bin from the first one answered on."""
        if self._present:
            return
        self._present = True
        if self._first < 0:
            self._first = first
        numbers = self.pending.unanswered(np.arange(max(first, self.pending.settled), sent.end))
        self.expect(numbers, sent.at(numbers))

    def _leave(self, first: int, sent: Sent, radius: float, finished: list[TrialScore]) -> None:
        self._present = False
        self.pending.release(np.arange(first, sent.end))
        self._end_visit(radius, finished)

    def _count_refused(self, counts: Numbers) -> None:
        if counts[Verdict.STALE :].any():
            sums = Sums(self._lags)
            sums.verdicts[Verdict.STALE :] = counts[Verdict.STALE :]
            self._book(self._newest, sums)

    def _answer(self, lines: Rows, bins: Rows, radius: float, finished: list[TrialScore]) -> None:
        numbers: Numbers = lines["sequence_number"]
        self.pending.answer(numbers, bins["observed"])
        predicted = np.concatenate((self._places(lines, bins), lines["values"][:, 2:]), axis=1)
        self.places.note(bins["packet_id"], predicted[:, :2])
        if self._by_velocity is None:
            self._by_velocity = bool(np.isfinite(lines["values"][0, 2]))
        newest = np.maximum.accumulate(np.concatenate(([self._newest], numbers)))[:-1]
        ahead = numbers > newest
        for part in self._segments(numbers, bins, ahead):
            sums = self._sums(lines[part], bins[part], predicted[part])
            if ahead[part[0]]:
                self._follow(numbers[part], bins[part], predicted[part], sums, radius, finished)
            self._book(int(numbers[part[0]]), sums)

    def _places(self, lines: Rows, bins: Rows) -> Floats:
        """Where the cursor is at each bin, shape (n, 2)."""
        places = [
            self._cursor.move(number, stretch, (truth[0], truth[1]), tuple(values))
            for number, stretch, truth, values in zip(
                lines["sequence_number"].tolist(),
                bins["stretch"].tolist(),
                bins["kinematics"].tolist(),
                lines["values"].tolist(),
                strict=True,
            )
        ]
        return np.array(places)

    def _segments(
        self, numbers: Numbers, bins: Rows, ahead: npt.NDArray[np.bool_]
    ) -> list[npt.NDArray[np.intp]]:
        """Cut answers where the second, the trial or the stretch changes; laggards stand alone."""
        in_order = np.flatnonzero(ahead)
        late = np.flatnonzero(~ahead)
        parts = [late[i : i + 1] for i in range(len(late))]
        if len(in_order):
            number, packet = numbers[in_order], bins["packet_id"][in_order]
            trial, block = bins["trial"][in_order], number // self._per_block
            cut = (np.diff(packet) != np.diff(number)) | (np.diff(trial) != 0) | (np.diff(block) != 0)
            parts = [*np.split(in_order, np.flatnonzero(cut) + 1), *parts]
        return parts

    def _sums(self, lines: Rows, bins: Rows, predicted: Floats) -> Sums:
        sums, observed = Sums(self._lags), bins["observed"]
        sums.take(bins["kinematics"][observed], predicted[observed], self._reference.moving_above)
        sums.latency += LATENCY.count(lines["received"] - bins["due"])
        sums.verdicts[: Verdict.STALE] += np.bincount(lines["verdict"], minlength=2)
        sums.n_answered = int(np.count_nonzero(observed))
        return sums

    # What has a direction in time

    def _follow(
        self,
        numbers: Numbers,
        bins: Rows,
        predicted: Floats,
        sums: Sums,
        radius: float,
        finished: list[TrialScore],
    ) -> None:
        packets, observed, row = bins["packet_id"], bins["observed"], int(bins["trial"][0])
        if packets[0] - self._newest_packet != numbers[0] - self._newest:
            self._lag.jump()
            self._end_visit(radius, finished)
        elif self._visit is not None and self._visit.row != row:
            self._end_visit(radius, finished)
        self._newest, self._newest_packet = int(numbers[-1]), int(packets[-1])
        if observed.any():
            dims = slice(2, 4) if self._by_velocity else slice(0, 2)
            truth = bins["kinematics"][observed][:, dims]
            sums.take_lagged(self._lag.add(numbers[observed], truth, predicted[observed][:, dims]))
        if row < 0:
            return
        if self._visit is None:
            self._visit = Visit(row, int(numbers[0]), Sums(self._lags), bins[0])
        if self._visit.reach is None:  # the go cue of a live trial is told when it comes
            self._visit.reach = self._reach(row, self._visit.entry)
        self._visit.last = int(numbers[-1])
        self._visit.sums.add(sums)
        if self._visit.reach is not None:
            self._visit.reach.follow(packets[observed], predicted[observed][:, :2], radius)

    def _reach(self, row: int, first: Rows) -> Reach | None:
        """None where the go cue was before the first bin, there is no target, or others are judged by."""
        if self._reference.goal is not None:
            return None
        go_bin = self._reference.go_bins[row]
        if go_bin < first["packet_id"] or not np.isfinite(first["target"]).all():
            return None
        return Reach(go_bin, first["target"].copy(), self._reference.bin_width)

    def _end_visit(self, radius: float, finished: list[TrialScore]) -> None:
        visit, self._visit = self._visit, None
        if visit is None:
            return
        self._resampled.take(visit.sums.signals)
        outcome = visit.reach.outcome(radius) if visit.reach else None
        if outcome is not None:
            judged = Sums(self._lags)
            judged.judge(outcome)
            visit.sums.add(judged)
            self._book(visit.last, judged)
        acquired = self._acquired.pop(visit.row, None)
        if acquired is not None:
            visit.sums.acquire(acquired)
            outcome = acquired.outcome
        unanswered = self.pending.count(visit.first, visit.last + 1)
        finished.append(
            TrialScore(
                trial_id=self._reference.trial_ids[visit.row],
                sequence_number=visit.first,
                hit=outcome.hit if outcome else None,
                measures=visit.sums.measures(unanswered),
            )
        )

    def _book(self, number: int, sums: Sums) -> None:
        self.total.add(sums)
        self._blocks.setdefault(number // self._per_block, Sums(self._lags)).add(sums)

    # What others see

    def turn(self, newest: int) -> None:
        """Forget the seconds that are over, given the newest bin sent, and note the course of R2."""
        block = newest // self._per_block
        for old in [each for each in self._blocks if each <= block - WINDOW]:
            del self._blocks[old]
        if block != self._told_block:
            n = block - self._told_block if self._told_block >= 0 else 1  # several a look, at high speed
            self._told_block = block
            recent = self._recent().measures(0)
            self.history.extend([(recent.r2_position, recent.r2_velocity)] * min(n, HISTORY))

    def summary(self) -> Summary:
        """Everything as it stands."""
        recent, first = self._recent(), min(self._blocks, default=0) * self._per_block
        return Summary(
            first=self._first,
            window=recent.measures(self.pending.count(first, self._newest + 1) if self._blocks else 0),
            total=self.total.measures(self.pending.missing),
            trials=tuple(self.trials),
            history=np.array(self.history, np.float32).reshape(-1, 2),
            errors=recent.errors,
            intervals=self._resampled.intervals(),
        )

    def _recent(self) -> Sums:
        sums = Sums(self._lags)
        sums.add(*(self._blocks[block] for block in sorted(self._blocks)))
        return sums
