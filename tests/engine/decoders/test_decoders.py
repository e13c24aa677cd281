"""What every decoder keeps to."""

from __future__ import annotations

import numpy as np
import pytest

from engine.decoders import DECODERS, decode, make_decoder
from engine.errors import BadSetting, CannotFit
from tests.engine.decoders.population import BIN_RATE, TRIAL_BINS, Population, population, r2

LINEAR = ("population_vector", "wiener", "kalman", "refit", "rls")
VELOCITY_AT_LEAST = {"population_vector": 0.6, "wiener": 0.85, "kalman": 0.8, "refit": 0.6, "rls": 0.85}
"""Of velocity, on trials never seen."""

SPLIT = 45 * TRIAL_BINS


@pytest.fixture(scope="module")
def data() -> Population:
    return population()


def fitted(key: str, data: Population, **settings: float):
    decoder = make_decoder(key, BIN_RATE, settings)
    decoder.fit(data.counts, data.targets, data.starts, data.goals)
    return decoder


@pytest.mark.parametrize("key", LINEAR)
def test_trials_never_seen_are_decoded(key, data):
    tested = data[SPLIT:]
    predicted = decode(fitted(key, data[:SPLIT]), tested.counts, tested.starts)
    assert predicted.shape == (len(tested.counts), 4)
    assert r2(tested.targets[:, 2:], predicted[:, 2:]) > VELOCITY_AT_LEAST[key]
    if key == "population_vector":
        assert np.isnan(predicted[:, :2]).all()
    else:
        assert r2(tested.targets[:, :2], predicted[:, :2]) > 0.6


@pytest.mark.parametrize("key", LINEAR)
def test_a_unit_that_was_silent_in_training_is_masked(key, data):
    decoder = fitted(key, data[:SPLIT])
    tested = data[SPLIT:]
    awake = tested.counts.copy()
    awake[:, 0] = 9
    expected = decode(decoder, tested.counts, tested.starts)
    np.testing.assert_array_equal(decode(decoder, awake, tested.starts), expected)


@pytest.mark.parametrize("key", LINEAR)
def test_a_stretch_is_decoded_the_same_whatever_came_before(key, data):
    decoder = fitted(key, data[:SPLIT])
    trial = data[SPLIT : SPLIT + TRIAL_BINS]
    alone = decode(decoder, trial.counts, trial.starts)
    after = data[SPLIT - TRIAL_BINS : SPLIT + TRIAL_BINS]
    np.testing.assert_array_equal(decode(decoder, after.counts, after.starts)[TRIAL_BINS:], alone)


@pytest.mark.parametrize("key", LINEAR)
def test_what_is_learned_in_a_stretch_does_not_depend_on_bins_before_it(key, data):
    """The first trial has counts, but no kinematics: nothing of it may reach the second."""
    known = data.targets[: 30 * TRIAL_BINS].copy()
    known[:TRIAL_BINS] = np.nan
    some = data[: 30 * TRIAL_BINS]
    other = some.counts.copy()
    other[:TRIAL_BINS] = 7
    tested = data[SPLIT:]
    learned = []
    for counts in (some.counts, other):
        decoder = make_decoder(key, BIN_RATE)
        decoder.fit(counts, known, some.starts, some.goals)
        learned.append(decode(decoder, tested.counts, tested.starts))
    np.testing.assert_array_equal(*learned)


@pytest.mark.parametrize("key", ["wiener", "kalman", "rls"])
def test_a_recording_without_position_is_decoded_for_velocity(key, data):
    targets = data.targets.copy()
    targets[:, :2] = np.nan
    decoder = make_decoder(key, BIN_RATE)
    decoder.fit(data.counts[:SPLIT], targets[:SPLIT], data.starts[:SPLIT])
    predicted = decode(decoder, data.counts[SPLIT:], data.starts[SPLIT:])
    assert np.isnan(predicted[:, :2]).all()
    assert r2(targets[SPLIT:, 2:], predicted[:, 2:]) > 0.6


@pytest.mark.parametrize("key", LINEAR)
def test_too_little_to_learn_from_is_refused(key, data):
    targets = np.full_like(data.targets, np.nan)
    targets[:5] = 1.0
    with pytest.raises(CannotFit, match="There are 5 bins with known kinematics"):
        make_decoder(key, BIN_RATE).fit(data.counts, targets, data.starts, data.goals)


@pytest.mark.parametrize("key", LINEAR)
def test_silence_is_refused(key, data):
    with pytest.raises(CannotFit, match="No unit fires"):
        make_decoder(key, BIN_RATE).fit(0 * data.counts, data.targets, data.starts, data.goals)


def test_settings_are_checked():
    assert make_decoder("wiener", BIN_RATE, {"lags": 3}).settings == {"lags": 3, "ridge": None}
    with pytest.raises(BadSetting, match=r"Unknown decoder 'oracle'. There are passthrough, "):
        make_decoder("oracle", BIN_RATE)
    with pytest.raises(BadSetting, match=r"Unknown hyperparameter 'lag' of wiener. It has lags, ridge"):
        make_decoder("wiener", BIN_RATE, {"lag": 3})
    with pytest.raises(BadSetting, match="lags"):
        make_decoder("wiener", BIN_RATE, {"lags": 0})


def test_only_those_that_use_it_depend_on_the_truth(data):
    trained, tested = data[:SPLIT], data[SPLIT:]
    for key in set(DECODERS) - {"lstm", "gru"}:
        decoder = fitted(key, trained)
        without = decode(decoder, tested.counts, tested.starts)
        decoder.forget()
        told = decode(decoder, tested.counts, tested.starts, tested.targets)
        assert np.array_equal(without, told, equal_nan=True) is not decoder.uses_truth
