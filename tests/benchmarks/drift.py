"""How soon the drift monitor finds that units change, how often it is wrong, and what adaptation is worth.

Usage: python -m tests.benchmarks.drift [--short] [--seeds N] [--hours N] [--part monitor|decoders]
[--decoders NAME ...] [--save FILE]. Played offline: the rows of a session at 40 Hz, as it would send them,
in a loop. Seeds that are scored are 0 and up, and hours of clean data too; the monitor's second threshold
is fixed on those from `OTHERS` up. Lines are JSON; --save keeps them for `resources.guide.drift_figure`.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from engine.bins.selection import EVERYTHING
from engine.decoders import DECODERS
from engine.monitors.drift import ALARM, REFERENCE, Detector, natural_sd
from engine.sources.recordings.readers import read
from engine.sources.recordings.recording import Recording
from engine.stages.perturb import DAYS, Perturbations
from tests.benchmarks import REACH98, ROOT, emit
from tests.benchmarks.days import over_days

BIN_RATE: Final = 40.0
HOUR: Final = 3600.0
AFTER: Final = (90.0, 300.0)
"""Seconds after the session's start between which units change."""
PATIENCE: Final = 300.0
PORTION: Final = 40
"""Bins at a time: those of a block of the detector."""
OTHERS: Final = 1000
"""The first seed of those that are not scored."""
ADAPTIVE: Final = [key for key, decoder in DECODERS.items() if decoder.adapts or key == "rls"]
"""Those that go on learning: by themselves, or told the truth."""
STEP: Final = 0.05
"""Of thresholds, in standard deviations."""
SUDDEN: Final[dict[str, dict[str, Any]]] = {
    "20 % of units lost": {"unit_loss": {"enabled": True, "fraction": 0.2}},
    **{name.replace("-", " "): {"preset": name} for name in DAYS if name != "day-0"},
    "baselines shift, sd 3 Hz": {"baseline": {"enabled": True, "shift": 3.0}},
    "tuning turns by 45 degrees": {"tuning_rotation": {"enabled": True, "angle": 45.0}},
}
"""What sets in at once, at an unknown moment."""
GRADUAL: Final[dict[str, dict[str, Any]]] = {"gains walk from the start": {"preset": "day-0"}}
"""What goes on from the first packet, the reference's minute included."""


def played(
    recording: Recording, start: int, seconds: float
) -> Iterator[tuple[int, np.ndarray, np.ndarray, np.ndarray]]:
    """Each portion's first sequence number, its bins, counts, and which of the bins were observed."""
    for number in range(0, round(seconds * BIN_RATE), PORTION):
        bins = (start + number + np.arange(PORTION)) % recording.n_bins
        yield number, bins, recording.counts[bins], recording.observed[bins]


def shifts(
    recording: Recording, seed: int, seconds: float, what: dict[str, Any] | None, onset: float
) -> np.ndarray:
    """The population's shift after each portion of a session, NaN until the reference is complete."""
    start = int(np.random.default_rng(seed).integers(recording.n_bins))
    perturbations = Perturbations(seed, recording.n_units, BIN_RATE, recording)
    detector = Detector(BIN_RATE, natural_sd(recording, EVERYTHING))
    found = []
    for number, bins, counts, observed in played(recording, start, seconds):
        if what and number >= onset * BIN_RATE:
            perturbations.change(what)
            what = None
        perturbations.apply(counts, number, bins)
        detector.advance(counts[observed])
        found.append(detector.state.shift)
    return np.array(found)


def alarms(shift: np.ndarray, threshold: float) -> int:
    """How often an alarm begins, with the detector's hysteresis: it ends 0.5 sd lower."""
    on, n = False, 0
    for value in shift[np.isfinite(shift)]:
        begins = not on and value > threshold
        n += int(begins)
        on = begins or (on and value > threshold - 0.5)
    return n


def to_alarm(shift: np.ndarray, onset: float, threshold: float) -> float:
    """Seconds from the onset to the first alarm; infinity if there is none, NaN if there was one before."""
    beyond = np.flatnonzero(np.nan_to_num(shift) > threshold)
    if not len(beyond):
        return math.inf
    seconds = float((beyond[0] + 1) * PORTION / BIN_RATE - onset)
    return seconds if seconds > 0 else math.nan


def clean(recording: Recording, seeds: Sequence[int]) -> list[np.ndarray]:
    """An hour of each seed without drift."""
    return [shifts(recording, seed, HOUR, None, 0.0) for seed in seeds]


def monitor(recording: Recording, seeds: Sequence[int], hours: int) -> Iterator[dict[str, Any]]:
    """False alarms, then time to alarm of each change, at the shipped threshold and at a fixed one."""
    others = clean(recording, range(OTHERS, OTHERS + hours))
    highest = max(float(np.nanmax(shift)) for shift in others)
    thresholds = {"shipped": ALARM, "fixed": math.ceil(highest / STEP) * STEP}
    scored = clean(recording, range(hours))
    for name, threshold in thresholds.items():
        found = [alarms(shift, threshold) for shift in scored]
        yield {
            "what": "clean", "threshold": name, "sd": threshold, "hours": hours,
            "alarms_per_hour": float(np.mean(found)), "in_the_worst_hour": max(found),
            "highest_shift": max(float(np.nanmax(shift)) for shift in scored),
        }  # fmt: skip
    for change, what in {**SUDDEN, **GRADUAL}.items():
        runs = []
        for seed in seeds:
            onset = float(np.random.default_rng([seed, 1]).uniform(*AFTER)) if change in SUDDEN else 0.0
            lasts = (onset or REFERENCE) + PATIENCE
            # The reference is complete before anything can be told of what was there all along.
            known_from = onset or float(REFERENCE)
            runs.append((shifts(recording, seed, lasts, what, onset), known_from))
        for name, threshold in thresholds.items():
            seconds = np.array([to_alarm(shift, onset, threshold) for shift, onset in runs])
            valid = seconds[~np.isnan(seconds)]
            inside = valid[np.isfinite(valid)]
            yield {
                "what": "alarm", "change": change, "threshold": name, "seeds": len(seconds),
                "found": len(inside), "before": int(np.isnan(seconds).sum()),
                "median_seconds": float(np.median(valid)) if len(valid) else None,
                "max_seconds": float(valid.max()) if len(valid) else None,
            }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--short", action="store_true", help="3 seeds and an hour")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--hours", type=int, default=20)
    parser.add_argument("--part", choices=("monitor", "decoders"))
    parser.add_argument("--decoders", nargs="*", choices=list(DECODERS), default=["wiener", *ADAPTIVE])
    parser.add_argument("--save", type=Path)
    asked = parser.parse_args()
    seeds, hours = (range(3), 1) if asked.short else (range(asked.seeds), asked.hours)
    kept = []

    def tell(recording: Recording, found: dict[str, Any]) -> None:
        line = {"recording": recording.name, **found}
        kept.append(json.dumps(line))
        emit(line.pop("what"), **line)
        if asked.save:
            asked.save.write_text("\n".join(kept) + "\n")

    if asked.part != "decoders":
        for path in (REACH98, ROOT / "data" / "synthetic.nwb"):
            recording = read(Path(path), BIN_RATE)
            for found in monitor(recording, seeds, hours):
                tell(recording, found)
    if asked.part != "monitor":
        recording = read(REACH98, BIN_RATE)
        for found in over_days(recording, asked.decoders, seeds):
            tell(recording, found)


if __name__ == "__main__":
    main()
