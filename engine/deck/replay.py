"""The thread that plays a session: bin -> ring, each on its deadline, and whoever listens is woken."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from engine.bins import clock
from engine.bins.alarm import Alarm
from engine.bins.description import Description
from engine.bins.ring import Listener, Ring
from engine.bins.selection import Selection
from engine.bins.source import Block, Moved, Position, Prepared, Source, voltages_of
from engine.deck.happenings import Happenings, Note
from engine.deck.transport import BLOCK, Speed, State, Transport
from engine.stages.perturb.timetable import Step

log = logging.getLogger(__name__)

KEPT_SECONDS: Final = 60.0
YIELD: Final = 50e-6
"""Seconds between two blocks at speed max, in which others get the lock."""


class Replay:
    """Plays one source for one session.

    It owns a `Transport`, the ring, and the thread between them. Its methods may be called from any thread.

    Parameters
    ----------
    source : Source
        Its own: it ends with this.
    seed : int
        Of the perturbations: same recording, selection and seed, same packets.
    speed : float or "max"
    perturbation : mapping
        As `engine.stages.perturb.Perturbations.change` takes it.
    timetable : sequence of Step
    phase : float
        Where in a period bins are due, 0 to 1: threads that wake together wait for the interpreter's lock.
    name : str
        Of the thread.

    Attributes
    ----------
    ring : Ring
    voltages : VoltageRing or None
        Those below the bins, if the source has some.
    happenings : Happenings
        Events of trials at a pace, and all notes.
    paced_from : int
        The first row of the ring that was not sent at speed max, or is yet to be.
    error : str or None
        Why it has failed.
    """

    def __init__(
        self,
        source: Source,
        *,
        seed: int = 0,
        speed: Speed = 1.0,
        perturbation: Mapping[str, Any] | None = None,
        timetable: Sequence[Step] = (),
        phase: float = 0.0,
        name: str = "replay",
    ) -> None:
        self.source = source
        self.description: Description = source.description
        self.seed = seed
        self._block = Block(self.description, BLOCK)
        # A minute, and however slow the bins are, room for what is sent at once.
        rate = self.description.bin_rate
        self.ring = Ring(self._block.rows.dtype, rate, max(KEPT_SECONDS, 2 * BLOCK / rate))
        self.voltages = voltages_of(source)
        self.happenings = Happenings()
        self.paced_from = 0
        self.error: str | None = None
        self._transport = Transport(source, seed, speed, perturbation or {}, phase)
        self._transport.timetable.change(timetable)
        self._listeners: tuple[Listener, ...] = ()
        self._hungry = False
        self._turn = threading.Lock()  # guards all of the above
        self._alarm = Alarm()  # ends the thread's wait
        self._moved = source if isinstance(source, Moved) else None
        if isinstance(source, Prepared):
            source.on_ready(self._alarm.ring)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def state(self) -> State:
        return self._transport.state

    @property
    def speed(self) -> Speed:
        return self._transport.speed

    @property
    def loop(self) -> bool:
        return self._transport.loop

    @property
    def selection(self) -> Selection:
        return self._transport.selection

    @property
    def perturbation(self) -> dict[str, dict[str, Any]]:
        """Every model's settings."""
        return self._transport.perturbations.settings

    @property
    def timetable(self) -> tuple[Step, ...]:
        """When perturbations change by themselves."""
        return self._transport.timetable.steps

    @property
    def n_played(self) -> int:
        """Bins since the session began or was restarted: those that the timetable counts."""
        return self.ring.head - self._transport.origin

    @property
    def late_ticks(self) -> int:
        """Bins that went out a whole bin or more after they were due."""
        return self._transport.schedule.late_ticks

    @property
    def lost_time(self) -> float:
        """Seconds that the schedule gave up because it was more than 1 s late."""
        return self._transport.schedule.lost_time

    @property
    def period(self) -> float:
        """Seconds from one bin's being due to the next one's, at the present speed."""
        return self._transport.period

    @property
    def notes(self) -> tuple[Note, ...]:
        """What was asked of it and what was remarked, oldest first; the newest 1,000 of each."""
        return self.happenings.notes

    @property
    def changes(self) -> int:
        """Notes of what was asked so far: who has seen this number has seen every setting."""
        return self.happenings.changes

    def position(self) -> Position:
        with self._turn:
            return self.source.position

    @property
    def sought(self) -> int | None:
        """The bin that somebody went to and that comes next, while none is sent."""
        return None if self.state == "playing" else self._transport.sought

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

    # What people ask

    def start(self) -> None:
        """Play if nothing was ever asked of this session."""
        with self._turn:
            if self._transport.start(clock.now()):
                self._wake()

    def resume(self) -> None:
        """Play from where the replay stands; from the start if it had ended."""
        self._ask(lambda transport: transport.resume(clock.now()))

    def pause(self) -> None:
        self._ask(Transport.pause)

    def stop(self) -> None:
        """Stand at the first selected bin until `resume`."""
        self._ask(Transport.stop)

    def restart(self) -> int:
        """Play from the first selected bin on, disturbed as from the beginning of the session.

        Returns
        -------
        int
            The sequence number of that bin.

        Raises
        ------
        NotNow
            If the source cannot go back.
        """
        with self._turn:
            first = self.ring.head
            self.happenings.note(self._transport.restart(first, clock.now()), asked=True)
            self._wake()
            return first

    def drive(self, driver: str | None) -> int:
        """Let another decoder move the cursor of a closed loop; the next that answers, if None.

        Returns
        -------
        int
            The sequence number of the first bin for which it does.

        Raises
        ------
        NotNow
            If the source is no closed loop.
        """
        return self._change_loop(lambda transport, first: transport.drive(driver, first))

    def steer(self, settings: Mapping[str, Any]) -> int:
        """Change how answers move the cursor of a closed loop; returns as `drive` does.

        Raises
        ------
        NotNow
            If the source is no closed loop.
        BadSetting
            If a setting is unknown or out of bounds; then nothing has changed.
        """
        return self._change_loop(lambda transport, first: transport.steer(settings, first))

    def _change_loop(self, change: Callable[[Transport, int], str]) -> int:
        with self._turn:
            first = self.ring.head
            self.happenings.note(change(self._transport, first), asked=True)
            self._wake()
            return first

    def step(self) -> None:
        """Pause, then send one bin."""
        self._ask(Transport.step)

    def seek(self, packet_id: int) -> None:
        """Make a bin the next one.

        Raises
        ------
        OutsideSelection
            If the bin is not selected.
        """
        self._ask(lambda transport: transport.seek(packet_id))

    def set_speed(self, speed: Speed) -> None:
        """Change the pace; the next bin is due at most one new period from now."""
        self._ask(lambda transport: transport.set_speed(speed, clock.now()))

    def set_loop(self, loop: bool) -> None:
        self._ask(lambda transport: transport.set_loop(loop))

    def set_selection(self, selection: Selection) -> None:
        """Play other bins, from their first.

        Raises
        ------
        UnknownTrial, UnknownTarget, EmptySelection
            Then nothing has changed.
        """
        bins = self._transport.seekable("selection").bins(selection)  # out of turn: it takes its time
        self._ask(lambda transport: transport.set_selection(selection, bins))

    def set_perturbation(self, settings: Mapping[str, Any]) -> None:
        """Change models by name or by preset; `BadSetting` if one is unknown or out of bounds."""
        self._transport.perturbations.prepare(settings)  # out of turn: it may take its time
        self._ask(lambda transport: transport.set_perturbation(settings))

    def tune(self, what: str, settings: Mapping[str, Any]) -> None:
        """Change settings of a part of the source, such as electrodes, from a bin on that the note tells.

        Raises
        ------
        NotNow
            If the source has no such thing.
        BadSetting
            If a setting is unknown, constant or out of bounds; then nothing has changed.
        """
        self._ask(lambda transport: transport.tune(what, settings))

    def set_timetable(self, steps: Sequence[Step]) -> None:
        """Have perturbations change at seconds of the session; `BadSetting` if a step cannot be."""
        self._transport.perturbations.prepare(*(step.perturbation for step in steps))
        self._ask(lambda transport: transport.set_timetable(steps))

    def note(self, text: str) -> None:
        """Put a remark among the notes and happenings; it counts as no change of settings."""
        with self._turn:
            self.happenings.note(text, asked=False)
            self._wake()

    def close(self) -> None:
        """End the thread, and wait for it. A second call does nothing."""
        with self._turn:
            self._transport.enter("closed")
            self._wake()
        if self._thread is not threading.current_thread():
            self._thread.join()
        self.source.close()

    def _ask(self, change: Callable[[Transport], str | None]) -> None:
        """Change the state, note what was done, and tell the thread and all who listen."""
        with self._turn:
            text = change(self._transport)
            if text is not None:
                self.happenings.note(text, asked=True)
            self._wake()

    def _wake(self) -> None:
        self._alarm.ring()
        for listener in self._listeners:
            listener.wake()

    # The thread

    def _run(self) -> None:
        try:
            while True:
                with self._turn:
                    if self._transport.state == "closed":
                        return
                    head = self.ring.head
                    until = min(self._play(), self._transport.publish_voltages(clock.now()))
                if self.ring.head != head:
                    for listener in self._listeners:  # out of turn: others may have theirs meanwhile
                        listener.wake()
                if self.voltages is not None:
                    self.voltages.tell()
                self._alarm.wait(until)
        except Exception as error:  # whatever it is, it ends this session alone, and visibly
            log.exception("The replay of %s has failed", self._thread.name)
            self.error = f"{type(error).__name__}: {error}"
            with self._turn:
                self._transport.enter("failed")
                self._wake()

    def _play(self) -> float:
        """Send what is due; return when there is more to do, infinity if something must change before."""
        transport = self._transport
        if transport.end_if_over():
            self._wake()
        at = clock.now()
        if (text := transport.lose_patience(at)) is not None:
            self.happenings.note(text, asked=True)
            self._wake()
        if n := transport.n_due(at):
            self._send(n, at)
        elif transport.waits(at):
            return transport.next_due
        elif transport.state == "playing" and not transport.paced:
            return self._play_at_max()
        return transport.next_due

    def _play_at_max(self) -> float:
        self._hungry = True  # before the floors are read, so that a rise after that is told
        floors = [listener.floor() for listener in self._listeners]
        room = self.ring.capacity - (self.ring.head - min(floors)) if floors else 0
        if room < BLOCK // 2:
            return math.inf
        self._hungry = False
        self._send(room, clock.now())
        return clock.now() + (YIELD if self._moved is None else 0.0)

    def _send(self, n: int, at: float) -> None:
        """Send up to `n` bins that are due at time `at`."""
        transport = self._transport
        paced, block = transport.paced, self._block
        block.first = first = self.ring.head
        if (text := transport.reach(first)) is not None:
            self.happenings.note(text, asked=True)
        n, raw, told = transport.make(block, n, at)
        if not paced:
            self.paced_from = first + n  # before the rows are there: sinks are silent at speed max
        self.ring.publish_raw(raw)
        if paced:
            for due, text in told:
                self.happenings.add(text, due)
        if transport.state == "ended":  # in the same turn: whoever sees the last bin may resume
            self._wake()
