"""One session: a replay, who listens to it, and when it was last used."""

from __future__ import annotations

import asyncio
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol, TypeVar

from engine.answers.callers import Callers
from engine.answers.inlet import MakeInlet
from engine.answers.playback import Playback
from engine.answers.predictions import Predictions
from engine.answers.safety import Safety
from engine.answers.scores.scorer import Scorer
from engine.bins import clock
from engine.bins.description import Description, Recorded, recorded
from engine.bins.ring import Ring
from engine.bins.selection import Selection
from engine.bins.source import Moved, Place, refuse
from engine.calibration.floors import Floors
from engine.deck.replay import Replay
from engine.errors import NotNow
from engine.monitors.drift import DriftMonitor
from engine.monitors.monitor import Monitor, MonitorThread
from engine.sinks.base import MakeSink, Subject
from engine.sinks.feeder import LEFT_WITHIN, Feeder
from engine.sources.user.source import SimulatedUser
from engine.view import PLAIN, View, changed, usual_view
from sessions.attendance import Attendance
from sessions.audience import Audience
from sessions.floors import FOLLOWED, KeptFloors
from sessions.guided import Guided, Order
from sessions.launcher import Launched, Launcher
from sessions.listening import Inlets
from sessions.options import Options
from sessions.refusals import Conflict, UnknownSession
from sessions.tape import Tape

GOING_AWAY, DELETED = 1001, 1000
SETTLED_WITHIN = 2.0
"""Seconds that the last predictions get to be scored before scores are kept."""

A = TypeVar("A", bound=Audience, covariant=True)


class MakeAudience(Protocol[A]):
    """Such as the audience's class."""

    def __call__(self, session: Session, loop: asyncio.AbstractEventLoop, /) -> A: ...


