"""Electrodes as the source of a session: spikes are found in voltages, a recording's own or simulated."""

from __future__ import annotations

import logging
import math
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.bins.description import Recorded
from engine.bins.source import Block, Capability, Tick, Told
from engine.bins.trials import EVENT_NAMES, Trial
from engine.bins.troughs import TroughLog, Troughs
from engine.bins.voltages import VoltageRing
from engine.broadband import WAVEFORM, Engine, Floats32, compile_ahead
from engine.errors import BadSetting, CannotFit
from engine.files.voltages import VoltageSeries
from engine.sources.electrodes.detects import Detects
from engine.sources.electrodes.judge import Detected, Judge
from engine.sources.electrodes.playing import Within
from engine.sources.electrodes.settings import Electrodes
from engine.sources.electrodes.signal import Replayed, Signal, Simulated
from engine.sources.electrodes.tuning import Tuning
from engine.sources.endless import Written
from engine.sources.growing import PHASE_OF, GrowingDescription
from engine.tuned import Tuned

log = logging.getLogger(__name__)

CAN: Final[tuple[Capability, ...]] = ("pause", "step", "speed", "perturbation", "tune")
AHEAD: Final = 0.4
"""Seconds of bins that are made before they are due."""
AT_ONCE: Final = 0.025
"""Seconds of bins that are made together, if these are short."""
PATIENCE: Final = 2.0
"""Seconds that a disk gets to answer when all is over."""
COMPLETED: Final = 2 * WAVEFORM
"""Samples by which the waveform of a spike that is found may be late."""
EVENTS: Final = {name: event for event, name in EVENT_NAMES.items()}


class Made(NamedTuple):
    """A bin that is ready: which of the recording, and what was found in it."""

    place: int
    counts: npt.NDArray[np.int64]


