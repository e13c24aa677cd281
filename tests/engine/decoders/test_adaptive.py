"""Decoders that adapt to drift without being told any truth."""

from __future__ import annotations

import numpy as np
import pytest

from engine.decoders import Decoder, decode, make_decoder
from engine.decoders.factors import begun, improved, rotation, stable
from tests.engine.decoders.population import BIN_RATE, TRIAL_BINS, Population, population, r2

N_UNITS = 40
SPLIT = 60 * TRIAL_BINS
SETTINGS = {
    "wiener": {"lags": 5, "ridge": 100.0},
    "renormalised": {"lags": 5, "ridge": 100.0, "memory_s": 15.0},
    "aligned": {"lags": 5, "ridge": 10.0, "memory_s": 15.0, "factors": 4},
}
ADAPTIVE = ("renormalised", "aligned")


@pytest.fixture(scope="module")
def data() -> Population:
    return population(n_trials=180, n_units=N_UNITS)


@pytest.fixture(scope="module")
def decoders(data: Population) -> dict[str, Decoder]:
    made = {key: make_decoder(key, BIN_RATE, settings) for key, settings in SETTINGS.items()}
    for each in made.values():
        each.fit(data.counts[:SPLIT], data.targets[:SPLIT], data.starts[:SPLIT])
    return made


def late_r2(decoder: Decoder, data: Population, counts: np.ndarray) -> float:
    """Of velocity, in the last third, when a stream of the later trials has these counts."""
    decoder.forget()
    predicted = decode(decoder, counts[SPLIT:], np.arange(len(counts) - SPLIT) == 0)
    late = slice(-SPLIT, None)
    return r2(data.targets[late, 2:], predicted[late, 2:])


def test_changes_of_gain_and_baseline_are_followed_by_renormalisation(data, decoders):
    draws = np.random.default_rng(5)
    counts = draws.poisson(data.counts * np.exp(draws.normal(0, 0.6, N_UNITS)) + 6 * draws.random(N_UNITS))
    plain, adapted = (late_r2(decoders[key], data, counts) for key in ("wiener", "renormalised"))
    assert adapted > plain + 0.1
    assert adapted > 0.6


def test_units_that_turn_into_others_are_followed_by_alignment(data, decoders):
    counts = data.counts.copy()
    counts[SPLIT:, 1:13] = np.roll(counts[SPLIT:, 1:13], 1, axis=1)
    plain, adapted = (late_r2(decoders[key], data, counts) for key in ("wiener", "aligned"))
    assert adapted > plain + 0.1
    assert adapted > 0.6


@pytest.mark.parametrize("key", ADAPTIVE)
def test_little_is_lost_where_nothing_drifts(key, data, decoders):
    assert late_r2(decoders[key], data, data.counts) > late_r2(decoders["wiener"], data, data.counts) - 0.1


@pytest.mark.parametrize("key", ADAPTIVE)
def test_what_was_adapted_outlasts_a_reset_and_is_forgotten_when_told(key, data, decoders):
    decoder = decoders[key]
    drifted, trial = 2 * data.counts[SPLIT:], data[SPLIT : SPLIT + TRIAL_BINS]
    decoder.forget()
    fresh = decode(decoder, trial.counts, trial.starts)
    decode(decoder, drifted, data.starts[SPLIT:])
    adapted = decode(decoder, trial.counts, trial.starts)
    decoder.forget()
    assert not np.allclose(adapted, fresh)
    np.testing.assert_array_equal(decode(decoder, trial.counts, trial.starts), fresh)


@pytest.mark.parametrize("key", ADAPTIVE)
def test_units_that_fall_silent_keep_it_bounded(key, data, decoders):
    counts = data.counts.copy()
    counts[SPLIT:, ::2] = 0
    decoders[key].forget()
    predicted = decode(decoders[key], counts[SPLIT:], data.starts[SPLIT:])
    assert np.abs(predicted).max() < 10 * np.abs(data.targets).max()


def test_factor_analysis_finds_what_made_the_counts():
    draws = np.random.default_rng(2)
    loadings, own = draws.normal(size=(12, 2)), 0.5 + draws.random(12)
    found = begun(covariance := loadings @ loadings.T + np.diag(own), 2)
    for _ in range(300):
        found = improved(found, covariance)
    np.testing.assert_allclose(found.loadings @ found.loadings.T, loadings @ loadings.T, atol=0.02)
    np.testing.assert_allclose(found.own, own, atol=0.02)
    inverse = np.linalg.inv(found.loadings @ found.loadings.T + np.diag(found.own))
    np.testing.assert_allclose(found.projection, found.loadings.T @ inverse, atol=1e-10)


def test_stable_units_are_those_that_a_rotation_explains():
    draws = np.random.default_rng(4)
    before = draws.normal(size=(20, 3))
    turn = np.linalg.qr(draws.normal(size=(3, 3)))[0]
    after = before @ turn
    after[[2, 5, 11]] = draws.normal(size=(3, 3))
    after[7] = 0.0
    kept = stable(after, before, 16, 0.01)
    np.testing.assert_array_equal(kept, np.setdiff1d(np.arange(20), [2, 5, 7, 11]))
    np.testing.assert_allclose(rotation(after[kept], before[kept]), turn.T, atol=1e-9)