class Session:
    """A replay under a code. Its methods may be called from any thread.

    Parameters
    ----------
    code : str
    replay : Replay
    options : Options
        What it was created with.
    subject : Subject
        What its sinks are told.
    make_sinks : mapping
        What makes them, by name.
    make_inlet : function, optional
        Makes what listens to predictions from LSL; None if LSL is off.
    monitors : MonitorThread, optional
        That of all sessions; one of its own if None.
    keep : function, optional
        Keeps the scores of all decoders, before they are forgotten.
    floors : KeptFloors, optional
        Where those of its recording are found.
    """

    def __init__(
        self,
        code: str,
        replay: Replay,
        options: Options,
        subject: Subject | None = None,
        make_sinks: Mapping[str, MakeSink] | None = None,
        make_inlet: MakeInlet | None = None,
        monitors: MonitorThread | None = None,
        keep: Callable[[Session], object] | None = None,
        floors: KeptFloors | None = None,
    ) -> None:
        self.code = code
        self.replay = replay
        self.options = options
        self.subject = subject or Subject(code, replay.description, replay.description.bin_rate)
        self.sinks = {
            name: Feeder(f"{name} of {code}", partial(make, self.subject), replay)
            for name, make in (make_sinks or {}).items()
        }
        self._keep = keep
        self._floors = floors
        self.created = time.time()
        self.maker: str | None = None  # the IP address that has asked for it
        self.safety = Safety(replay)
        if isinstance(replay.source, Moved):
            replay.source.guard(partial(_allowed, weakref.ref(self.safety)))
        here = weakref.ref(self)  # its parts hold it weakly: no cycle keeps its rings once it has ended
        self.predictions = Predictions(replay, lambda: _tell_scores(here), self.safety)
        self.scores = Scorer(replay, self.predictions, lambda: _hit_radius(here))
        recording = recorded(replay.description)
        answers = recording.answers if recording else None
        self._playback = Playback(replay, answers, self.predictions) if answers else None
        self.drift = DriftMonitor(replay)
        self.callers = Callers(self.predictions)
        looks = self.safety.look, self.drift.look, self.callers.look
        self.monitor = Monitor(monitors or MonitorThread(), f"monitor {code}", *looks)
        self.launched = Launched(lambda: _wake(here))
        self.guided: Guided | None = None
        self.inlets = Inlets(self.predictions, make_inlet)
        self._used = clock.now()
        self._born = self._used
        self._view = usual_view(self.description)
        self._lock = threading.Lock()  # guards the one above
        self._attendance = Attendance(code, replay)
        self._tape: Tape | None = None
        self._taping = threading.Lock()  # guards the one above; held while a record starts

    @property
    def lsl(self) -> bool:
        """Whether it has LSL outlets."""
        return "lsl" in self.sinks and not self.lsl_failed

    @property
    def lsl_failed(self) -> bool:
        """Whether they could not be made, or have failed."""
        return "lsl" in self.sinks and not self.sinks["lsl"].status.well

    @property
    def heard(self) -> bool:
        """Whether a sink has consumers."""
        return any(sink.heard for sink in self.sinks.values())

    def wait_ready(self, timeout: float) -> None:
        """Wait until LSL is on the network, or has failed to be."""
        if "lsl" in self.sinks:
            self.sinks["lsl"].made.wait(timeout)

    @property
    def description(self) -> Description:
        """Of its bins."""
        return self.replay.description

    @property
    def recording(self) -> Recorded:
        """What it plays.

        Raises
        ------
        NotNow
            If that is no recording.
        """
        return recorded(self.description) or refuse(self.replay.source, "recording")

    @property
    def floors(self) -> Floors | None:
        """What would score on its recording without reading the brain; None where that is not known."""
        if self._floors is None or self.replay.source.kind != FOLLOWED:
            return None
        return self._floors.of(self.recording)

    @property
    def ring(self) -> Ring:
        return self.replay.ring

    @property
    def age(self) -> float:
        """Seconds since it was made."""
        return clock.now() - self._born

    @property
    def idle(self) -> float:
        """Seconds since it was last used; 0 while somebody listens."""
        return 0.0 if self.listened_to else clock.now() - self._used

    @property
    def last_accessed(self) -> float:
        """Unix seconds."""
        return time.time() - (clock.now() - self._used)

    @property
    def decoders(self) -> int:
        """How many decoders are connected."""
        return self._attendance.decoders

    @property
    def audiences(self) -> list[Audience]:
        return self._attendance.audiences

    @property
    def listened_to(self) -> bool:
        """Whether a decoder, a page, an LSL consumer or a record is there; it keeps the session alive."""
        return (
            self.decoders > 0
            or any(a.size for a in self.audiences)
            or self.heard
            or (self._tape is not None and self._tape.recording)
        )

    @property
    def view(self) -> View:
        """How it is looked at, by everyone."""
        return self._view

    def change_view(self, settings: Mapping[str, Any]) -> None:
        """Change some settings of the view, and let everyone who watches know.

        Raises
        ------
        BadSetting
            Then nothing has changed.
        """
        with self._lock:
            before, self._view = self._view, changed(self._view, settings, self.description)
            if self._tape is not None:
                self._tape.change_settings()
        if self._view.hit_radius != before.hit_radius:
            self.replay.note(f"hit_radius {self._view.hit_radius:g}")  # scores depend on it
        self.wake()

    def wake(self) -> None:
        """Let everyone who watches know that something has changed."""
        for audience in self.audiences:
            audience.wake()

    @property
    def tape(self) -> Tape | None:
        """Its newest record, running or not."""
        return self._tape

    def record(self, make: Callable[[], Tape]) -> Tape:
        """Begin a record, which ends with the session at the latest.

        Raises
        ------
        UnknownSession
            If the session has been closed.
        Conflict
            If it is being recorded.
        """
        with self._taping:
            if self._attendance.closed:
                raise UnknownSession(f"Session {self.code} has just been deleted.")
            if self._tape is not None and self._tape.recording:
                raise Conflict(f"Session {self.code} is being recorded. Stop that record first.")
            self._tape = make()
            return self._tape

    def restart(self) -> None:
        """Play and score all decoders from the first selected bin on, as if they had just begun.

        Raises
        ------
        NotNow
            If the source cannot go back.
        """
        self._anew(self.replay.restart)

    def drive(self, driver: str | None) -> None:
        """Let another decoder move the cursor of a closed loop, and score all of them anew from then on.

        Raises
        ------
        NotNow
            If it is none.
        """
        self._moved("driver")
        self._anew(lambda: self.replay.drive(driver))

    def steer(self, settings: Mapping[str, Any]) -> None:
        """Change how answers move the cursor of a closed loop, and score all decoders anew from then on.

        Raises
        ------
        NotNow
            If it is none.
        BadSetting
            If a setting is unknown or out of bounds; then nothing has changed.
        """
        self._moved("steering")
        self._anew(lambda: self.replay.steer(settings))

    def _moved(self, what: str) -> Moved:
        source = self.replay.source
        return source if isinstance(source, Moved) else refuse(source, what, "user")

    def _anew(self, change: Callable[[], int]) -> None:
        """Keep the scores, then change what they depend on, from a bin on that this tells."""
        self._keep_scores()
        self.scores.restart(change())

    def guide(self, order: Order, launcher: Launcher) -> Guided:
        """Calibrate a decoder by blocks of trials in which it drives.

        Raises
        ------
        NotNow
            If this is no closed loop that goes at a pace, or the session has ended.
        Conflict
            If such a run is under way.
        """
        source = self.replay.source
        if not isinstance(source, SimulatedUser):
            refuse(source, "calibration", "user")
        if source.lockstep:
            raise NotNow("In lockstep nothing moves without a decoder. Make the session without lockstep.")
        with self._lock:
            if self._attendance.closed:
                raise NotNow("The session has just ended. Make a new one.")
            if self.guided is not None and not self.guided.ended:
                raise Conflict("A calibration of this session is under way. Wait for it, or cancel it.")
            self.guided = Guided(self, order, launcher)
            return self.guided

    def touch(self) -> None:
        """Note that the session was used."""
        self._used = clock.now()

    def admit(self, selection: Selection | None, at_most: int | None = None) -> None:
        """Let a decoder in, which may bring a selection, if there are fewer; `dismiss` it when it goes.

        Raises
        ------
        UnknownSession
            If the session has been closed.
        NotNow
            If its replay has failed.
        Conflict
            If another decoder is connected and plays something else.
        UnknownTrial, UnknownTarget, EmptySelection
            If the selection cannot be played.
        TooMany
        """
        self._attendance.admit(selection, at_most)
        self.touch()

    def attend(self, decoder: str | None) -> None:
        """Note that a decoder gets every bin from now on; None if it has no name yet."""
        if isinstance(self.replay.source, Moved):
            self.replay.source.attend(decoder)

    def dismiss(self) -> None:
        """Note that a decoder has gone."""
        self._attendance.dismiss()
        self.touch()

    def audience(self, make: MakeAudience[A], loop: asyncio.AbstractEventLoop) -> A:
        """The listeners of one kind on one loop; `make` makes them at first use.

        Raises
        ------
        UnknownSession
            If the session has been closed.
        """
        return self._attendance.audience(make, loop, lambda: make(self, loop))

    def close(self, code: int = DELETED, reason: str = "The session was deleted.") -> None:
        """End the connections and the replay, and wait for the latter."""
        self._attendance.close(code, reason)
        if self.guided is not None:
            self.guided.cancel()
        self.launched.close()
        self.inlets.close()
        self.callers.close()
        for sink in self.sinks.values():
            sink.stop()
        self.replay.close()
        until = clock.now() + LEFT_WITHIN
        for sink in self.sinks.values():
            sink.close(max(until - clock.now(), 0.0))
        if self._playback is not None:
            self._playback.close()
        with self._taping:
            if self._tape is not None:
                self._tape.stop()
        self._keep_scores()
        self._keep = None
        self.scores.close()
        self.monitor.close()

    def _keep_scores(self) -> None:
        if self._keep is not None and self.scores.settle(SETTLED_WITHIN).decoders:
            self._keep(self)


def _tell_scores(here: weakref.ref[Session]) -> None:
    if (session := here()) is not None:
        session.scores.news()


def _allowed(here: weakref.ref[Safety], place: Place, wanted: Place) -> Place:
    safety = here()
    return wanted if safety is None else safety.allow(place, wanted)


def _hit_radius(here: weakref.ref[Session]) -> float:
    session = here()
    return (PLAIN if session is None else session.view).hit_radius


def _wake(here: weakref.ref[Session]) -> None:
    if (session := here()) is not None:
        session.wake()
