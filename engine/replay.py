"""The thread that plays a session: bin -> ring -> outlets and listeners, each on its deadline."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

import numpy as np

from engine import clock
from engine.errors import BadSetting, NotNow
from engine.events import trial_events
from engine.outlets import Outlet
from engine.perturb import Perturbations, model_names
from engine.playhead import Playhead
from engine.recording import Recording
from engine.ring import Ring, body_of, row_dtype
from engine.selection import EVERYTHING, Selection

log = logging.getLogger(__name__)

State = Literal["idle", "playing", "paused", "stopped", "ended", "failed", "closed"]
Speed = float | Literal["max"]

MIN_SPEED: Final = 0.1
MAX_SPEED: Final = 100.0
BLOCK: Final = 64
"""Bins handed on at once at speed max, and at most made good at once when late."""
KEPT_SECONDS: Final = 60.0
YIELD: Final = 50e-6
"""Seconds between two blocks at speed max, in which others get the lock."""
IDLE_POLL: Final = 0.1
"""Seconds between looks for an LSL consumer: liblsl calls nobody back."""
NOTES_KEPT: Final = 1000


class Listener(Protocol):
    """Somebody who reads the ring at their own pace."""

    def wake(self) -> None:
        """New bins, or a new state. Called by the replay's thread: return at once."""
        ...

    def floor(self) -> int:
        """The oldest row still wanted. At speed max the replay never overwrites it."""
        ...


@dataclass(frozen=True)
class Position:
    """Where a replay is: indices of the next bin, within the selection and the recording."""

    current_index: int
    packet_id: int
    n_selected: int
    seconds: float


@dataclass(frozen=True)
class Note:
    """What was asked of a replay, such as ``"seek 400"``, or found out about it, and when.

    Attributes
    ----------
    text : str
    due : float
        Seconds of the engine's clock, as bins have it.
    timestamp : float
        Unix seconds.
    asked : bool
        Whether it changed anything; false for what others `Replay.note`.
    """

    text: str
    due: float
    timestamp: float
    asked: bool = True


