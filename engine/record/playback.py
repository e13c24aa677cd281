"""What decoders answered when a record was made, given again when the record is played."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

from engine.errors import DeckError
from engine.recording import Answers
from engine.replay import Replay

Receive = Callable[[str, int, tuple[float, float, float, float], float], object]
"""Takes a decoder's name, a sequence number, x, y, vx, vy, and when it was received, s of the engine's
clock: `engine.predictions.Predictions.receive`."""


class Playback:
    """Gives each bin its recorded answers as soon as it is sent, dated as late as they were then.

    A listener of the replay with a thread of its own, until `close`.

    Parameters
    ----------
    replay : Replay
        Plays the record that `answers` belong to.
    answers : Answers
    receive : function
    """

    def __init__(self, replay: Replay, answers: Answers, receive: Receive) -> None:
        self._replay = replay
        self._answers = answers
        self._receive = receive
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
        answers, names = self._answers.rows, self._answers.names
        numbers, due = rows["sequence_number"].tolist(), rows["due"].tolist()
        firsts = answers["packet_id"].searchsorted(rows["packet_id"], "left").tolist()
        ends = answers["packet_id"].searchsorted(rows["packet_id"], "right").tolist()
        for number, at, first, end in zip(numbers, due, firsts, ends, strict=True):
            for _, decoder, delay, values in answers[first:end].tolist():
                with suppress(DeckError):  # there is no room for another decoder
                    self._receive(names[decoder], number, tuple(values), at + delay)
        self._cursor += lost + len(rows)
        self._replay.more()
