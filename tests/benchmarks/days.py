"""What decoders are worth on later days, frozen and adaptive, for `tests.benchmarks.drift`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from engine.decoders import DECODERS, Decoder, decode, make_decoder
from engine.decoders.bins import Bins
from engine.sources.recordings.recording import Recording
from engine.stages.perturb import DAYS, Perturbations

TRAINED_ON, ADAPTED_ON, SCORED_ON = range(400), range(400, 650), range(650, 800)
"""Trials: on day 0; played first on the later day, not scored; and then, still adapting."""
RECALIBRATED: Final = "wiener, calibrated anew"
"""What calibration on the later day is worth: learned, with the truth, from what the others adapt to."""
UNDISTURBED: Final = "undisturbed"
Scenarios = dict[str, dict[str, Any]]
SCENARIOS: Final[Scenarios] = {
    UNDISTURBED: {"preset": "none"},
    **{name: {"preset": name} for name in DAYS},
    "turned by 45 degrees": {"tuning_rotation": {"enabled": True, "angle": 45.0}},
}


def over_days(recording: Recording, keys: Sequence[str], seeds: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Velocity R2 of each decoder in each scenario: each seed's, their mean and its 95 % interval."""
    trained, adapted, scored = (Bins.of(recording, each) for each in (TRAINED_ON, ADAPTED_ON, SCORED_ON))
    decoders = {key: fitted(make_decoder(key, recording.bin_rate), trained, trained.counts) for key in keys}
    chosen = fitted(make_decoder("wiener", recording.bin_rate), trained, trained.counts).settings
    for name, what in SCENARIOS.items():
        found: dict[str, list[float]] = {key: [] for key in (*keys, RECALIBRATED)}
        for seed in seeds if name != UNDISTURBED else seeds[:1]:
            before = counts_on(recording, adapted, what, seed, 0)
            after = counts_on(recording, scored, what, seed, len(before))
            anew = fitted(make_decoder("wiener", recording.bin_rate, chosen), adapted, before)
            played = np.concatenate((before, after))
            for key, decoder in {**decoders, RECALIBRATED: anew}.items():
                found[key].append(r2(fresh(decoder), adapted, scored, played))
        for key, values in found.items():
            mean, n = float(np.mean(values)), len(values)
            half = 1.96 * float(np.std(values, ddof=1)) / math.sqrt(n) if n > 1 else 0.0
            yield {
                "what": "r2 over days", "scenario": name, "decoder": key, "seeds": n,
                "told_truth": told(key),
                "r2_velocity": mean, "low": mean - half, "high": mean + half,
                "least": min(values), "most": max(values),
            }  # fmt: skip


def told(key: str) -> bool:
    """Whether a decoder learns from the truth on the later day."""
    return key == RECALIBRATED or DECODERS[key].uses_truth


def counts_on(recording: Recording, bins: Bins, what: dict[str, Any], seed: int, first: int) -> np.ndarray:
    """The counts of bins, disturbed as those of a session from sequence number `first` on."""
    perturbations = Perturbations(seed, recording.n_units, recording.bin_rate, recording)
    perturbations.change(what)
    counts = bins.counts.copy()
    perturbations.apply(counts, first, bins.packet_id)
    return counts


def fitted(decoder: Decoder, bins: Bins, counts: np.ndarray) -> Decoder:
    decoder.fit(counts, bins.kinematics, bins.start, bins.target)
    return decoder


def fresh(decoder: Decoder) -> Decoder:
    """The same as it was when it had learned: what it has adapted to is forgotten."""
    made = type(decoder)(decoder.bin_rate, **decoder.settings)
    made.restore(decoder.arrays())
    made.forget()
    return made


def r2(decoder: Decoder, adapted: Bins, scored: Bins, counts: np.ndarray) -> float:
    """Mean over vx and vy, of the scored trials; the truth is told, afterwards, to who asks for it."""
    truth = np.concatenate((adapted.kinematics, scored.kinematics))
    starts = np.concatenate((adapted.start, scored.start))
    trials = np.concatenate((adapted.trial_id, scored.trial_id))
    answers = decode(decoder, counts, starts, truth if decoder.uses_truth else None, trials)
    known, answered = truth[-len(scored.counts) :, 2:], answers[-len(scored.counts) :, 2:]
    used = scored.observed & np.isfinite(known).all(axis=1) & np.isfinite(answered).all(axis=1)
    known, answered = known[used].astype(float), answered[used]
    residual = ((known - answered) ** 2).sum(axis=0)
    return float((1 - residual / ((known - known.mean(axis=0)) ** 2).sum(axis=0)).mean())
