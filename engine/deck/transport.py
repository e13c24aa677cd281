"""What may be asked of a session, and what it sends when: a state machine without thread, lock or clock."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

from engine.bins.clock import Schedule
from engine.errors import BadSetting, NotNow
from engine.sources.recordings.playhead import Playhead
from engine.sources.recordings.recording import Recording
from engine.sources.recordings.selection import Selection
from engine.stages.perturb import Perturbations, model_names

State = Literal["idle", "playing", "paused", "stopped", "ended", "failed", "closed"]

Speed = float | Literal["max"]
"""Times real time; "max" is as fast as the listeners take it."""

MIN_SPEED: Final = 0.1
MAX_SPEED: Final = 100.0


@dataclass(frozen=True)
class Position:
    """Where a session is: indices of the next bin, within the selection and the recording."""

    current_index: int
    packet_id: int
    n_selected: int
    seconds: float


class Tick(NamedTuple):
    """A bin to be sent.

    Attributes
    ----------
    packet_id : int
        Its index in the recording.
    due : float
        Seconds of the engine's clock.
    lateness : float
        Seconds by which it comes after that.
    """

    packet_id: int
    due: float
    lateness: float


class Transport:
    """The state of a session. It knows the time from its callers, and belongs to one thread at a time.

    Every call that changes anything returns what was done as a note says it, or None if nothing was.

    Parameters
    ----------
    recording : Recording
    selection : Selection
    seed : int
    speed : float or "max"
    loop : bool
    perturbation : mapping
        All as `engine.deck.replay.Replay` takes them.
    phase : float
        Where in a period bins are due, 0 to 1.
    """

    def __init__(
        self,
        recording: Recording,
        selection: Selection,
        seed: int,
        speed: Speed,
        loop: bool,
        perturbation: Mapping[str, Any],
        phase: float = 0.0,
    ) -> None:
        self.perturbations = Perturbations(seed, recording.n_units, recording.bin_rate)
        self.perturbations.change(perturbation)
        self.state: State = "idle"
        self.speed = checked_speed(speed)
        self.selection = selection
        self.playhead = Playhead(selection.bins(recording), loop)
        self.schedule = Schedule(recording.bin_width)
        self._recording = recording
        self._phase = phase
        self._steps = 0

    @property
    def paced(self) -> bool:
        return self.speed != "max"

    @property
    def period(self) -> float:
        """Seconds from one bin's being due to the next one's, at the present speed."""
        return self._recording.bin_width / (1.0 if self.speed == "max" else self.speed)

    @property
    def position(self) -> Position:
        packet_id = self.playhead.next_bin
        return Position(
            current_index=self.playhead.next_index,
            packet_id=packet_id,
            n_selected=len(self.playhead),
            seconds=packet_id / self._recording.bin_rate,
        )

    # What is asked

    def start(self, at: float) -> bool:
        """Play if nothing was ever asked; whether that was so."""
        if self.state != "idle":
            return False
        self._begin(at)
        return True

    def resume(self, at: float) -> str | None:
        self._refuse_if_over()
        if self.state == "playing":
            return None
        if self.playhead.ended:
            self.playhead.rewind()
        self._begin(at)
        return "resume"

    def pause(self) -> str | None:
        self._refuse_if_over()
        if self.state not in ("idle", "playing"):
            return None
        self.enter("paused")
        return "pause"

    def stop(self) -> str:
        self._refuse_if_over()
        self.playhead.rewind()
        self.enter("stopped")
        return "stop"

    def step(self) -> str | None:
        self._refuse_if_over()
        if self.state in ("stopped", "ended"):
            raise NotNow(f"The session has {self.state}. Resume it before stepping.")
        note = self.pause()
        self._steps += 1
        return note

    def seek(self, packet_id: int) -> str:
        self._refuse_if_over()
        self.playhead.seek(packet_id)
        if self.state == "ended":
            self.enter("paused")
        return f"seek {packet_id}"

    def set_speed(self, speed: Speed, at: float) -> str:
        self._refuse_if_over()
        self.speed = checked_speed(speed)
        period = self.period
        self.schedule.restart(max(at, min(self.schedule.due, at + period)), period)
        return f"speed {speed}"

    def set_loop(self, loop: bool) -> str:
        self._refuse_if_over()
        self.playhead.loop = loop
        return f"loop {'on' if loop else 'off'}"

    def set_selection(self, selection: Selection) -> str:
        bins = selection.bins(self._recording)
        self._refuse_if_over()
        self.selection = selection
        self.playhead.select(bins)
        return "selection"

    def set_perturbation(self, settings: Mapping[str, Any]) -> str:
        self._refuse_if_over()
        self.perturbations.change(settings)
        return f"perturbation {' '.join(model_names(self.perturbations.mask)) or 'none'}"

    # What is sent

    def n_due(self, at: float) -> int:
        """How many bins are due at time `at` at a pace, or a step asks for; 0 at speed max."""
        self.end_if_over()
        if self._steps:
            self._steps -= 1
            self.schedule.restart(at)
            return 1
        if self.state != "playing" or not self.paced:
            return 0
        return self.schedule.ticks_due(at)

    @property
    def next_due(self) -> float:
        """When to ask again, if nobody changes anything; infinity if never."""
        if self._steps:
            return -math.inf
        return self.schedule.due if self.state == "playing" and self.paced else math.inf

    def take(self, n: int, at: float) -> list[Tick]:
        """Move on by at most `n` bins at time `at`, and end with the last."""
        if not self.paced:
            self.schedule.restart(at)
            ticks = [Tick(index, at, 0.0) for index in self.playhead.take(n).tolist()]
        else:
            ticks = [Tick(index, *self.schedule.tick(at)) for index in self.playhead.take(n).tolist()]
        self.end_if_over()
        return ticks

    def enter(self, state: State) -> None:
        self.state = state
        self._steps = 0

    def end_if_over(self) -> bool:
        """End where nothing is left to play; whether that was so."""
        over = self.state in ("playing", "paused") and self.playhead.ended
        if over:
            self.enter("ended")
        return over

    def _begin(self, at: float) -> None:
        period = self.period
        self.schedule.restart(at + (self._phase * period - at) % period, period)
        self.enter("playing")

    def _refuse_if_over(self) -> None:
        if self.state in ("failed", "closed"):
            raise NotNow(f"The session has {self.state}. Make a new one.")


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
