"""What runs share, of a drawn population whose tuning is known, and decoders that have learned it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from engine.comparison.runs import Bench, Condition, run
from engine.comparison.table import Results
from engine.decoders import make_decoder
from engine.decoders.store import Trained, to_npz
from engine.sources.user.neurons import Neurons
from engine.sources.user.workspace import Basis, Workspace

FAST, REACH, RATE = 500.0, 90.0, 40.0
MOST_UNITS, N_BINS = 64, 8000
DEPTH = 0.8


def basis(n_units: int) -> Basis:
    names = tuple(f"unit {i}" for i in range(n_units))
    return Basis("drawn", names, RATE, "mm", Workspace((0.0, 0.0), REACH, FAST, ()))


def drawn(n_units: int) -> Neurons:
    """The first units of a population: 0.5 spikes a bin at rest, directions and leads at random."""
    rng = np.random.default_rng(11)
    direction, lead = rng.uniform(0, 2 * np.pi, MOST_UNITS), rng.integers(0, 4, MOST_UNITS)
    weights = np.zeros((6, MOST_UNITS))
    weights[0] = np.log(0.5)
    weights[1], weights[2] = DEPTH * np.cos(direction), DEPTH * np.sin(direction)
    each = np.ones(MOST_UNITS)[:n_units]
    return Neurons(
        weights[:, :n_units], lead[:n_units], 3.0 * each, 0.0 * each, each, FAST, REACH, np.zeros(2)
    )


SETTLED = {"wiener": {"lags": 10, "ridge": 100.0}, "kalman": {"lag_ms": 50.0}, "refit": {"lag_ms": 50.0}}
"""Not chosen: what is compared is the loop."""


@lru_cache(maxsize=16)
def learned(key: str, n_units: int) -> bytes:
    """A decoder that has learned from smooth wandering, for which the units fired ahead."""
    rng = np.random.default_rng(12)
    kernel = np.exp(-0.5 * ((np.arange(81) - 40) / 10.0) ** 2)
    noise = rng.standard_normal((N_BINS + 80, 2))
    place = np.stack([np.convolve(axis, kernel, "valid") for axis in noise.T], axis=1)
    place *= REACH / 2 / place.std()
    kinematics = np.column_stack((place, np.gradient(place, 1 / RATE, axis=0)))
    neurons = drawn(n_units)
    ahead = np.stack([np.roll(kinematics[:, 2:], -lead, axis=0) for lead in neurons.lead], axis=2) / FAST
    expected = np.exp(neurons.weights[0] + np.einsum("kfu,fu->ku", ahead, neurons.weights[1:3]))
    decoder = make_decoder(key, RATE, SETTLED.get(key))
    decoder.fit(rng.poisson(expected), kinematics)
    return to_npz(decoder, Trained("drawn", "0" * 64, n_units, RATE, ()))


def a_bench(
    decoders: Sequence[str] = (),
    n_units: int = 32,
    n_trials: int = 8,
    task: Mapping[str, Any] | None = None,
    steering: Mapping[str, Any] | None = None,
) -> Bench:
    models = {key: learned(key, n_units) for key in decoders}
    return Bench(basis(n_units), drawn(n_units), models, task or {}, steering or {}, n_trials)


def results(bench: Bench, conditions: Sequence[Condition], seeds: Sequence[int]) -> Results:
    """All runs, one after the other."""
    return {each: {seed: run(bench, each, seed) for seed in seeds} for each in conditions}