class ElectrodeSource(Written):
    """A recording as electrodes show it, again and again: `Prepared`, `Sampled` and `Tunable` of
    `engine.bins.source`.

    Behaviour and trials are the recording's, and a bin's counts the threshold crossings that are found on
    each channel. Voltages are those of its file; or simulated: its units are dealt to channels in turn and
    fire at their own times (within a bin at random, where the recording has counts alone). Bins are made
    ahead in a thread of its own. The same seed gives the same bins, and so do the same changes between the
    same bins.

    Parameters
    ----------
    recording : Recorded
    events : mapping
        Texts of what happens in bins, such as ``target_on 3``, by their indices.
    within : function, optional
        Gives the spikes of a bin; None where that is not known.
    settings : Electrodes
    detection : Tuned
        Settings of what finds spikes.
    detect : function
        Makes that of them, when voltages are there to be had.
    engine : {"numba", "scipy"}, optional
    voltages : VoltageSeries, optional
        The recording's own, if they are played.

    Attributes
    ----------
    recording, within, settings, detection
        As above.
    recorded : VoltageSeries or None
        Those that are played, unless they are simulated.
    tuning : Tuning
        What is wanted now; it begins with the above.
    detected : Detected or None
        How the detection does, of bins made; None in the first two seconds of them.
    voltages : VoltageRing
        Those in which spikes are found, when they are due.
    troughs : TroughLog
        Of spikes.
    """

    kind = "electrodes"
    can = CAN

    def __init__(
        self,
        recording: Recorded,
        events: Mapping[int, tuple[str, ...]],
        within: Within | None,
        settings: Electrodes,
        detection: Tuned,
        detect: Callable[[Tuned], Detects],
        engine: Engine | None = None,
        voltages: VoltageSeries | None = None,
    ) -> None:
        simulated = tuple(f"electrode {i}" for i in range(settings.n_channels))
        description = GrowingDescription(
            name=recording.name,
            channel_names=simulated if voltages is None else voltages.channel_names,
            bin_rate=recording.bin_rate,
            length_unit=recording.length_unit,
            series=recording.series,
            told=True,
        )
        description.synthetic, description.sampled = voltages is None or recording.synthetic, True
        units_known = within is not None and voltages is not None and voltages.unit_channels is not None
        description.truth = voltages is None or units_known
        super().__init__(description)
        self.settings = settings
        self.detection = detection
        self.tuning = Tuning(settings, detection)
        self._ahead, self._at_once = (max(round(s * recording.bin_rate), 1) for s in (AHEAD, AT_ONCE))
        self.recording, self.within, self._events = recording, within, events
        self._detect, self._engine, self.recorded = partial(detect, detection), engine, voltages
        self._coverage = recording.bins["coverage"]
        if voltages is not None:
            there = voltages.coverage(recording.start_time, len(recording.bins), recording.bin_rate)
            self._coverage = np.minimum(self._coverage, there)
        self.detected: Detected | None = None
        self.voltages = VoltageRing(settings.n_channels, settings.microvolts_per_count, recording.bin_rate)
        self.troughs = TroughLog()
        self._trials = [_untimed(trial) for trial in recording.trials]
        self._tell: Callable[[], None] = lambda: None
        self._made: deque[Made] = deque()
        self._closed, self._error = False, ""
        self._room = threading.Condition()  # guards the three above
        # Scheduled as the deck is: else it could be stopped while the deck waits for a lock that it has.
        self._thread = threading.Thread(target=self._run, name="electrodes", daemon=True)
        self._thread.start()

    @property
    def closed(self) -> bool:
        return self._closed

    @property
    def thresholds(self) -> Floats32:
        """At present, but those that are set by hand as they are wanted."""
        detected = self.detected
        nothing = np.full(self.settings.n_channels, np.nan, np.float32)
        made = nothing if detected is None else detected.thresholds.copy()
        by_hand = self.tuning.by_hand
        made[list(by_hand)] = list(by_hand.values())
        return made

    @property
    def noise(self) -> Floats32:
        detected = self.detected
        nothing = np.full(self.settings.n_channels, np.nan, np.float32)
        return nothing if detected is None else detected.noise

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
            self._closed = True
            self._room.notify()
        if self._thread is not threading.current_thread():
            self._thread.join(PATIENCE)

    def _write(self, row: Any, due: float, made: Made) -> None:
        bin_ = self.recording.bins[made.place]
        trial = self._trials[bin_["trial"]] if bin_["trial"] >= 0 else None
        kinematics = bin_["kinematics"].tolist()
        self.write(row, due, made.counts, kinematics, trial, float(self._coverage[made.place]))
        newest = self._sent - 1
        for text in self._events.get(made.place, ()):
            event = EVENTS[text.partition(" ")[0]]
            if event in PHASE_OF:
                self.description.mark(event, newest, newest)
            elif event == "stop":
                success = self.recording.trials[bin_["trial"]].success
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
        if what == "electrodes" and self.recorded is not None:
            raise BadSetting(
                f"The voltages are those of {self.recording.name}: {' and '.join(settings)} cannot be "
                "changed. Change the detection, or make a session with voltages 'simulated'."
            )
        first = -(-(self._sent + self._ahead) // self._at_once) * self._at_once
        return self.tuning.change(what, settings, first)

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
        compile_ahead(self._engine)
        with closing(self._signal()) as signal:
            self._find_in(signal)

    def _signal(self) -> Signal:
        recording, settings, rate = self.recording, self.settings, self.recording.bin_rate
        if self.recorded is None:
            return Simulated(recording.counts, rate, self.within, settings, self._engine)
        return Replayed(
            self.recorded,
            recording.start_time,
            len(recording.bins),
            rate,
            settings.microvolts_per_count,
            self.within,
        )

    def _find_in(self, signal: Signal) -> None:
        detector, judge = self._detect(), Judge(self.settings.n_channels)
        number, n_bins = 0, len(self.recording.bins)
        while True:
            with self._room:
                while not self._closed and len(self._made) >= self._ahead:
                    self._room.wait()
                if self._closed:
                    return
            numbers = range(number, number + self._at_once)
            number = numbers.stop
            self.tuning.reach(numbers.start, signal, detector)
            voltages, true, there = signal.read(numbers)
            found = detector.process(voltages) if there is None else detector.process(voltages, there)
            self.voltages.add(voltages)
            those = Troughs(found.waveforms.troughs, found.waveforms.channels)
            self.troughs.add(signal.edge(number), true, those)
            judged = those if signal.truth else Troughs.none()
            if judge.add(true, judged, signal.edge(number) - COMPLETED):
                self.detected = Detected(detector.thresholds, detector.noise, judge.matched)
            with self._room:
                for each, bin_ in zip(numbers, found.bins, strict=True):
                    self._made.append(Made(each % n_bins, bin_.counts))
            self._tell()


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
