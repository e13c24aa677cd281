"""A simulated user as the source of a session: intention becomes spikes, and answers move the cursor."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from engine.bins import clock
from engine.bins.description import Goal
from engine.bins.schema import Rows
from engine.bins.source import Allow, Block, Capability, Tick, Told
from engine.bins.trials import EVENT_NAMES, Trial, TrialEvent
from engine.errors import CannotFit
from engine.sources.endless import Written
from engine.sources.growing import GrowingDescription
from engine.sources.user.barriers import Route, stopped
from engine.sources.user.closed_loop import ClosedLoop, settings_of
from engine.sources.user.cursor import AT_REST, PLACED, SCREEN, ScreenCursor, Steering, Values
from engine.sources.user.fitting import Fit
from engine.sources.user.hand import Hand
from engine.sources.user.neurons import Firing
from engine.sources.user.tasks import Aim, aims
from engine.sources.user.user import PERSON, Mind
from engine.sources.user.way import Way
from engine.sources.user.workspace import Basis, Place
from engine.tuned import made

CAN: Final[tuple[Capability, ...]] = ("pause", "step", "speed", "perturbation", "drive")


class SimulatedUser(Written):
    """An `engine.bins.source.Moved`.

    Each draws from a generator of its own: the targets, the user's noise, the spikes. What is drawn
    follows from the seed and from what was answered before which bin, which lockstep makes the same.

    Parameters
    ----------
    basis : Basis
    loop : ClosedLoop
    fit : function
        Gives the neurons, or begins their fit: called when all else is well.

    Raises
    ------
    BadSetting
        If a setting is unknown or out of bounds.
    """

    kind = "user"
    can = CAN

    def __init__(self, basis: Basis, loop: ClosedLoop, fit: Callable[[], Fit]) -> None:
        workspace = basis.workspace
        self.user, self.task, self.steering = settings_of(workspace, loop)
        self.loop = loop
        description = GrowingDescription(
            name=basis.name,
            channel_names=basis.channel_names,
            bin_rate=basis.bin_rate,
            length_unit=basis.length_unit,
            series=MappingProxyType({"position": None, "velocity": None, "passed_over": []}),
            told=True,
        )
        description.synthetic = True
        description.goal = Goal(self.task.radius, self.task.hold, self.task.n_choices(workspace))
        super().__init__(description)
        targets, noise, self._spikes = np.random.default_rng(loop.seed).spawn(3)
        width = description.bin_width
        self._aims = aims(self.task, workspace, targets)
        self._mind = Mind(self.user, width, noise)
        self.extent = SCREEN * max(self.task.distance, workspace.reach)
        self._cursor = ScreenCursor(self.steering, width, workspace.centre, self.extent)
        self.hand = Hand() if loop.preset == PERSON else None
        self.way = Way()
        self._autopilot_trials, self._radius = self.task.autopilot_trials, float(self.task.radius)
        self._hold = max(round(self.task.hold / width), 1)
        self._limit = max(round(self.task.time_limit / width), 1)
        self._allow: Allow = lambda _, wanted: wanted
        self._aim: Aim | None = None
        self._route = Route(workspace.centre)
        self._trial = -1
        self._bins = self._inside = 0
        self._intended = AT_REST
        self._assisted: float | None = None
        self._places_only = False
        self._firing: Firing | None = None
        self._tell: Callable[[], None] = lambda: None
        self.driver = loop.driver
        self._answers: list[Values] = []
        self._newest: dict[str, tuple[int, Values]] = {}  # answers of those who do not drive
        self._answered = self._awaited = -1
        self._heard = math.nan
        self._attended = False
        self._lock = threading.Lock()  # guards the six above
        self.fit = fit()

    @property
    def lockstep(self) -> bool:
        return self.loop.lockstep

    @property
    def waits_for(self) -> str | None:
        if not self.fit.done or self._answered >= self._awaited:
            return None
        return f"the answer of {self.driver or 'a decoder'} to bin {self._awaited}"

    # What the deck asks

    def on_ready(self, tell: Callable[[], None]) -> None:
        self._tell = tell
        self.fit.on_done(tell)

    def guard(self, allow: Allow) -> None:
        self._allow = allow

    def ready(self, n: int) -> int:
        if self.fit.error is not None:
            raise CannotFit(self.fit.error)
        if self.fit.made is None:
            return 0
        if not self.lockstep:
            return n
        with self._lock:
            begun = self._attended if self._sent == 0 else self._answered >= self._awaited
        return min(n, 1) if begun else 0

    def fill(self, block: Block, ticks: Sequence[Tick]) -> Told:
        told: list[tuple[float, str]] = []
        for row, (due, _) in zip(block.rows, ticks, strict=False):
            told += [(due, f"{EVENT_NAMES[event]} {self._trial}") for event in self._bin(row, due)]
        return told

    def sent(self, rows: Rows) -> None:
        if len(rows) and not rows["lost"][-1]:
            with self._lock:
                self._awaited = int(rows["sequence_number"][-1])

    def close(self) -> None:
        """Nothing runs but the fit, which others may want."""

    # What decoders do

    def attend(self, decoder: str | None) -> None:
        with self._lock:
            if self.driver is not None and decoder != self.driver:
                return
            if self._attended and decoder is not None:  # it is back: the bin that it had has gone with it
                self._awaited = self._answered
            self._attended = True
            if self.lockstep and self.driver is None:
                self.driver = decoder
        self._tell()

    def answer(self, decoder: str, number: int, values: Values) -> None:
        with self._lock:
            if self.driver is None:
                self.driver = decoder
            if decoder != self.driver:
                self._newest[decoder] = number, values
                return
            if number <= self._answered:
                return
            self._take(number, values)
        if self.lockstep:
            self._tell()

    def _take(self, number: int, values: Values) -> None:
        self._answered = number
        self._answers.append(values)
        self._heard = clock.now()
        self.way.answered(number, self._sent - 1, self._heard)

    # What people change while it plays, with the deck's lock held

    def drive(self, driver: str | None) -> None:
        """Let another decoder move the cursor; the next that answers, if None.

        Each bin moves it by the answer of one alone: those that the driver before has answered are done
        with, and of later ones the answer of the new one counts, also if it is there already.
        """
        with self._lock:
            known = {driver: self._newest.get(driver)} if driver is not None else dict(self._newest)
            fresh = {name: each for name, each in known.items() if each and each[0] > self._answered}
            self.driver = next(iter(fresh), None) if driver is None else driver
            self._newest = {}
            if self.driver in fresh:
                self._take(*fresh[self.driver])
        self._tell()

    def steer(self, settings: Mapping[str, Any]) -> str:
        """Change some of the steering; returns all of it, as a note says it.

        Raises
        ------
        BadSetting
            If a setting is unknown or out of bounds; then nothing has changed.
        """
        self.steering = made(Steering, {**self.steering.settings, **settings})
        self._cursor.steer(self.steering)
        return " ".join(f"{name} {value:g}" for name, value in self.steering.settings.items())

    def assist(self, share: float | None) -> None:
        """Let a share of what is wanted, 0 to 1, move the cursor from the next bin on.

        None leaves that to the task again. May be called from any thread.
        """
        self._assisted = share

    def rewind(self) -> None:
        """Give the present trial up: the next bin begins another one."""
        self._aim = None

    # In the thread of the replay

    def _bin(self, row: Any, due: float) -> list[TrialEvent]:
        """Write a bin; return the events of its trial that happen in it."""
        with self._lock:
            answers, self._answers = self._answers, []
            heard = self._heard
        if answers:
            self._places_only = math.isnan(answers[-1][2])
            self.way.cursor.add(clock.now() - heard)
        self.way.made(self._sent, due)
        wanted = self._cursor.wanted(answers, self._intended, self._autopilot)
        allowed = self._allow(self._cursor.place, wanted)
        if self._aim is not None and self._aim.barriers:
            allowed = stopped(self._cursor.place, allowed, self._aim.barriers)
        self._cursor.go(allowed, wanted)
        events: list[TrialEvent] = []
        if self._aim is None:
            self._begin()
            events += ["start", "target_on", "go_cue"]
        aim, place = self._aim, self._cursor.place
        assert aim is not None
        self._intended = self._intention()
        x, y = aim.place
        trial = Trial(
            self._trial, math.nan, math.nan, target_id=aim.target_id, target_x=x, target_y=y,
            target_pos=(aim.place,), barriers=aim.barriers,
        )  # fmt: skip
        counts = self._fire()
        self.write(row, due, counts, (*place, *self._cursor.velocity), trial)
        row["intended"] = self._intended
        for event in events[1:]:
            self.description.mark(event, self._sent - 1, self._sent - 1)
        return events + self._judge(bool(row["intention"][3] <= self._radius))

    def _intention(self) -> Place:
        """What the user wants in this bin: to go to the target, or where a hand points."""
        route = self._route
        if self.hand is not None:
            now = clock.now()
            pointed = self.hand.at(now)
            if pointed.place is None:
                return AT_REST
            waited = now - pointed.came
            self.way.pointer.add(pointed.travelled)
            self.way.neurons.add(waited)
            self.way.whole.add(pointed.travelled + waited)
            route = Route(pointed.place)
        dynamics = PLACED if self._places_only else self._cursor.dynamics
        return self._mind.intend(route, self._cursor.place, self._cursor.velocity, dynamics)

    def _fire(self) -> Any:
        if self._firing is None:
            assert self.fit.made is not None
            self._firing = Firing(
                self.fit.made, self._spikes, position=self.loop.position, dispersed=self.loop.dispersed
            )
        return self._firing.fire(self._intended, self._cursor.place)

    @property
    def _autopilot(self) -> float:
        if self._assisted is not None:
            return self._assisted
        return float(self.task.autopilot) if self._trial < self._autopilot_trials else 0.0

    def _begin(self) -> None:
        self._aim = next(self._aims)
        self._trial += 1
        self._bins = self._inside = 0
        self._route = Route(self._aim.place, self._aim.barriers, self._radius)
        if self._aim.start is not None:
            self._cursor.put(self._aim.start)
        self._mind.aim(moved=self._aim.start is not None)

    def _judge(self, inside: bool) -> list[TrialEvent]:
        """End the trial with this bin if its target is acquired, or its time is over."""
        self._bins += 1
        self._inside = self._inside + 1 if inside else 0
        acquired = self._inside >= self._hold
        if not acquired and self._bins < self._limit:
            return []
        self.description.judge(acquired)
        self._aim = None
        return ["stop"]
