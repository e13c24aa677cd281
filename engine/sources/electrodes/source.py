"""Electrodes as the source of a session: spikes are found in voltages, a recording's own or simulated."""

from __future__ import annotations

import logging
import math
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.bins.source import Block, Capability, Tick, Told
from engine.bins.trials import EVENT_NAMES, Trial
from engine.errors import BadSetting, CannotFit
from engine.sources.electrodes.implant import Implant, Implanted
from engine.sources.electrodes.playing import Playing
from engine.sources.electrodes.signal import Replayed, Signal, Simulated
from engine.sources.endless import Written
from engine.sources.growing import PHASE_OF, GrowingDescription

log = logging.getLogger(__name__)

CAN: Final[tuple[Capability, ...]] = ("pause", "step", "speed", "perturbation", "tune")
AHEAD: Final = 0.4
"""Seconds of bins that are made before they are due."""
AT_ONCE: Final = 0.025
"""Seconds of bins that are made together, if these are short."""
PATIENCE: Final = 2.0
"""Seconds that a disk gets to answer when all is over."""
EVENTS: Final = {name: event for event, name in EVENT_NAMES.items()}


class Made(NamedTuple):
    """A bin that is ready: which of the recording, and what was found in it."""

    place: int
    counts: npt.NDArray[np.int64]


class ElectrodeSource(Implanted, Written):
    """A recording as electrodes show it, again and again: `Prepared`, `Sampled` and `Tunable` of
    `engine.bins.source`.

    Behaviour and trials are the recording's, and a bin's counts the threshold crossings that are found on
    each channel. Voltages are those of its file; or simulated: its units are dealt to channels in turn and
    fire at their own times (within a bin at random, where the recording has counts alone). Bins are made
    ahead in a thread of its own. The same seed gives the same bins, and so do the same changes between the
    same bins.

    Parameters
    ----------
    implant : Implant
    events : mapping
        Texts of what happens in bins, such as ``target_on 3``, by their indices.

    Attributes
    ----------
    implant
        As above.
    """

    kind = "electrodes"
    can = CAN

    def __init__(self, implant: Implant, events: Mapping[int, tuple[str, ...]]) -> None:
        self.implant, self._recording = implant, implant.recording
        recording, voltages = implant.recording, implant.recorded
        description = GrowingDescription(
            name=recording.name,
            channel_names=implant.channel_names,
            bin_rate=recording.bin_rate,
            length_unit=recording.length_unit,
            series=recording.series,
            told=True,
        )
        implant.describe(description)
        super().__init__(description)
        self._ahead, self._at_once = (max(round(s * recording.bin_rate), 1) for s in (AHEAD, AT_ONCE))
        self._events = events
        self._coverage = recording.bins["coverage"]
        if voltages is not None:
            there = voltages.coverage(recording.start_time, len(recording.bins), recording.bin_rate)
            self._coverage = np.minimum(self._coverage, there)
        self._trials = [_untimed(trial) for trial in recording.trials]
        self._tell: Callable[[], None] = lambda: None
        self._made: deque[Made] = deque()
        self._error = ""
        self._room = threading.Condition()  # guards the two above, and whether the implant is closed
        # Scheduled as the deck is: else it could be stopped while the deck waits for a lock that it has.
        self._thread = threading.Thread(target=self._run, name="electrodes", daemon=True)
        self._thread.start()

    # What the deck asks

    def on_ready(self, tell: Callable[[], None]) -> None:
        self._tell = tell
        with self._room:
            late = self._error or self._made
        if late:  # it was told to nobody
            tell()

    def ready(self, n: int) -> int:
        with self._room:
            if self._error and not self._made:
                raise CannotFit(self._error)
            return min(n, len(self._made))

    def fill(self, block: Block, ticks: Sequence[Tick]) -> Told:
        with self._room:
            made = [self._made.popleft() for _ in ticks]
            self._room.notify()
        told: list[tuple[float, str]] = []
        for row, (due, _), each in zip(block.rows, ticks, made, strict=False):
            self._write(row, due, each)
            told += [(due, text) for text in self._events.get(each.place, ())]
        return told

    def close(self) -> None:
        with self._room:
            self.implant.closed = True
            self._room.notify()
        if self._thread is not threading.current_thread():
            self._thread.join(PATIENCE)

    def _write(self, row: Any, due: float, made: Made) -> None:
        bin_ = self._recording.bins[made.place]
        trial = self._trials[bin_["trial"]] if bin_["trial"] >= 0 else None
        kinematics = bin_["kinematics"].tolist()
        self.write(row, due, made.counts, kinematics, trial, float(self._coverage[made.place]))
        newest = self._sent - 1
        for text in self._events.get(made.place, ()):
            event = EVENTS[text.partition(" ")[0]]
            if event in PHASE_OF:
                self.description.mark(event, newest, newest)
            elif event == "stop":
                success = self._recording.trials[bin_["trial"]].success
                if success is not None:
                    self.description.judge(success)

    def tune(self, what: str, settings: Mapping[str, Any]) -> str:
        """Change what `Tuning` has, from the first bin on that is not made now, however fast they are made.

        Bins are begun when fewer than `AHEAD` are there, so many at once, and counted from 0.

        Raises
        ------
        BadSetting
            If one is unknown, constant or out of bounds, or the voltages are recorded; then nothing has
            changed.
        """
        if what == "electrodes" and self.implant.recorded is not None:
            raise BadSetting(
                f"The voltages are those of {self._recording.name}: {' and '.join(settings)} cannot be "
                "changed. Change the detection, or make a session with voltages 'simulated'."
            )
        first = -(-(self._sent + self._ahead) // self._at_once) * self._at_once
        return self.implant.tuning.change(what, settings, first)

    # The thread

    def _run(self) -> None:
        try:
            self._make_bins()
        except Exception as error:  # whatever it is, it ends this session alone, and visibly
            log.exception("The electrodes of %s have failed", self.description.name)
            with self._room:
                self._error = f"The electrodes have failed: {type(error).__name__}: {error}"
            self._tell()

    def _make_bins(self) -> None:
        self.implant.prepare()
        number, n_bins = 0, len(self._recording.bins)
        with closing(self._signal()) as signal:
            while self._has_room():
                numbers = range(number, number + self._at_once)
                number = numbers.stop
                found = self.implant.find(numbers, signal)
                with self._room:
                    for each, bin_ in zip(numbers, found, strict=True):
                        self._made.append(Made(each % n_bins, bin_.counts))
                self._tell()

    def _has_room(self) -> bool:
        """Wait until more bins are to be made; False if none ever are."""
        with self._room:
            while not self.implant.closed and len(self._made) >= self._ahead:
                self._room.wait()
            return not self.implant.closed

    def _signal(self) -> Signal:
        implant, recording, rate = self.implant, self._recording, self._recording.bin_rate
        settings = implant.settings
        if implant.recorded is None:
            trains = Playing(recording.counts, rate, implant.within, settings.seed)
            return Simulated(trains, settings, implant.engine)
        return Replayed(
            implant.recorded,
            recording.start_time,
            len(recording.bins),
            rate,
            settings.microvolts_per_count,
            implant.within,
        )


def _untimed(trial: Trial) -> Trial:
    """A trial whose times are not known yet."""
    unknown = math.nan
    return replace(
        trial,
        stop_time=unknown,
        target_on_time=unknown,
        go_cue_time=unknown,
        move_onset_time=unknown,
        success=None,
    )
