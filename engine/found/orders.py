"""What is to be found, as arrays that say all: whose spikes, at which electrodes, at which bin rate."""

from __future__ import annotations

import hashlib
from ast import literal_eval
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.bins.schema import bin_dtype
from engine.errors import CannotFit
from engine.files.stretches import Stretches
from engine.files.voltages import Conversion, VoltageSeries
from engine.making import Arrays
from engine.sources.electrodes.settings import Electrodes
from engine.sources.endless import OBSERVED
from engine.sources.recordings.recording import Recording
from engine.stages.detection.settings import Detection
from engine.tuned import Tuned

FAST: Final = 99.0
"""Percentile of a recording's speed at which an intention has length 1."""
TAKE: Final = 1
"""Which take is learned from: noise and jitter are not those that a session plays."""

DETECTION: Final = Detection()
"""How spikes are found unless it is said otherwise."""
TIMES: Final = ("ticks", "units", "bounds", "starts")
"""Of `SpikeTimes`."""

Counts = npt.NDArray[np.unsignedinteger[Any]]


def of_spikes(recording: Recording, electrodes: Electrodes, detection: Tuned = DETECTION) -> Arrays:
    """A recording's own spikes, as a session with these electrodes plays and finds them."""
    order = {**_common(recording, electrodes, detection), "counts": recording.counts}
    times = recording.spike_times
    if times is not None:
        order |= {
            "ticks": times.ticks,
            "units": times.units,
            "bounds": times.bounds,
            "starts": times.starts,
        }
    return order


def of_voltages(
    recording: Recording, voltages: VoltageSeries, electrodes: Electrodes, detection: Tuned = DETECTION
) -> Arrays:
    """A recording's own voltages, as a session plays them and finds spikes in them."""
    where = {name: str(getattr(voltages, name)) for name in ("path", "place", "name")}
    size = {name: getattr(voltages, name) for name in ("n_channels", "n_samples", "rate")}
    conversion, stretches = voltages.conversion, voltages.stretches
    return {
        **_common(recording, electrodes, detection),
        "voltages": np.array(repr({**where, **size})),
        "start_time": np.array(recording.start_time),
        "n_bins": np.array(recording.n_bins),
        "stretches": np.array([stretches.rows, stretches.times, stretches.lengths]),
        "gains": conversion.gains,
        "offset": np.array(conversion.offset),
        "shift": np.array(repr(conversion.shift)),
    }


def voltages_of(order: Arrays) -> VoltageSeries:
    """Those of the order, without what is true of them."""
    facts = _evaluated(str(order["voltages"]))
    rows, times, lengths = order["stretches"]
    return VoltageSeries(
        **{**facts, "path": Path(facts["path"])},
        stretches=Stretches(rows.astype(np.int64), times, lengths.astype(np.int64)),
        conversion=Conversion(order["gains"], float(order["offset"]), _evaluated(str(order["shift"]))),
    )


def of_movement(recording: Recording, electrodes: Electrodes) -> Arrays:
    """Units that fire for the movement of a recording: its velocity, fast movements having length 1.

    Raises
    ------
    CannotFit
        If no velocity is known.
    """
    return {**_common(recording, electrodes, DETECTION), "intention": intention(recording)}


def intention(recording: Recording) -> npt.NDArray[np.float64]:
    """Of each bin, shape (n_bins, 2); 0 where the velocity is not known.

    Raises
    ------
    CannotFit
        If it never is.
    """
    velocity = recording.kinematics[:, 2:].astype(np.float64)
    speed = np.hypot(*velocity.T)
    known = np.isfinite(speed)
    if not known.any() or not speed[known].any():
        raise CannotFit(f"{recording.name} has no movement to learn from. Choose another recording.")
    return np.where(known[:, None], velocity, 0.0) / float(np.percentile(speed[known], FAST))


def n_bins_of(order: Arrays) -> int:
    if "voltages" in order:
        return int(order["n_bins"])
    return len(order["counts" if "counts" in order else "intention"])


def electrodes_of(order: Arrays) -> Electrodes:
    return Electrodes(**_evaluated(str(order["electrodes"])))


def detection_of(order: Arrays) -> Detection:
    return Detection(**_evaluated(str(order["detection"])))


def identity(
    recording: Recording, electrodes: Electrodes, moved: bool, detection: Tuned = DETECTION
) -> tuple[str, str]:
    """What the recording is called, and its hash, with what is found at electrodes in place of its units.

    Both tell it from the recording: what has learned from one does not fit the other.

    Parameters
    ----------
    moved : bool
        Whether units fire for the recording's movement, and not as its own.
    """
    how = "moving" if moved else "on"
    digest = hashlib.sha256(
        f"{recording.sha256} {how} {electrodes.settings!r} {detection.settings!r}".encode()
    )
    return f"{recording.name}-{how}-{electrodes.n_channels}-electrodes", digest.hexdigest()


def as_found(recording: Recording, order: Arrays, counts: Counts) -> Recording:
    """The recording with what was found, shape (n_bins, n_channels), in place of its units."""
    fitting = np.uint8 if counts.max(initial=0) <= np.iinfo(np.uint8).max else np.uint16
    bins = np.zeros(len(counts), bin_dtype(counts.shape[1], np.dtype(fitting)))
    for name in recording.bins.dtype.names or ():
        bins[name] = counts if name == "counts" else recording.bins[name]
    voltages = recording.voltages
    names = tuple(f"electrode {i}" for i in range(counts.shape[1]))
    if "voltages" in order and voltages is not None:
        names = voltages.channel_names
        there = voltages.coverage(recording.start_time, recording.n_bins, recording.bin_rate)
        bins["coverage"] = np.minimum(bins["coverage"], there)
        bins["observed"] &= bins["coverage"] >= OBSERVED
    bins.flags.writeable = False
    name, sha256 = identity(recording, electrodes_of(order), "intention" in order, detection_of(order))
    return replace(
        recording,
        name=name,
        bins=bins,
        channel_names=names,
        sha256=sha256,
        spike_times=None,
        answers=None,
    )


def _common(recording: Recording, electrodes: Electrodes, detection: Tuned) -> dict[str, npt.NDArray[Any]]:
    return {
        "electrodes": np.array(repr(electrodes.settings)),
        "detection": np.array(repr(detection.settings)),
        "bin_rate": np.array(recording.bin_rate),
    }


def _evaluated(text: str) -> Any:
    """A literal. Python 3.11 counts how deep the parsers of all threads are together, and refuses what it
    has miscounted (https://github.com/python/cpython/issues/106905): it is asked again then."""
    for _ in range(10):
        with suppress(SystemError):
            return literal_eval(text)
    return literal_eval(text)
