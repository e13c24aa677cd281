"""What may be asked of a replay: play and pause, seek, selection, speed, perturbation, its state."""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from engine.bins import clock
from engine.bins.alarm import Alarm
from engine.bins.ring import Listener
from engine.deck.note import Note
from engine.deck.speed import Speed, checked_speed
from engine.errors import NotNow
from engine.sources.recordings.playhead import Playhead
from engine.sources.recordings.recording import Recording
from engine.sources.recordings.selection import Selection
from engine.stages.perturb import Perturbations, model_names

State = Literal["idle", "playing", "paused", "stopped", "ended", "failed", "closed"]
NOTES_KEPT: Final = 1000
GOLDEN: Final = (math.sqrt(5.0) - 1.0) / 2.0
"""Its multiples, modulo 1, are spread evenly however many there are (three-distance theorem). Sessions are
so due at different times within a bin: threads that wake together wait for the interpreter's lock."""
_sessions = itertools.count()


@dataclass(frozen=True)
class Position:
    """Where a replay is: indices of the next bin, within the selection and the recording."""

    current_index: int
    packet_id: int
    n_selected: int
    seconds: float


class Transport:
    """The state of a replay, which its thread acts upon.

    Every public method may be called from any thread and returns at once.

    Parameters
    ----------
    recording : Recording
    selection : Selection
    seed : int
    speed : float or "max"
    loop : bool
    perturbation : mapping
        All as `engine.deck.replay.Replay` takes them.
    """

    def __init__(
        self,
        recording: Recording,
        selection: Selection,
        seed: int,
        speed: Speed,
        loop: bool,
        perturbation: Mapping[str, Any],
    ) -> None:
        self.recording = recording
        self.seed = seed
        self.changes = 0  # notes so far: who has seen this number has seen every setting
        self._perturbations = Perturbations(seed, recording.n_units, recording.bin_rate)
        self._perturbations.change(perturbation)
        self._speed = checked_speed(speed)
        self._selection = selection
        self._playhead = Playhead(selection.bins(recording), loop)
        self._schedule = clock.Schedule(self._period())
        self._listeners: tuple[Listener, ...] = ()
        self._state: State = "idle"
        self._phase = next(_sessions) * GOLDEN % 1.0
        self._steps = 0
        self._hungry = False
        self._untold: list[Note] = []
        self._notes: deque[Note] = deque(maxlen=NOTES_KEPT)
        self._remarks: deque[Note] = deque(maxlen=NOTES_KEPT)  # apart: they come by the hundred
        self._turn = threading.Lock()  # guards all of the above
        self._alarm = Alarm()  # ends the thread's wait

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
            notes = (*self._notes, *self._remarks)
        return tuple(sorted(notes, key=lambda note: note.due))

    def position(self) -> Position:
        with self._turn:
            packet_id = self._playhead.next_bin
            return Position(
                current_index=self._playhead.next_index,
                packet_id=packet_id,
                n_selected=len(self._playhead),
                seconds=packet_id / self.recording.bin_rate,
            )

    # What others do

    def add_listener(self, listener: Listener) -> None:
        with self._turn:
            self._listeners = (*self._listeners, listener)
            self._alarm.ring()

    def remove_listener(self, listener: Listener) -> None:
        with self._turn:
            self._listeners = tuple(each for each in self._listeners if each is not listener)
            self._alarm.ring()

    def more(self) -> None:
        """Tell that a floor has risen; at speed max the thread may be waiting for that."""
        if self._hungry:
            with self._turn:
                self._alarm.ring()

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
            self._alarm.ring()

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
            self._alarm.ring()

    # With the lock held

    def _begin(self) -> None:
        period, at = self._period(), clock.now()
        self._schedule.restart(at + (self._phase * period - at) % period, period)
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
        self._alarm.ring()
        for listener in self._listeners:
            listener.wake()

    def _refuse_if_over(self) -> None:
        if self._state in ("failed", "closed"):
            raise NotNow(f"The session has {self._state}. Make a new one.")

    def _period(self) -> float:
        return self.recording.bin_width / (1.0 if self._speed == "max" else self._speed)
