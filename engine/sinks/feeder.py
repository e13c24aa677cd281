"""What feeds a sink: a cursor into a session's ring, in a thread that nobody waits for."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from engine.bins import clock
from engine.bins.alarm import Alarm
from engine.bins.delivery import Delivery, arriving
from engine.bins.schema import Rows
from engine.deck.replay import Replay
from engine.errors import BrokerFault, DeckError
from engine.sinks.base import Sink

log = logging.getLogger(__name__)

BLOCK: Final = 64
"""Bins handed to a sink at once, at most."""
LOOK: Final = 0.1
"""Seconds between looks for a consumer: sinks call nobody back."""
PAUSES: Final = (0.1, 0.2, 0.5, 1.0, 2.0)
"""Seconds before a sink that has failed is tried again; the last for ever after."""
STEADY_AFTER: Final = 10.0
"""Seconds after which a sink that runs is no more one that keeps failing."""
QUIET: Final = 60.0
"""Seconds before the same sink's failure is told again."""
BLOCKED_AFTER: Final = 2.0
"""Seconds that a call of a sink may take before it is said to block."""
LEFT_WITHIN: Final = 1.0
"""Seconds that a sink gets to return when it is to go; after that its thread is left to itself."""

State = Literal["starting", "running", "blocked", "failed", "closed"]


@dataclass(frozen=True)
class SinkState:
    """How a sink does.

    Attributes
    ----------
    state : str
    since : float
        Unix seconds at which that began.
    error : str or None
        The last thing that it raised, in one line.
    lost : int
        Bins of which it is not certain that it got them: the ring had lapped it, or it had failed.
    """

    state: State
    since: float
    error: str | None
    lost: int

    @property
    def well(self) -> bool:
        return self.state not in ("failed", "blocked")


class Feeder:
    """Feeds one sink of one session, and makes it anew where it fails. A listener of its replay.

    A slow sink gets more bins at once, and is lapped at last; one that raises is closed and tried again.
    Neither is ever waited for. At speed max sinks are silent.

    Parameters
    ----------
    name : str
        For the log, such as ``lsl of demo``.
    make : function
        Makes the sink.
    replay : Replay
    """

    def __init__(self, name: str, make: Callable[[], Sink], replay: Replay) -> None:
        self.name = name
        self.heard = False  # whether the sink was wanted when it was last asked
        self.made = threading.Event()  # set when it was first made, or has failed to be
        self._make = make
        self._replay = replay
        self._alarm = Alarm()
        self._delivery = Delivery(replay.ring)
        self._happened = replay.happenings.head
        self._state: State = "starting"
        self._since = clock.now()
        self._busy_since = math.inf
        self._error: str | None = None
        self._lost = 0
        self._told = -math.inf
        self._down = False  # whether there is no sink, as it has failed
        self._stopped = False
        replay.add_listener(self)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def status(self) -> SinkState:
        now = clock.now()
        state, since = self._state, self._since
        if state != "closed" and now - self._busy_since > BLOCKED_AFTER:
            state, since = "blocked", self._busy_since
        return SinkState(state, clock.unix(since), self._error, self._lost + self._missed)

    @property
    def _missed(self) -> int:
        """Bins that it has not got since it failed; at speed max sinks are silent."""
        if not self._down:
            return 0
        return max(self._replay.ring.head - max(self._delivery.cursor, self._replay.paced_from), 0)

    # As a listener

    def wake(self) -> None:
        self._alarm.ring()

    def floor(self) -> int:
        """A sink never holds the replay up."""
        return self._replay.ring.head

    # The end

    @property
    def _closing(self) -> bool:
        """Whether it was told to stop, or its session has ended."""
        return self._stopped or self._replay.state == "closed"

    def stop(self) -> None:
        """Feed no more, soon: several are told before any is waited for."""
        self._stopped = True
        self._replay.remove_listener(self)
        self._alarm.ring()

    def close(self, within: float = LEFT_WITHIN) -> None:
        """Feed no more, and give the sink so many seconds to end. A second call does nothing."""
        self.stop()
        if self._thread is not threading.current_thread():
            self._thread.join(within)

    # The thread

    def _run(self) -> None:
        failures = 0
        while not self._closing:
            try:
                self._serve()
            except Exception as error:  # whatever it is, it ends this sink alone, for a while
                if self._state == "running" and clock.now() - self._since > STEADY_AFTER:
                    failures = 0
                self._fail(error)
                self._wait(clock.now() + PAUSES[min(failures, len(PAUSES) - 1)])
                failures += 1
        self._enter("closed")

    def _serve(self) -> None:
        """Make the sink and feed it until it is to close."""
        self._busy_since = clock.now()
        sink = self._make()
        try:
            self._busy_since = math.inf
            if self._state != "failed":
                self._enter("running")
            missed = self._missed
            self._delivery.skip()
            self._down, self._lost = False, self._lost + missed
            self.made.set()
            while not self._closing:
                self._alarm.wait(self._feed(sink))
        finally:
            self._busy_since = clock.now()
            sink.close()
            self._busy_since = math.inf

    def _feed(self, sink: Sink) -> float:
        """Hand the sink what is due; return when to come again at the latest."""
        self._busy_since = clock.now()
        self.heard = sink.wanted()
        if self.heard and self._replay.state == "idle":
            self._replay.start()
        if self._delivery.cursor < self._replay.paced_from:
            self._delivery.skip_to(self._replay.paced_from)
        raw, lapped = self._delivery.take(self._busy_since, BLOCK)
        self._lost += lapped
        if raw:
            rows = arriving(self._replay.ring.rows_of(raw))
            if len(rows):
                self._push(sink, rows)
                if self._state == "failed":
                    log.info("The sink %s is back", self.name)
                    self._enter("running")
        happened, self._happened = self._replay.happenings.since(self._happened)
        for text, due in happened:
            sink.event(text, due)
        self._busy_since = math.inf
        return min(self._delivery.next, clock.now() + LOOK)

    def _push(self, sink: Sink, rows: Rows) -> None:
        """Hand over bins, which are lost if the sink raises."""
        handed_over = False
        try:
            sink.push(rows)
            handed_over = True
        finally:
            if not handed_over:
                self._lost += len(rows)

    def _fail(self, error: Exception) -> None:
        plain = isinstance(error, DeckError)  # it says all in one line, which is told again if it changes
        before = self._error
        self._error = str(error) if plain else f"{type(error).__name__}: {error}".splitlines()[0]
        self._lost += error.lost if isinstance(error, BrokerFault) else 0
        self._down = True
        self._busy_since = math.inf
        self.heard = False
        if self._state != "failed":
            self._enter("failed")
        if clock.now() - self._told > QUIET or (plain and self._error != before):
            self._told = clock.now()
            if plain:
                log.warning("The sink %s has failed; it is tried again: %s", self.name, error)
            else:
                log.exception("The sink %s has failed; it is tried again", self.name)
        self.made.set()

    def _wait(self, until: float) -> None:
        while not self._closing and clock.now() < until:
            self._alarm.wait(until)

    def _enter(self, state: State) -> None:
        self._state, self._since = state, clock.now()
