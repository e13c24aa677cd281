"""A live stream as the source of a session."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from engine.bins import clock
from engine.bins.source import Block, Capability, SourceState, Tick, Told
from engine.bins.trials import EVENT_NAMES, Trial
from engine.sources.endless import UNKNOWN, Written
from engine.sources.growing import GrowingDescription
from engine.sources.live_lsl.assembly import Assembly, Regular, Spikes, near
from engine.sources.live_lsl.companion import Companion
from engine.sources.live_lsl.header import StreamHeader, samples_a_bin
from engine.sources.live_lsl.layout import Columns, kinematics_columns, length_unit
from engine.sources.live_lsl.look import look
from engine.sources.live_lsl.names import ROLES, Names, Role, read_names
from engine.sources.live_lsl.stream import CLOSED_WITHIN, Listener, LiveStream

CAN: Final[tuple[Capability, ...]] = ("pause", "perturbation")
EVENTS_KEPT: Final = 1000
LONGEST_EVENT: Final = 1000
"""Characters of an event that are told on."""
GREATEST: Final = 1e9
"""Of a coordinate or an id; what is beyond, or no number, is taken for missing."""
FAR_OFF: Final = 10.0
"""Seconds from now: a time stamp farther away is of another clock."""


class LiveLsl(Written):
    """An `engine.bins.source.SelfPaced`: counts or spikes from LSL, with what comes beside them.

    A bin is sent as soon as its samples are there, and those of its companions, for which it waits 0.25 s
    at most; a bin of spikes 0.05 s after its end. A stream that is silent for 1.25 s, or gone, or another
    than it was, leaves its bins unobserved until it is back.

    Parameters
    ----------
    names : Names
    bin_rate : float
        Bins per second.

    Raises
    ------
    NotThere
        If there is no stream of that name.
    BadSetting
        If its rate is no multiple of the bins', or it is text.
    """

    kind = "lsl"
    can = CAN

    def __init__(self, names: Names, bin_rate: float) -> None:
        header, beside = look(names)
        samples = samples_a_bin(header, bin_rate)
        width = 1.0 / bin_rate
        self._lock = threading.Lock()  # guards all below; held for moments
        self._columns: dict[Role, Columns] = {}
        self._companions: dict[Role, Companion] = {}
        for role in ("kinematics", "intention"):
            if names.of(role) is not None:
                self._companions[role] = Companion(beside[role].rate if role in beside else bin_rate, width)
        self._events: deque[tuple[float, str]] = deque(maxlen=EVENTS_KEPT)
        given = (header.n_channels, width, self._companions)
        self._assembly: Assembly = Regular(samples, *given) if samples else Spikes(*given)
        self._tell: Callable[[], None] = lambda: None
        description = GrowingDescription(
            name=names.neural,
            channel_names=header.labels or tuple(f"channel {i}" for i in range(header.n_channels)),
            bin_rate=bin_rate,
            length_unit=length_unit(beside.get("kinematics")),
            series=_series(names),
            told="events" in beside,
        )
        super().__init__(description)
        self._streams = [LiveStream(names.neural, Listener(self._come, self._add, self._go), header)]
        for role in ROLES:
            if (name := names.of(role)) is not None:
                self._streams.append(LiveStream(name, self._listener(role), beside.get(role)))

    @property
    def status(self) -> SourceState:
        return replace(self._streams[0].status, late=self._assembly.late)

    # What the deck asks

    def on_ready(self, tell: Callable[[], None]) -> None:
        self._tell = tell

    def skip(self) -> None:
        with self._lock:
            self._assembly.skip(clock.now())
            self._events.clear()

    def ready(self, n: int) -> int:
        with self._lock:
            self._assembly.advance(clock.now())
            return min(n, len(self._assembly.made))

    @property
    def next_due(self) -> float:
        with self._lock:
            return -math.inf if self._assembly.made else self._assembly.deadline

    def dues(self, n: int) -> Sequence[float]:
        with self._lock:
            return [self._assembly.made[i].due for i in range(n)]

    def fill(self, block: Block, ticks: Sequence[Tick]) -> Told:
        with self._lock:
            made = [self._assembly.made.popleft() for _ in ticks]
        for row, bin_ in zip(block.rows, made, strict=False):
            kinematics = bin_.beside.get("kinematics", UNKNOWN)
            said = bin_.beside.get("intention")
            trial, known = trial_of(said), said is not None
            self.write(row, bin_.due, bin_.counts, kinematics, trial, bin_.coverage, known)
        return self._happened(made[-1].due) if made else ()

    def close(self) -> None:
        for stream in self._streams:
            stream.stop()
        until = clock.now() + CLOSED_WITHIN
        for stream in self._streams:
            stream.close(max(until - clock.now(), 0.0))

    # In the thread of the replay

    def _happened(self, newest: float) -> Told:
        """Events up to the newest bin, each at its own time; what is no event of a trial is a marker."""
        until = newest + self.description.bin_width / 2
        with self._lock:
            told = [self._events.popleft() for _ in range(sum(due <= until for due, _ in self._events))]
        for due, text in told:
            self.description.tell(text, due, self._sent - 1)
        known = EVENT_NAMES.values()
        return [(due, text if text.partition(" ")[0] in known else f"marker {text}") for due, text in told]

    # In the threads of the streams

    def _ring(self) -> None:
        """Let the replay look, if there may be something for it."""
        if self._assembly.waits:
            self._tell()

    def _come(self, _: StreamHeader) -> None:
        with self._lock:
            self._assembly.come(clock.now())

    def _go(self) -> None:
        with self._lock:
            self._assembly.go(clock.now())

    def _add(self, stamps: Sequence[float], samples: Sequence[Sequence[Any]]) -> None:
        now = clock.now()
        with self._lock:
            self._assembly.late += len(stamps)
            stamps, samples = near(stamps, samples, now, FAR_OFF)
            self._assembly.late -= len(stamps)
            self._assembly.add(stamps, samples, now)
        self._ring()

    def _listener(self, role: Role) -> Listener:
        """What hears a companion."""
        if role == "events":
            return Listener(lambda _: None, self._add_events, lambda: None)
        companion = self._companions[role]

        def come(header: StreamHeader) -> None:
            with self._lock:
                self._columns[role] = kinematics_columns(header) if role == "kinematics" else (0, 1, 2, 3)
                companion.come(clock.now())

        def take(stamps: Sequence[float], samples: Sequence[Sequence[Any]]) -> None:
            columns = self._columns[role]
            stamps, samples = near(stamps, samples, clock.now(), FAR_OFF)
            values = [[_number(sample, i) for i in columns] for sample in samples]
            with self._lock:
                companion.add(stamps, values)
            self._ring()

        def go() -> None:
            with self._lock:
                companion.go()
            self._ring()

        return Listener(come, take, go)

    def _add_events(self, stamps: Sequence[float], samples: Sequence[Sequence[Any]]) -> None:
        stamps, samples = near(stamps, samples, clock.now(), FAR_OFF)
        texts = (str(sample[0])[:LONGEST_EVENT] for sample in samples)
        with self._lock:
            self._events.extend(zip(stamps, texts, strict=True))


def _number(sample: Sequence[Any], i: int | None) -> float:
    """A channel of a companion; NaN where it has none, or says what cannot be."""
    value = math.nan if i is None or i >= len(sample) else float(sample[i])
    return value if abs(value) <= GREATEST else math.nan


def live_lsl(argument: str, bin_rate: float) -> LiveLsl:
    """The source that ``lsl:ARGUMENT`` names, as `LiveLsl` makes it."""
    return LiveLsl(read_names(argument), bin_rate)


def trial_of(said: Sequence[float] | None) -> Trial | None:
    """The trial that an intention stream tells: target_id, target_x, target_y, trial_id; -1 is none."""
    if said is None or not said[3] >= 0:
        return None
    target_id, x, y, trial_id = said
    aims = target_id >= 0
    placed = aims or x != 0 or y != 0
    return Trial(
        trial_id=int(trial_id),
        start_time=math.nan,
        stop_time=math.nan,
        target_id=int(target_id) if aims else None,
        target_x=x if placed else math.nan,
        target_y=y if placed else math.nan,
        target_pos=((x, y),) if placed else (),
    )


def _series(names: Names) -> MappingProxyType[str, Any]:
    name = names.kinematics
    taken = None if name is None else {"name": name, "path": f"lsl:{name}"}
    return MappingProxyType({"position": taken, "velocity": taken, "passed_over": []})