class Replay:
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
        As `engine.perturb.Perturbations.change` takes it.
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
        dtype = row_dtype(recording.n_units, recording.counts.dtype)
        self.recording = recording
        # A minute, and however slow the bins are, room for what is sent at once.
        self.ring = Ring(dtype, recording.bin_rate, max(KEPT_SECONDS, 2 * BLOCK / recording.bin_rate))
        self.seed = seed
        self.error: str | None = None
        self.changes = 0  # notes so far: who has seen this number has seen every setting
        self._perturbations = Perturbations(seed, recording.n_units, recording.bin_rate)
        self._perturbations.change(perturbation or {})
        self._speed = checked_speed(speed)
        self._selection = selection
        self._playhead = Playhead(selection.bins(recording), loop)
        self._schedule = clock.Schedule(self._period())
        self._events = trial_events(recording)
        self._make_outlets = outlets
        self._outlets: Sequence[Outlet] = ()
        self._listeners: tuple[Listener, ...] = ()
        self._state: State = "idle"
        self._steps = 0
        # Guards all of the above but the ring; the thread leaves it while it waits.
        self._turn = threading.Condition(threading.Lock())
        self._ready = threading.Event()
        self._hungry = False
        self._untold: list[Note] = []
        self._notes: deque[Note] = deque(maxlen=NOTES_KEPT)
        self._remarks: deque[Note] = deque(maxlen=NOTES_KEPT)  # apart: they come by the hundred
        self._scratch = np.zeros(BLOCK, dtype)
        self._stamps = self._scratch[["sequence_number", "timestamp", "due", "lateness"]]
        self._bins = body_of(self._scratch)
        self._source = recording.bins.view(self._bins.dtype)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    # What others read

    @property
    def state(self) -> State:
        return self._state

    @property
    def speed(self) -> Speed:
        return self._speed

    @property
    def loop(self) -> bool:
        return self._playhead.loop

    @property
    def selection(self) -> Selection:
        return self._selection

    @property
    def perturbation(self) -> dict[str, dict[str, Any]]:
        """Every model's settings."""
        return self._perturbations.settings

    @property
    def late_ticks(self) -> int:
        """Bins that went out a whole bin or more after they were due."""
        return self._schedule.late_ticks

    @property
    def lost_time(self) -> float:
        """Seconds that the schedule gave up because it was more than 1 s late."""
        return self._schedule.lost_time

    @property
    def period(self) -> float:
        """Seconds from one bin's being due to the next one's, at the present speed."""
        return self._period()

    @property
    def notes(self) -> tuple[Note, ...]:
        """What was asked of it and what was remarked, oldest first; the newest 1,000 of each."""
        with self._turn:
            return tuple(sorted((*self._notes, *self._remarks), key=lambda note: note.due))

    def heard(self) -> bool:
        """Whether an outlet has consumers."""
        return any(outlet.wanted() for outlet in self._outlets)

    def position(self) -> Position:
        with self._turn:
            packet_id = self._playhead.next_bin
            return Position(
                current_index=self._playhead.next_index,
                packet_id=packet_id,
                n_selected=len(self._playhead),
                seconds=packet_id / self.recording.bin_rate,
            )

    def wait_ready(self, timeout: float | None = None) -> bool:
        """Wait until the outlets are on the network."""
        return self._ready.wait(timeout)

    # What others do

    def add_listener(self, listener: Listener) -> None:
        with self._turn:
            self._listeners = (*self._listeners, listener)
            self._turn.notify()

    def remove_listener(self, listener: Listener) -> None:
        with self._turn:
            self._listeners = tuple(each for each in self._listeners if each is not listener)
            self._turn.notify()

    def more(self) -> None:
        """Tell that a floor has risen; at speed max the thread may be waiting for that."""
        if self._hungry:
            with self._turn:
                self._turn.notify()

    def start(self) -> None:
        """Play if nothing was ever asked of this session; a first listener's call."""
        with self._turn:
            if self._state == "idle":
                self._begin()

    def resume(self) -> None:
        """Play from where the replay stands; from the start if it had ended."""
        with self._turn:
            self._refuse_if_over()
            if self._state != "playing":
                if self._playhead.ended:
                    self._playhead.rewind()
                self._begin()
                self._note("resume")

    def pause(self) -> None:
        with self._turn:
            self._refuse_if_over()
            if self._state in ("idle", "playing"):
                self._enter("paused")
                self._note("pause")

    def stop(self) -> None:
        """Stand at the first selected bin until `resume`."""
        with self._turn:
            self._refuse_if_over()
            self._playhead.rewind()
            self._enter("stopped")
            self._note("stop")

    def step(self) -> None:
        """Pause, then send one bin."""
        with self._turn:
            self._refuse_if_over()
            if self._state in ("stopped", "ended"):
                raise NotNow(f"The session has {self._state}. Resume it before stepping.")
            if self._state != "paused":
                self._enter("paused")
                self._note("pause")
            self._steps += 1
            self._turn.notify()

    def seek(self, packet_id: int) -> None:
        """Make a bin the next one.

        Raises
        ------
        OutsideSelection
            If the bin is not selected.
        """
        with self._turn:
            self._refuse_if_over()
            self._playhead.seek(packet_id)
            if self._state == "ended":
                self._enter("paused")
            self._note(f"seek {packet_id}")

    def set_speed(self, speed: Speed) -> None:
        """Change the pace; the next bin is due at most one new period from now."""
        with self._turn:
            self._refuse_if_over()
            self._speed = checked_speed(speed)
            at, period = clock.now(), self._period()
            self._schedule.restart(max(at, min(self._schedule.due, at + period)), period)
            self._note(f"speed {speed}")

    def set_loop(self, loop: bool) -> None:
        with self._turn:
            self._refuse_if_over()
            self._playhead.loop = loop
            self._note(f"loop {'on' if loop else 'off'}")

    def set_selection(self, selection: Selection) -> None:
        """Play other bins, from their first.

        Raises
        ------
        UnknownTrial, UnknownTarget, EmptySelection
            Then nothing has changed.
        """
        bins = selection.bins(self.recording)
        with self._turn:
            self._refuse_if_over()
            self._selection = selection
            self._playhead.select(bins)
            self._note("selection")

    def set_perturbation(self, settings: Mapping[str, Any]) -> None:
        """Change models by name or by preset.

        Raises
        ------
        BadSetting
            Then nothing has changed.
        """
        with self._turn:
            self._refuse_if_over()
            self._perturbations.change(settings)
            on = model_names(self._perturbations.mask)
            self._note(f"perturbation {' '.join(on) or 'none'}")

    def note(self, text: str) -> None:
        """Put a remark among the notes and into LSL events; it counts as no change of settings."""
        note = Note(text, clock.now(), time.time(), asked=False)
        with self._turn:
            self._untold.append(note)
            self._remarks.append(note)
            self._turn.notify()

    def close(self) -> None:
        """End the thread and its outlets, and wait for both. A second call does nothing."""
        with self._turn:
            self._enter("closed")
        if self._thread is not threading.current_thread():
            self._thread.join()

    # The thread

    def _run(self) -> None:
        try:
            self._outlets = self._make_outlets()
            self._ready.set()
            with self._turn:
                while self._state != "closed":
                    delay = self._act()
                    if delay is None or delay > 0:
                        self._turn.wait(delay)
        except Exception as error:  # whatever it is, it ends this session alone, and visibly
            log.exception("The replay of %s has failed", self._thread.name)
            self.error = f"{type(error).__name__}: {error}"
            with self._turn:
                self._enter("failed")
        finally:
            self._ready.set()
            for outlet in self._outlets:
                outlet.close()

    def _act(self) -> float | None:
        """Do what is due; return how long there is nothing to do, None for until something changes."""
        self._send_notes()
        if self._state in ("playing", "paused") and self._playhead.ended:
            self._enter("ended")
        if self._steps:
            self._steps -= 1
            self._schedule.restart(clock.now())
            self._send(1, clock.now())
            return 0
        if self._state == "idle" and self._outlets:
            if not self.heard():
                return IDLE_POLL
            self._begin()
        if self._state != "playing":
            return None
        if self._speed == "max":
            return self._act_at_max()
        at = clock.now()
        n = self._schedule.ticks_due(at)
        if n == 0:
            return self._schedule.due - at
        self._send(n, at)
        return 0

    def _act_at_max(self) -> float | None:
        self._hungry = True  # before the floors are read, so that a rise after that is told
        floors = [listener.floor() for listener in self._listeners]
        room = self.ring.capacity - (self.ring.head - min(floors)) if floors else 0
        if room < BLOCK // 2:
            return None
        self._hungry = False
        at = clock.now()
        self._schedule.restart(at)
        self._send(room, at)
        return YIELD

    def _send(self, n: int, at: float) -> None:
        """Send up to `n` bins that are due at time `at`."""
        bins = self._playhead.take(min(n, BLOCK))
        n, first = len(bins), self.ring.head
        rows = self._scratch[:n]
        self._bins[:n] = self._source[bins]
        paced = self._speed != "max"
        for i in range(n):
            due, lateness = self._schedule.tick(at) if paced else (at, 0.0)
            self._stamps[i] = (first + i, due + self._schedule.unix_offset, due, lateness)
        rows["perturbation"] = self._perturbations.mask
        if self._perturbations.mask:
            self._perturbations.apply(rows["counts"], first)
        self.ring.publish(rows)
        for listener in self._listeners:
            listener.wake()
        if paced and self._outlets:
            for outlet in self._outlets:
                outlet.push(rows)
            for i, index in enumerate(bins.tolist()):
                for text in self._events.get(index, ()):
                    self._tell(text, float(rows["due"][i]))

    def _send_notes(self) -> None:
        notes, self._untold = self._untold, []
        for note in notes:
            self._tell(note.text, note.due)

    def _tell(self, text: str, due: float) -> None:
        for outlet in self._outlets:
            outlet.event(text, due)

    # With the lock held

    def _begin(self) -> None:
        self._schedule.restart(clock.now(), self._period())
        self._enter("playing")

    def _enter(self, state: State) -> None:
        self._state = state
        self._steps = 0
        self._wake()

    def _note(self, text: str) -> None:
        note = Note(text, clock.now(), time.time())
        self._untold.append(note)
        self._notes.append(note)
        self.changes += 1
        self._wake()

    def _wake(self) -> None:
        """Tell the thread and all who listen that something has changed."""
        self._turn.notify()
        for listener in self._listeners:
            listener.wake()

    def _refuse_if_over(self) -> None:
        if self._state in ("failed", "closed"):
            raise NotNow(f"The session has {self._state}. Make a new one.")

    def _period(self) -> float:
        return self.recording.bin_width / (1.0 if self._speed == "max" else self._speed)


def checked_speed(speed: Speed) -> Speed:
    """The speed, if it is one.

    Raises
    ------
    BadSetting
        If it is neither "max" nor a number from 0.1 to 100.
    """
    if speed == "max" or (isinstance(speed, int | float) and MIN_SPEED <= speed <= MAX_SPEED):
        return speed
    raise BadSetting(f"Speed {speed!r} is out of range. Send 0.1 to 100, or 'max'.")
