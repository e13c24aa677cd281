"""What a session has below its bins: electrodes, their voltages, and the spikes that are found in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from engine.bins.description import Recorded
from engine.bins.source import Source
from engine.bins.troughs import TroughLog, Troughs
from engine.bins.voltages import VoltageRing
from engine.broadband import WAVEFORM, Engine, Floats32, compile_ahead
from engine.files.voltages import VoltageSeries
from engine.sources.electrodes.detects import Counted, Detects
from engine.sources.electrodes.features import FeatureLog
from engine.sources.electrodes.judge import Detected, Judge
from engine.sources.electrodes.playing import Within
from engine.sources.electrodes.settings import Electrodes
from engine.sources.electrodes.signal import Signal
from engine.sources.electrodes.tuning import Tuning
from engine.sources.growing import GrowingDescription
from engine.tuned import Tuned

COMPLETED = 2 * WAVEFORM
"""Samples by which the waveform of a spike that is found may be late."""


class Implant:
    """Finds the spikes of each bin in voltages, keeps these for streams and pages, and judges itself.

    Parameters
    ----------
    recording : Recorded
        Whose units are near the electrodes.
    within : function, optional
        Gives the spikes of a bin; None where that is not known.
    settings : Electrodes
    detection : Tuned
        Settings of what finds spikes.
    detect : function
        Makes that of them.
    engine : {"numba", "scipy"}, optional
    recorded : VoltageSeries, optional
        Voltages of the recording's file, if they are played.

    Attributes
    ----------
    recording, within, settings, detection, engine, recorded
        As above.
    tuning : Tuning
        What is wanted now; it begins with the above.
    detected : Detected or None
        How the detection does, of bins made; None in the first two seconds of them.
    voltages : VoltageRing
        Those in which spikes are found, when they are due.
    troughs : TroughLog
        Of spikes.
    features : FeatureLog
        Of bins.
    closed : bool
        Whether it takes nothing of the machine any more.
    """

    def __init__(
        self,
        recording: Recorded,
        within: Within | None,
        settings: Electrodes,
        detection: Tuned,
        detect: Callable[[Tuned], Detects],
        engine: Engine | None = None,
        recorded: VoltageSeries | None = None,
    ) -> None:
        self.recording, self.within = recording, within
        self.settings, self.detection = settings, detection
        self.engine, self.recorded = engine, recorded
        self.tuning = Tuning(settings, detection)
        self.voltages = VoltageRing(settings.n_channels, settings.microvolts_per_count, recording.bin_rate)
        self.troughs = TroughLog()
        self.features = FeatureLog(recording.bin_rate)
        self.detected: Detected | None = None
        self.closed = False
        self._detect = detect
        self._judge = Judge(settings.n_channels)
        self._detector: Detects | None = None

    @property
    def channel_names(self) -> tuple[str, ...]:
        if self.recorded is not None:
            return self.recorded.channel_names
        return tuple(f"electrode {i}" for i in range(self.settings.n_channels))

    @property
    def thresholds(self) -> Floats32:
        """At present, but those that are set by hand as they are wanted; uV, NaN before there are any."""
        made = self._nothing() if self.detected is None else self.detected.thresholds.copy()
        by_hand = self.tuning.by_hand
        made[list(by_hand)] = list(by_hand.values())
        return made

    @property
    def noise(self) -> Floats32:
        """uV, shape (n_channels,); NaN before it is known."""
        return self._nothing() if self.detected is None else self.detected.noise

    def describe(self, description: GrowingDescription) -> None:
        """Say of a session's bins what is below them."""
        recorded = self.recorded
        description.sampled = True
        description.synthetic = recorded is None or self.recording.synthetic
        known = self.within is not None and recorded is not None and recorded.unit_channels is not None
        description.truth = recorded is None or known

    def prepare(self) -> None:
        """Compile what finds spikes, and make it: this may take a minute, in any thread."""
        compile_ahead(self.engine)
        self._detector = self._detect(self.detection)

    def find(self, numbers: range, signal: Signal) -> Sequence[Counted]:
        """Find the spikes of the next bins, when all is prepared; in one thread."""
        detector = self._detector
        assert detector is not None
        self.tuning.reach(numbers.start, signal, detector)
        voltages, true, there = signal.read(numbers)
        found = detector.process(voltages) if there is None else detector.process(voltages, there)
        self.voltages.add(voltages)
        stop = signal.edge(numbers.stop)
        those = Troughs(found.waveforms.troughs, found.waveforms.channels)
        self.troughs.add(stop, true, those)
        judged = those if signal.truth else Troughs.none()
        if self._judge.add(true, judged, stop - COMPLETED):
            self.detected = Detected(detector.thresholds, detector.noise, self._judge.matched)
        for number, bin_ in zip(numbers, found.bins, strict=True):
            self.features.add(number, bin_.features)
        return found.bins

    def _nothing(self) -> Floats32:
        return np.full(self.settings.n_channels, np.nan, np.float32)


class Implanted:
    """The part of a source that has an implant below its bins: an `engine.bins.source.Sampled`."""

    implant: Implant

    @property
    def voltages(self) -> VoltageRing:
        return self.implant.voltages

    @property
    def troughs(self) -> TroughLog:
        return self.implant.troughs

    @property
    def thresholds(self) -> npt.NDArray[np.float32]:
        return self.implant.thresholds

    @property
    def noise(self) -> npt.NDArray[np.float32]:
        return self.implant.noise


def implant_of(source: Source) -> Implant | None:
    """What a source has below its bins, if it has something."""
    return source.implant if isinstance(source, Implanted) else None
