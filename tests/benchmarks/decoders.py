"""How good and how fast the decoders are, on the real recording.

Usage: python -m tests.benchmarks.decoders [DECODER ...]; trained on the first 600 trials, tested on the
last 200 as a stream: once never reset, and once reset at each trial's start, which tells a decoder that
has learned so how long the trial has lasted. `ridge` is scikit-learn's Ridge, tuned by cross-validation
over trials on the lags that the Wiener filter has chosen. The networks take minutes.
"""

from __future__ import annotations

import sys
import time
from importlib.util import find_spec

import numpy as np

from engine.decoders import DECODERS, Decoder, make_decoder
from engine.decoders.bins import Bins
from engine.sources.recordings.readers import read
from tests.benchmarks import REACH98, emit, spread

TRAINED_ON, TESTED_ON = range(600), range(600, 800)


def r2(truth: np.ndarray, predicted: np.ndarray) -> float:
    """Coefficient of determination, mean over columns."""
    residual = ((truth - predicted) ** 2).sum(axis=0)
    return float((1 - residual / ((truth - truth.mean(axis=0)) ** 2).sum(axis=0)).mean())


def test(decoder: Decoder, bins: Bins, truth: bool) -> dict:
    """Scores over the observed bins, and the time of a prediction."""
    took, predicted = [], np.empty((len(bins.counts), 4))
    for i, counts in enumerate(bins.counts):
        start = time.perf_counter()
        if bins.start[i]:
            decoder.reset()
        predicted[i] = decoder.predict(counts, bins.kinematics[i] if truth else None)
        took.append(time.perf_counter() - start)
    scored = bins.observed & np.isfinite(predicted[:, 2:]).all(axis=1)
    known, answered = bins.kinematics[scored].astype(float), predicted[scored]
    return {
        "r2_position": None if np.isnan(answered[:, :2]).any() else r2(known[:, :2], answered[:, :2]),
        "r2_velocity": r2(known[:, 2:], answered[:, 2:]),
        "bins": int(scored.sum()),
        "predict_microseconds": spread(took, 1e6),
    }


def main(keys: list[str]) -> None:
    recording = read(REACH98, 40.0)
    trained, tested = Bins.of(recording, TRAINED_ON), Bins.of(recording, TESTED_ON)
    for key in keys:
        if key == "lstm" and find_spec("torch") is None:
            emit("decoder", decoder=key, skipped="PyTorch is not installed")
            continue
        decoder = make_decoder(key, recording.bin_rate)
        start = time.perf_counter()
        trained.teach(decoder)
        took = time.perf_counter() - start
        for truth in (False, True) if key == "rls" else (decoder.uses_truth,):
            figures = test(decoder, tested, truth)
            emit("decoder", decoder=key, truth=truth, **figures, fit_seconds=took)


if __name__ == "__main__":
    main(sys.argv[1:] or list(DECODERS))
