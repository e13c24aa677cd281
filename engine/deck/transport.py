"""What may be asked of a session, and what it sends when: a state machine without thread, lock or clock."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from engine.bins.clock import Schedule
from engine.bins.description import recorded
from engine.bins.selection import EVERYTHING, Selection
from engine.bins.source import (
    Block,
    Moved,
    Prepared,
    Seekable,
    SelfPaced,
    Source,
    Tick,
    Told,
    Tunable,
    refuse,
    voltages_of,
)
from engine.bins.voltages import Flow
from engine.errors import BadSetting, NotNow
from engine.stages.perturb import Perturbations, model_names
from engine.stages.perturb.timetable import Step, Timetable

State = Literal["idle", "playing", "paused", "stopped", "ended", "failed", "closed"]

Speed = float | Literal["max"]
"""Times real time; "max" is as fast as the listeners take it."""

MIN_SPEED: Final = 0.1
MAX_SPEED: Final = 100.0
PATIENCE: Final = 10.0
"""Seconds for which an answer is waited for in lockstep."""
SCORED_FROM: Final = ", scores from bin "
"""In a note of a change that has scores begin anew, before the first bin that counts."""
BLOCK: Final = 64
"""Bins handed on at once at speed max, and at most made good at once when late."""


class Transport:
    """The state of a session. It knows the time from its callers, and belongs to one thread at a time.

    Every call that changes anything returns what was done as a note says it, or None if nothing was.

    Parameters
    ----------
    source : Source
    seed : int
    speed : float or "max"
    perturbation : mapping
        All as `engine.deck.replay.Replay` takes them.
    phase : float
        Where in a period bins are due, 0 to 1.

    Attributes
    ----------
    origin : int
        The bin from which perturbations and their timetable count: the first since the last restart.
    sought : int or None
        The bin of the recording that somebody went to, until one is sent or another way is taken.
    """

    def __init__(
        self,
        source: Source,
        seed: int,
        speed: Speed,
        perturbation: Mapping[str, Any],
        phase: float = 0.0,
    ) -> None:
        description = source.description
        self.source = source
        self.perturbations = Perturbations(
            seed, description.n_units, description.bin_rate, recorded(description)
        )
        self.perturbations.change(perturbation)
        self.timetable = Timetable(self.perturbations, description.bin_rate)
        self.origin = 0
        self.sought: int | None = None
        self.state: State = "idle"
        self.schedule = Schedule(description.bin_width)
        self._seekable = source if isinstance(source, Seekable) else None
        self._self_paced = source if isinstance(source, SelfPaced) else None
        self._moved = source if isinstance(source, Moved) else None
        self._prepared = isinstance(source, Prepared) and self._self_paced is None
        self._voltages = voltages_of(source)
        self._waits_since = math.inf
        self.speed: Speed = self._served(speed)
        self._bin_width = description.bin_width
        self._phase = phase
        self._steps = 0

    @property
    def paced(self) -> bool:
        return self.speed != "max"

    @property
    def period(self) -> float:
        """Seconds from one bin's being due to the next one's, at the present speed."""
        return self._bin_width / (1.0 if self.speed == "max" else self.speed)

    @property
    def selection(self) -> Selection:
        return self._seekable.selection if self._seekable else EVERYTHING

    @property
    def loop(self) -> bool:
        return self._seekable.loop if self._seekable else False

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
        if self._seekable and self._seekable.ended:
            self._seekable.rewind()
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
        if self._seekable:
            self._seekable.rewind()
        self.sought = None
        self.enter("stopped")
        return "stop"

    def restart(self, first: int, at: float) -> str:
        """Play from the first selected bin, disturbed as bins were from the beginning of the session on.

        In closed loop, where no bin comes again, from the next trial on.
        """
        self._refuse_if_over()
        (self._moved or self.seekable("restart")).rewind()
        self.origin = first
        self.timetable.rewind()
        self._begin(at)
        return f"restart {first}"

    def drive(self, driver: str | None, first: int) -> str:
        """Let another decoder move the cursor, from bin number `first` on."""
        self._refuse_if_over()
        self.moved("driver").drive(driver)
        return f"driver {driver or 'whoever answers first'}{SCORED_FROM}{first}"

    def steer(self, settings: Mapping[str, Any], first: int) -> str:
        """Move the cursor otherwise, from bin number `first` on."""
        self._refuse_if_over()
        return f"steering {self.moved('steering').steer(settings)}{SCORED_FROM}{first}"

    def step(self) -> str | None:
        self._refuse_if_over()
        if "step" not in self.source.can:
            refuse(self.source, "step")
        if self.state in ("stopped", "ended"):
            raise NotNow(f"The session has {self.state}. Resume it before stepping.")
        note = self.pause()
        self._steps += 1
        return note

    def seek(self, packet_id: int) -> str:
        self._refuse_if_over()
        self.seekable("seek").seek(packet_id)
        self.sought = packet_id
        if self.state == "ended":
            self.enter("paused")
        return f"seek {packet_id}"

    def set_speed(self, speed: Speed, at: float) -> str:
        self._refuse_if_over()
        self.speed = self._served(speed)
        period = self.period
        self.schedule.restart(max(at, min(self.schedule.due, at + period)), period)
        return f"speed {speed}"

    def set_loop(self, loop: bool) -> str:
        self._refuse_if_over()
        self.seekable("loop").loop = loop
        return f"loop {'on' if loop else 'off'}"

    def set_selection(self, selection: Selection, bins: npt.NDArray[np.intp]) -> str:
        """Play other bins, which are those of the selection, from their first."""
        self._refuse_if_over()
        self.seekable("selection").select(selection, bins)
        self.sought = None
        return "selection"

    def set_perturbation(self, settings: Mapping[str, Any]) -> str:
        self._refuse_if_over()
        self.perturbations.change(settings)
        return self._disturbed

    def tune(self, what: str, settings: Mapping[str, Any]) -> str:
        """Change what makes the bins: a part of the source, such as electrodes."""
        self._refuse_if_over()
        source = self.source
        return source.tune(what, settings) if isinstance(source, Tunable) else refuse(source, what)

    def set_timetable(self, steps: Sequence[Step]) -> str:
        self._refuse_if_over()
        self.timetable.change(steps)
        return f"timetable {' '.join(f'{step.at:g}' for step in self.timetable.steps) or 'none'}"

    def reach(self, first: int) -> str | None:
        """Change what the timetable says before bin number `first` of the session."""
        return self._disturbed if self.timetable.reach(first - self.origin) else None

    # What is sent

    def n_due(self, at: float) -> int:
        """How many bins are due at time `at` at a pace, or a step asks for; 0 at speed max."""
        self.end_if_over()
        if self.waits(at):
            return 0
        if self._steps:
            self._steps -= 1
            self.schedule.restart(at)
            return 1
        if self.state != "playing" or not self.paced:
            return 0
        return self._self_paced.ready(BLOCK) if self._self_paced else self.schedule.ticks_due(at)

    @property
    def next_due(self) -> float:
        """When to ask again, if nobody changes anything; infinity if never."""
        if self._waits_since < math.inf:
            hurried = self._moved and self._moved.waits_for and self.state == "playing"
            return self._waits_since + PATIENCE if hurried else math.inf
        if self._steps:
            return -math.inf
        if self.state != "playing" or not self.paced:
            return math.inf
        return self._self_paced.next_due if self._self_paced else self.schedule.due

    def waits(self, at: float) -> bool:
        """Whether bins are wanted at time `at` and the source has none; then the schedule waits, too."""
        wanted = self._prepared and (self._steps or self.state == "playing")
        if not wanted or self.source.ready(1):
            if self._waits_since < math.inf:
                self._waits_since = math.inf
                self.schedule.restart(at)
            return False
        self._waits_since = min(self._waits_since, at)
        return True

    def lose_patience(self, at: float) -> str | None:
        """Pause if the source has waited for too long for what it needs."""
        why = self._moved.waits_for if self._moved and self.state == "playing" else None
        if why is None or at - self._waits_since < PATIENCE:
            return None
        self.enter("paused")
        self._waits_since = math.inf
        return f"pause after {PATIENCE:g} s without {why}"

    def make(self, block: Block, n: int, at: float) -> tuple[int, memoryview, Told]:
        """Move on by at most `n` bins at time `at`, and end with the last: as they are sent, disturbed.

        Parameters
        ----------
        block : Block
            Where the bins go, from number ``block.first`` of the session on.
        n : int
        at : float

        Returns
        -------
        n : int
            How many there are.
        raw : memoryview
            Their rows.
        told : Told
        """
        n = self.source.ready(int(min(n, len(block.rows), self.timetable.room(block.first - self.origin))))
        if self._self_paced:
            ticks: list[Tick] = [(due, at - due) for due in self._self_paced.dues(n)]
        elif self.speed != "max":
            ticks = [self.schedule.tick(at) for _ in range(n)]
        else:
            self.schedule.restart(at)
            ticks = [(at, 0.0)] * n
        told = self.source.fill(block, ticks)
        self.sought = None if ticks else self.sought
        self.end_if_over()
        raw, rows = block.stamp(ticks, self.schedule.unix_offset, self.perturbations.mask), block.rows[:n]
        if self.perturbations.mask:
            self.perturbations.disturb(rows, block.first - self.origin)
            if not self.paced:
                rows["delay"] = 0.0
        if self._moved is not None:
            self._moved.sent(rows)
        return n, raw, told

    def publish_voltages(self, at: float) -> float:
        """Publish what is due of the source's voltages; when the next is, infinity if a bin comes first."""
        if self._voltages is None:
            return math.inf
        schedule, period = self.schedule, self.period
        newest = schedule.due - period if self.paced else schedule.due
        flows = self.paced and self.state == "playing" and self._waits_since == math.inf
        flow = Flow(newest, period / self._bin_width, schedule.unix_offset, self.paced, flows)
        return self._voltages.publish(at, flow, self.source.position.packet_id)

    def enter(self, state: State) -> None:
        self.state = state
        self._steps = 0

    def end_if_over(self) -> bool:
        """End where nothing is left to play; whether that was so."""
        over = self.state in ("playing", "paused") and self.source.ended
        if over:
            self.enter("ended")
        return over

    def moved(self, what: str) -> Moved:
        """The source, if decoders move its cursor.

        Raises
        ------
        NotNow
        """
        return self._moved or refuse(self.source, what)

    def seekable(self, what: str) -> Seekable:
        """The source, if it can go anywhere.

        Raises
        ------
        NotNow
        """
        return self._seekable or refuse(self.source, what)

    @property
    def _disturbed(self) -> str:
        return f"perturbation {' '.join(model_names(self.perturbations.mask)) or 'none'}"

    def _served(self, speed: Speed) -> Speed:
        if checked_speed(speed) != 1.0 and "speed" not in self.source.can:
            refuse(self.source, "speed but 1")
        if self._moved and (speed == "max") != self._moved.lockstep:
            raise BadSetting(
                "In closed loop lockstep and speed max belong together. Send both, or neither."
            )
        return speed

    def _begin(self, at: float) -> None:
        if self._self_paced:
            self._self_paced.skip()
        self._waits_since = math.inf
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
