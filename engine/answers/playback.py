"""What decoders answered when a record was made, given again when the record is played."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

from engine.answers.predictions import Predictions
from engine.bins.answered import Answers, Verdict
from engine.deck.replay import Replay
from engine.errors import BadPrediction


class Playback:
    """Gives recorded answers as soon as the bin is sent that was the newest when they came.

    They count under the names of then, which are held. They come in the order of then, dated as late
    after their bin's being due as they were then. An answer to a bin that this session has not sent
    before, as after a seek, is left out. A listener of the replay with a thread of its own, until `close`.

    Parameters
    ----------
    replay : Replay
        Plays the record that `answers` belong to.
    answers : Answers
    predictions : Predictions
        Where they go.
    """

    def __init__(self, replay: Replay, answers: Answers, predictions: Predictions) -> None:
        self._replay = replay
        self._answers = answers
        self._predictions = predictions
        self._names = [predictions.holds.take(name).name for name in answers.names]
        self._cursor = replay.ring.head
        self._news = threading.Event()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="playback", daemon=True)
        replay.add_listener(self)
        self._thread.start()

    def wake(self) -> None:
        self._news.set()

    def floor(self) -> int:
        return self._cursor

    def close(self) -> None:
        """End the thread, once all that was sent has its answers. A second call does nothing."""
        self._closed = True
        self._news.set()
        self._thread.join()
        self._replay.remove_listener(self)

    def _run(self) -> None:
        while not self._closed:
            self._news.wait()
            self._news.clear()
            self._give()
        self._give()

    def _give(self) -> None:
        rows, lost = self._replay.ring.since(self._cursor)
        answers = self._answers.rows
        numbers, due = rows["sequence_number"].tolist(), rows["due"].tolist()
        firsts = answers["packet_id"].searchsorted(rows["packet_id"], "left").tolist()
        ends = answers["packet_id"].searchsorted(rows["packet_id"], "right").tolist()
        for number, at, first, end in zip(numbers, due, firsts, ends, strict=True):
            for answer in answers[first:end].tolist():
                with suppress(BadPrediction):  # there is no room for another decoder
                    self._repeat(number, at, *answer)
        self._cursor += lost + len(rows)
        self._replay.more()

    def _repeat(
        self, newest: int, due: float, packet_id: int, behind: int, index: int, delay: float,
        values: Any, verdict: int,
    ) -> None:  # fmt: skip
        """Repeat one answer, given the number of the newest bin and when that was due."""
        name, number = self._names[index], newest - behind
        if verdict == Verdict.LEFT:
            self._predictions.leave(name, due + delay, number)
            return
        if behind:
            rows, lost = self._replay.ring.since(max(number, 0), 1)
            if not lost:
                if rows["sequence_number"][0] != number or rows["packet_id"][0] != packet_id - behind:
                    return
                due = float(rows["due"][0])
        if verdict == Verdict.DROPPED:
            self._predictions.drop(name, number, number + 1, due + delay)
        else:
            self._predictions.receive(name, number, tuple(values), due + delay)
