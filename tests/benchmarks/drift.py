"""How soon the drift monitor finds lost units, and how often it is wrong, on both recordings.

Usage: python -m tests.benchmarks.drift [HOURS]; of clean data per recording, 10 by default. Played
offline: the rows of a session at 40 Hz, as it would send them, in a loop.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from engine.bins.selection import EVERYTHING
from engine.monitors.drift import REFERENCE, Detector, DriftState, natural_sd
from engine.sources.recordings.readers import read
from engine.sources.recordings.recording import Recording
from engine.stages.perturb import Perturbations
from tests.benchmarks import REACH98, ROOT, emit

BIN_RATE = 40.0
SEEDS = range(20)
FRACTION = 0.2
HOUR = 3600.0
AFTER = (90.0, 300.0)
"""Seconds after the session's start between which units are lost."""
PATIENCE = 300.0
PORTION = 20
"""Bins at a time."""


def played(
    recording: Recording, start: int, seconds: float
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """The first sequence number of each portion, its counts, and which of its bins were observed."""
    for number in range(0, round(seconds * BIN_RATE), PORTION):
        bins = (start + number + np.arange(PORTION)) % recording.n_bins
        yield number, recording.counts[bins], recording.observed[bins]


def false_alarms(recording: Recording, hours: float) -> dict:
    """Alarms on clean data; each hour is a session of its own, from another bin on."""
    found, highest = [], []
    for start in np.random.default_rng(0).integers(recording.n_bins, size=math.ceil(hours)):
        detector = detector_of(recording)
        found.append(0)
        highest.append(0.0)
        for _, counts, observed in played(recording, int(start), HOUR):
            found[-1] += sum(state.alarm for state in detector.advance(counts[observed]))
            highest[-1] = max(highest[-1], np.nan_to_num(detector.state.shift))
    return {
        "hours": len(found),
        "alarms_per_hour": float(np.mean(found)),
        "alarms_in_the_worst_hour": max(found),
        "highest_shift": max(highest),
    }


def loss(recording: Recording, seed: int) -> dict:
    """Seconds until the loss of 20 % of the units is found; None if it is not, or was found before."""
    rng = np.random.default_rng(seed)
    onset = float(rng.uniform(*AFTER))
    perturbations = Perturbations(seed, recording.n_units, BIN_RATE)
    perturbations.change({"unit_loss": {"enabled": True, "fraction": FRACTION, "onset": onset}})
    detector = detector_of(recording)
    for number, counts, observed in played(
        recording, int(rng.integers(recording.n_bins)), onset + PATIENCE
    ):
        perturbations.apply(counts, number)
        turns: list[DriftState] = detector.advance(counts[observed])
        if turns:
            seconds = (number + PORTION) / BIN_RATE - onset
            return {"onset": onset, "detected_after": seconds if seconds > 0 else None}
    return {"onset": onset, "detected_after": None}


def detector_of(recording: Recording) -> Detector:
    return Detector(BIN_RATE, natural_sd(recording, EVERYTHING))


def main(hours: float) -> None:
    for path in (ROOT / "data" / "synthetic.nwb", REACH98):
        recording = read(Path(path), BIN_RATE)
        name = recording.name
        emit("clean", recording=name, reference_seconds=REFERENCE, **false_alarms(recording, hours))
        found = []
        for seed in SEEDS:
            figures = loss(recording, seed)
            emit("loss of units", recording=name, fraction=FRACTION, seed=seed, **figures)
            found.append(math.inf if figures["detected_after"] is None else figures["detected_after"])
        emit(
            "loss of units",
            recording=name,
            fraction=FRACTION,
            seeds=len(found),
            median_seconds=float(np.median(found)),
            max_seconds=max(found),
            within_30_s=sum(seconds <= 30 for seconds in found),
        )


if __name__ == "__main__":
    main(float(sys.argv[1]) if sys.argv[1:] else 10.0)
