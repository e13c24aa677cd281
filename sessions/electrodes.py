"""Electrodes as sources of sessions: as many as this machine can compute beside all else."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from functools import partial
from typing import Any, Final
from weakref import WeakSet

from engine.bins.source import Source
from engine.broadband import MOST_CHANNELS, fastest
from engine.errors import BadSetting
from engine.files.voltages import VoltageSeries
from engine.sources.electrodes.choice import chosen
from engine.sources.electrodes.implant import Implant, implant_of
from engine.sources.electrodes.judge import Detected
from engine.sources.electrodes.settings import Electrodes
from engine.sources.electrodes.source import ElectrodeSource
from engine.sources.recordings.events import trial_events
from engine.sources.recordings.recording import Recording
from engine.stages.detection.detector import Detector
from engine.stages.detection.settings import Detection
from engine.tuned import made
from sessions.recordings import refuse_without_spikes
from sessions.refusals import Busy

MOST_BY_SCIPY: Final = 256
"""Channels that scipy computes at their pace; numba does all."""
SHARE, SHARE_PER_CHANNEL = 0.055, 0.0001
"""Of a core, that the electrodes of one session take at speed 1 by numba: `tests.benchmarks.electrodes`."""
BY_SCIPY: Final = 5
"""Times as much by scipy."""
FOR_ELECTRODES: Final = 0.5
"""Of all cores; the rest is for streams, pages and other sessions."""


class Implants:
    """Those of a server. May be used from any thread."""

    def __init__(self) -> None:
        self._made: WeakSet[Implant] = WeakSet()
        self._lock = threading.Lock()  # guards it, and is held from the count to the making

    def of_recording(
        self,
        recording: Recording,
        n_channels: int | None,
        seed: int,
        electrodes: Mapping[str, Any] | None = None,
        detection: Mapping[str, Any] | None = None,
    ) -> ElectrodeSource:
        """Let spikes be found in a recording's own voltages, or on so many simulated electrodes, with
        settings that are not the usual.

        Raises
        ------
        BadSetting
            If a setting is unknown, out of bounds, or none of the file's voltages.
        CannotFit
            If the file's voltages are asked for, and there are none, or they cannot be played.
        Busy
            If it would take more of this machine than there is for electrodes.
        """
        settings, voltages = chosen(
            recording.name, recording.voltages, {**(electrodes or {}), "seed": seed}, n_channels
        )
        if voltages is None:
            refuse_without_spikes(recording)
        implant = self._implant(recording, settings, detection, voltages)
        return ElectrodeSource(implant, trial_events(recording))

    def below_user(
        self,
        recording: Recording,
        n_channels: int | None,
        seed: int,
        electrodes: Mapping[str, Any] | None = None,
        detection: Mapping[str, Any] | None = None,
    ) -> Implant:
        """Simulated electrodes near the neurons of a simulated user, which fire as those of a recording.

        Raises
        ------
        BadSetting, Busy
            As above, and if the voltages of a file are asked for.
        """
        given = {**(electrodes or {}), "seed": seed}
        if given.get("voltages") == "file":
            raise BadSetting("Spikes of a simulated user are in no file. Leave voltages out.")
        settings, _ = chosen(recording.name, None, given, n_channels)
        return self._implant(recording, settings, detection, None)

    def _implant(
        self,
        recording: Recording,
        settings: Electrodes,
        detection: Mapping[str, Any] | None,
        voltages: VoltageSeries | None,
    ) -> Implant:
        detecting, n_channels = made(Detection, detection or {}), settings.n_channels
        refuse_many(n_channels)
        detect = partial(Detector, n_channels, settings.microvolts_per_count, bin_rate=recording.bin_rate)
        times = recording.spike_times
        within = None if times is None else times.within
        with self._lock:
            taken = sum(share(each.settings.n_channels) for each in self._made if not each.closed)
            room = FOR_ELECTRODES * (os.cpu_count() or 1)
            if taken + share(n_channels) > room:
                raise Busy(
                    f"{n_channels} electrodes take {share(n_channels):.2f} of a core, and of the "
                    f"{room:g} cores that there are for electrodes {max(room - taken, 0.0):.2f} are left. "
                    "Delete a session that has some, or ask for fewer."
                )
            implant = Implant(recording, within, settings, detecting, detect, recorded=voltages)
            self._made.add(implant)
        return implant


def detected(source: Source) -> Detected | None:
    """How the detection of spikes does, if a source has one, and it is known."""
    implant = implant_of(source)
    return implant.detected if implant else None


def share(n_channels: int) -> float:
    """About what the electrodes of a session take of a core."""
    by_numba = SHARE + SHARE_PER_CHANNEL * n_channels
    return by_numba if fastest() == "numba" else BY_SCIPY * by_numba


def n_channels_of(what: str) -> int | None:
    """How many electrodes are asked for, by what stands after ``electrodes:``; None if nothing does.

    Raises
    ------
    BadSetting
        If it is no number, or more than there can be.
    """
    if not what:
        return None
    asked = int(what[:9]) if what.isascii() and what.isdigit() else 0
    refuse_many(asked, repr(what[:80]))
    return asked


def refuse_many(n_channels: int, said: str = "") -> None:
    """Raise `BadSetting` for as many electrodes as cannot be, as `said`."""
    most = MOST_CHANNELS if fastest() == "numba" else MOST_BY_SCIPY
    if not 1 <= n_channels <= most:
        way = "" if most == MOST_CHANNELS else " pip install -e '.[electrodes]' makes it 1024."
        raise BadSetting(f"There can be 1 to {most} electrodes, not {said or n_channels}.{way}")
