"""The thread that plays a session: bin -> ring -> outlets and listeners, each on its deadline."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from engine.bins import clock
from engine.bins.delivery import Delivery, arriving
from engine.bins.ring import STAMP, Ring, row_dtype
from engine.deck.speed import Speed
from engine.deck.transport import Transport
from engine.sinks import Outlet
from engine.sources.recordings.events import trial_events
from engine.sources.recordings.recording import Recording
from engine.sources.recordings.selection import EVERYTHING, Selection

log = logging.getLogger(__name__)

BLOCK: Final = 64
"""Bins handed on at once at speed max, and at most made good at once when late."""
KEPT_SECONDS: Final = 60.0
YIELD: Final = 50e-6
"""Seconds between two blocks at speed max, in which others get the lock."""
IDLE_POLL: Final = 0.1
"""Seconds between looks for an LSL consumer: liblsl calls nobody back."""


class Replay(Transport):
    """Plays one recording for one session.

    Every public method may be called from any thread and returns at once.

    Parameters
    ----------
    recording : Recording
    selection : Selection
    seed : int
        Of the perturbations: same recording, selection and seed, same packets.
    speed : float or "max"
        Times real time, 0.1 to 100; "max" is as fast as the listeners take it.
    loop : bool
    perturbation : mapping
        As `engine.stages.perturb.Perturbations.change` takes it.
    outlets : function, optional
        Makes the outlets, in the replay's own thread.
    name : str
        Of the thread.
    """

    def __init__(
        self,
        recording: Recording,
        *,
        selection: Selection = EVERYTHING,
        seed: int = 0,
        speed: Speed = 1.0,
        loop: bool = True,
        perturbation: Mapping[str, Any] | None = None,
        outlets: Callable[[], Sequence[Outlet]] = tuple,
        name: str = "replay",
    ) -> None:
        super().__init__(recording, selection, seed, speed, loop, perturbation or {})
        dtype = row_dtype(recording.n_units, recording.counts.dtype)
        # A minute, and however slow the bins are, room for what is sent at once.
        self.ring = Ring(dtype, recording.bin_rate, max(KEPT_SECONDS, 2 * BLOCK / recording.bin_rate))
        self.error: str | None = None
        self.outlets_failed = False
        self._events = trial_events(recording)
        self._make_outlets = outlets
        self._outlets: Sequence[Outlet] = ()
        self._in_outlets = False  # whether the thread is in their code
        self._delivery = Delivery(self.ring)
        self._ready = threading.Event()
        self._news = False  # bins that listeners have not been told of
        self._scratch = np.zeros(BLOCK, dtype)  # the same memory as rows and as bytes:
        self._raw = self._scratch.view(np.uint8).data
        self._size = dtype.itemsize
        self._body = dtype.itemsize - recording.bins.itemsize
        self._source = np.ascontiguousarray(recording.bins).view(np.uint8).data
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def heard(self) -> bool:
        """Whether an outlet has consumers."""
        return any(outlet.wanted() for outlet in self._outlets)

    def wait_ready(self, timeout: float | None = None) -> bool:
        """Wait until the outlets are on the network."""
        return self._ready.wait(timeout)

    def close(self) -> None:
        """End the thread and its outlets, and wait for both. A second call does nothing."""
        with self._turn:
            self._enter("closed")
        if self._thread is not threading.current_thread():
            self._thread.join()

    # The thread

    def _run(self) -> None:
        try:
            self._open_outlets()
            self._ready.set()
            while True:
                with self._turn:
                    if self._state == "closed":
                        return
                    until = self._act()
                if self._news:
                    self._news = False
                    for listener in self._listeners:  # out of turn: others may have theirs meanwhile
                        listener.wake()
                self._alarm.wait(until)
        except Exception as error:  # whatever it is, it ends this session alone, and visibly
            log.exception("The replay of %s has failed", self._thread.name)
            self.error = f"{type(error).__name__}: {error}"
            self.outlets_failed |= self._in_outlets
            with self._turn:
                self._enter("failed")
        finally:
            self._ready.set()
            for outlet in self._outlets:
                outlet.close()

    def _open_outlets(self) -> None:
        """Make the outlets; where the network has no room for them, the session plays without."""
        try:
            self._outlets = self._make_outlets()
        except (OSError, RuntimeError):  # liblsl's faults are RuntimeError
            log.exception("%s has no outlets", self._thread.name)
            self.outlets_failed = True

    def _act(self) -> float:
        """Do what is due; return when there is more to do, infinity if something must change before."""
        self._send_notes()
        self._push()
        return min(self._play(), self._delivery.next)

    def _play(self) -> float:
        self._end_if_over()
        if self._steps:
            self._steps -= 1
            at = clock.now()
            self._schedule.restart(at)
            self._send(1, at)
            return at
        if self._state == "idle" and self._outlets:
            if not self.heard():
                return clock.now() + IDLE_POLL
            self._begin()
        if self._state != "playing":
            return math.inf
        if self._speed == "max":
            return self._play_at_max()
        at = clock.now()
        n = self._schedule.ticks_due(at)
        if n:
            self._send(n, at)
        return self._schedule.due

    def _play_at_max(self) -> float:
        self._hungry = True  # before the floors are read, so that a rise after that is told
        floors = [listener.floor() for listener in self._listeners]
        room = self.ring.capacity - (self.ring.head - min(floors)) if floors else 0
        if room < BLOCK // 2:
            return math.inf
        self._hungry = False
        at = clock.now()
        self._schedule.restart(at)
        self._send(room, at)
        return clock.now() + YIELD

    def _send(self, n: int, at: float) -> None:
        """Send up to `n` bins that are due at time `at`."""
        bins = self._playhead.take(min(n, BLOCK)).tolist()
        n, first, size, width = len(bins), self.ring.head, self._size, self._size - self._body
        paced, mask = self._speed != "max", self._perturbations.mask
        for i, index in enumerate(bins):
            due, lateness = self._schedule.tick(at) if paced else (at, 0.0)
            unix = due + self._schedule.unix_offset
            start = i * size
            STAMP.pack_into(self._raw, start, first + i, unix, due, lateness, 0.0, mask, False)
            bin_ = self._source[index * width : (index + 1) * width]
            self._raw[start + self._body : start + size] = bin_
        if mask:
            rows = self._scratch[:n]
            self._perturbations.apply(rows["counts"], first)
            self._perturbations.deliver(rows, first)
            if not paced:
                rows["delay"] = 0.0
        self.ring.publish_raw(self._raw[: n * size])
        self._news = True
        self._end_if_over()  # in the same turn: whoever sees the last bin may resume
        if not paced:
            self._delivery.skip()  # outlets are silent at speed max
        elif self._outlets:
            self._push()
            for i, index in enumerate(bins):
                for text in self._events.get(index, ()):
                    self._tell(text, float(self._scratch["due"][i]))

    def _end_if_over(self) -> None:
        if self._state in ("playing", "paused") and self._playhead.ended:
            self._enter("ended")

    def _push(self) -> None:
        """Hand the outlets what is not held back."""
        if not self._outlets:
            return
        taken, _ = self._delivery.take(clock.now(), BLOCK)
        rows = arriving(np.frombuffer(taken, self.ring.dtype))
        if len(rows):
            self._in_outlets = True
            for outlet in self._outlets:
                outlet.push(rows)
            self._in_outlets = False

    def _send_notes(self) -> None:
        notes, self._untold = self._untold, []
        for note in notes:
            self._tell(note.text, note.due)

    def _tell(self, text: str, due: float) -> None:
        self._in_outlets = True
        for outlet in self._outlets:
            outlet.event(text, due)
        self._in_outlets = False
