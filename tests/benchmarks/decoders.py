"""How good and how fast the decoders are, on the real recording.

Usage: python -m tests.benchmarks.decoders [DECODER ...]; trained on the first 600 trials, tested on the
last 200 as a stream: once never reset, and once reset at each trial's start, which tells a decoder that
has learned so how long the trial has lasted. `ridge` is scikit-learn's Ridge, tuned by cross-validation
over trials on the lags that the decoder before it has chosen, as in `wiener ridge`. Networks take
minutes.
"""

from __future__ import annotations

import sys
import time
from importlib.util import find_spec

import numpy as np

from engine.decoders import DECODERS, Decoder, make_decoder
from engine.decoders.bins import Bins
from engine.decoders.history import History
from engine.sources.recordings.readers import read
from tests.benchmarks import REACH98, emit, spread

TRAINED_ON, TESTED_ON = range(600), range(600, 800)
RIDGE = "ridge"
NEVER, TRIAL_START = "never", "trial start"


def r2(truth: np.ndarray, predicted: np.ndarray) -> float:
    """Coefficient of determination, mean over columns."""
    residual = ((truth - predicted) ** 2).sum(axis=0)
    return float((1 - residual / ((truth - truth.mean(axis=0)) ** 2).sum(axis=0)).mean())


def test(decoder: Decoder, bins: Bins, truth: bool, reset: str) -> dict:
    """Scores over the observed bins, and the time of a prediction."""
    decoder.forget()
    took, predicted = [], np.empty((len(bins.counts), 4))
    for i, counts in enumerate(bins.counts):
        start = time.perf_counter()
        if bins.start[i] and reset == TRIAL_START:
            decoder.reset()
        predicted[i] = decoder.predict(counts, bins.kinematics[i] if truth else None)
        took.append(time.perf_counter() - start)
    scored = bins.observed & np.isfinite(predicted[:, 2:]).all(axis=1)
    known, answered = bins.kinematics[scored].astype(float), predicted[scored]
    return {
        "reset": reset,
        "r2_position": None if np.isnan(answered[:, :2]).any() else r2(known[:, :2], answered[:, :2]),
        "r2_velocity": r2(known[:, 2:], answered[:, 2:]),
        "bins": int(scored.sum()),
        "predict_microseconds": spread(took, 1e6),
    }


class TunedRidge(Decoder):
    """scikit-learn's Ridge on the lags of a stream, its penalty tuned on whole trials left out."""

    def __init__(self, bin_rate: float, lags: int) -> None:
        super().__init__(bin_rate)
        self._lags = lags

    def reset(self) -> None:
        self._history = History(len(self._mean), self._lags)

    def fit(self, counts, targets, starts=None, goals=None, trials=None) -> None:  # noqa: ARG002
        from sklearn.linear_model import Ridge
        from sklearn.model_selection import GridSearchCV, GroupKFold

        self._mean = counts.mean(axis=0)
        self.reset()
        rows = np.array([self._history.push(row - self._mean)[:-1].copy() for row in counts])
        searched = GridSearchCV(
            Ridge(solver="cholesky"), {"alpha": np.logspace(0, 4, 9)}, cv=GroupKFold(5), scoring="r2"
        )
        self._ridge = searched.fit(rows, targets, groups=trials).best_estimator_

    def predict(self, counts, truth=None) -> np.ndarray:  # noqa: ARG002
        row = self._history.push(counts - self._mean)[:-1]
        return self._ridge.coef_ @ row + self._ridge.intercept_


def main(keys: list[str]) -> None:
    recording = read(REACH98, 40.0)
    trained, tested = Bins.of(recording, TRAINED_ON), Bins.of(recording, TESTED_ON)
    lags = 10
    for key in keys:
        if key in ("lstm", "gru") and find_spec("torch") is None:
            emit("decoder", decoder=key, skipped="PyTorch is not installed")
            continue
        decoder = TunedRidge(40.0, lags) if key == RIDGE else make_decoder(key, recording.bin_rate)
        start = time.perf_counter()
        trained.teach(decoder)
        took = time.perf_counter() - start
        lags = getattr(decoder, "lags", lags)
        for truth in (False, True) if key == "rls" else (decoder.uses_truth,):
            for reset in (NEVER, TRIAL_START):
                figures = test(decoder, tested, truth, reset)
                emit("decoder", decoder=key, truth=truth, **figures, fit_seconds=took, **decoder.settings)


if __name__ == "__main__":
    main(sys.argv[1:] or [*(key for key in DECODERS if key != "wiener"), "wiener", RIDGE])
