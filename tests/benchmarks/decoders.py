"""How good and how fast the decoders are on the real recording, beside what others can do and floors.

Usage: python -m tests.benchmarks.decoders [DECODER ...]; trained on the first 600 trials, tested on the
others, streaming: 40 bins per second, one after the other, once never reset, and once reset at each trial's
start, which tells a decoder that has learned so how long the trial has lasted. Intervals are over test
trials, 95 %. scikit-learn's ridge has the lags of the decoder before it. Networks take minutes.
"""

from __future__ import annotations

import sys
import time
from dataclasses import asdict
from itertools import product

import numpy as np
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold

from engine.calibration.floors import Floor, floors, judged
from engine.decoders import DECODERS, Decoder, make_decoder
from engine.decoders.bins import Bins
from engine.errors import CannotFit
from engine.sources.recordings.readers import read
from tests.benchmarks import REACH98, emit, spread

N_TRAINED_ON = 600
STRENGTHS = np.logspace(0, 5, 11)
FOLDS = 5
NEVER, TRIAL_START = "never", "trial start"


def figures(test: Bins, said: np.ndarray) -> dict[str, object]:
    """R2 with intervals, rounded."""
    return told_of(judged(test, said))


def told_of(floor: Floor) -> dict[str, object]:
    """Ready for JSON, which knows no NaN."""
    rounded = {name: np.round(value, 4).tolist() for name, value in asdict(floor).items()}
    return {name: value for name, value in rounded.items() if not np.isnan(value).any()}


def told(decoder: Decoder) -> tuple[bool, ...]:
    """With and without the truth, as it makes sense for a decoder."""
    if not decoder.uses_truth:
        return (False,)
    return (False, True) if decoder.learned else (True,)


def streamed(
    decoder: Decoder, bins: Bins, truth: bool, reset: str = NEVER
) -> tuple[np.ndarray, list[float]]:
    """Answers to bins that come one by one, and how long each took, s."""
    took, said = [], np.empty((len(bins.counts), 4))
    decoder.forget()
    decoder.reset()
    for i, counts in enumerate(bins.counts):
        start = time.perf_counter()
        if bins.start[i] and reset == TRIAL_START:
            decoder.reset()
        said[i] = decoder.predict(counts, bins.kinematics[i] if truth else None)
        took.append(time.perf_counter() - start)
    return said, took


def lagged(counts: np.ndarray, lags: int) -> np.ndarray:
    """The present and earlier bins of a stream in a row each; before its first bin 0."""
    padded = np.vstack((np.zeros((lags - 1, counts.shape[1])), counts))
    return np.hstack([padded[lags - 1 - lag : len(padded) - lag] for lag in range(lags)])


def tuned_ridge(train: Bins, test: Bins, lags: int) -> None:
    """scikit-learn's, its strength chosen by cross-validation over whole training trials."""
    known = train.observed & np.isfinite(train.kinematics).all(axis=1)
    start = time.perf_counter()
    search = GridSearchCV(Ridge(), {"alpha": STRENGTHS}, cv=GroupKFold(FOLDS), scoring="r2")
    features = lagged(train.counts, lags)[known]
    search.fit(features, train.kinematics[known], groups=train.trial_id[known])
    took, ridge = time.perf_counter() - start, search.best_estimator_
    said, rows = ridge.predict(lagged(test.counts, lags)), lagged(test.counts, lags)[:400]
    times = []
    for row in rows:
        start = time.perf_counter()
        ridge.predict(row[None])
        times.append(time.perf_counter() - start)
    emit(
        "ridge of scikit-learn", lags=lags, alpha=float(search.best_params_["alpha"]),
        **figures(test, said), fit_seconds=took, predict_microseconds=spread(times, 1e6),
    )  # fmt: skip


def main(keys: list[str]) -> None:
    recording = read(REACH98, 40.0)
    ids = recording.trial_ids
    train, test = Bins.of(recording, ids[:N_TRAINED_ON]), Bins.of(recording, ids[N_TRAINED_ON:])
    emit("parts", train_bins=len(train.counts), test_bins=len(test.counts), test_trials=len(test.trials))
    found = floors(train, test)
    assert found is not None
    for name, floor in vars(found).items():
        emit("floor", floor=name, **told_of(floor))
    seen: set[int] = set()
    for key in keys:
        try:
            decoder = make_decoder(key, recording.bin_rate)
            start = time.perf_counter()
            train.teach(decoder)
        except (ImportError, CannotFit) as error:  # an extra is missing
            emit("decoder", decoder=key, skipped=str(error))
            continue
        took = time.perf_counter() - start
        for truth, reset in product(told(decoder), (NEVER, TRIAL_START)):
            said, times = streamed(decoder, test, truth, reset)
            emit(
                "decoder", decoder=key, truth=truth, reset=reset, **figures(test, said), fit_seconds=took,
                predict_microseconds=spread(times, 1e6), **decoder.settings,
            )  # fmt: skip
        lags = getattr(decoder, "lags", None)
        if isinstance(lags, int) and lags not in seen:
            seen.add(lags)
            tuned_ridge(train, test, lags)


if __name__ == "__main__":
    main(sys.argv[1:] or list(DECODERS))
