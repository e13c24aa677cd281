"""The linear decoders against their formulas, written out."""

from __future__ import annotations

import numpy as np

from engine.decoders import decode
from engine.decoders.kalman import Kalman
from engine.decoders.population_vector import PopulationVector
from engine.decoders.refit import intended
from engine.decoders.rls import Rls
from engine.decoders.wiener import Wiener
from tests.engine.decoders.population import BIN_RATE, TRIAL_BINS, population

LAGS = 3


def lag_by_lag(signal: np.ndarray) -> np.ndarray:
    """Each bin's signal, that of one bin before and so on, 0 before the trial; then 1."""
    rows = [
        np.concatenate([signal[i - lag] if i % TRIAL_BINS >= lag else 0 * signal[i] for lag in range(LAGS)])
        for i in range(len(signal))
    ]
    return np.column_stack((np.array(rows), np.ones(len(rows))))


def test_a_wiener_filter_is_ridge_regression_on_lags():
    data = population(n_trials=10, n_units=8)
    decoder = Wiener(BIN_RATE, lags=LAGS, ridge=5.0)
    decoder.fit(data.counts, data.targets, data.starts)
    counts = data.counts[:, 1:].astype(float)
    x = lag_by_lag(counts - counts.mean(axis=0))
    penalty = 5.0 * np.diag([1.0] * (x.shape[1] - 1) + [0.0])
    expected = x @ np.linalg.solve(x.T @ x + penalty, x.T @ data.targets.astype(float))
    np.testing.assert_allclose(decode(decoder, data.counts, data.starts), expected, rtol=1e-6, atol=1e-6)


def test_rls_that_forgets_nothing_ends_at_the_ridge_solution_of_all_bins():
    data = population(n_trials=20, n_units=8)
    half = 10 * TRIAL_BINS
    settings = {"steps": LAGS, "pool": 1, "ridge": 5.0, "forgetting": 1.0}
    decoder = Rls(BIN_RATE, **settings)
    first = data[:half]
    decoder.fit(first.counts, first.targets, first.starts)
    decode(decoder, data.counts[half:], data.starts[half:], data.targets[half:].astype(float))
    decoder.reset()
    adapted = decode(decoder, data.counts, data.starts)

    x = lag_by_lag(data.counts[:, decoder.active] - decoder.mean)
    penalty = 5.0 * np.diag([1.0] * (x.shape[1] - 1) + [0.0])
    expected = x @ np.linalg.solve(x.T @ x + penalty, x.T @ data.targets.astype(float))
    np.testing.assert_allclose(adapted, expected, rtol=1e-5, atol=1e-4)


def test_rls_follows_a_change_of_tuning_and_stands_still_without_truth():
    data = population(n_trials=100, n_units=8)
    decoder = Rls(BIN_RATE, steps=1, pool=1, forgetting=0.995)
    decoder.fit(data.counts, data.targets, data.starts)
    turned = -data.targets.astype(float)
    half = 50 * TRIAL_BINS
    frozen = decode(decoder, data.counts[half:], data.starts[half:])
    decode(decoder, data.counts[:half], data.starts[:half], turned[:half])
    adapted = decode(decoder, data.counts[half:], data.starts[half:])
    again = decode(decoder, data.counts[half:], data.starts[half:])
    np.testing.assert_array_equal(adapted, again)
    assert np.corrcoef(frozen[:, 2], turned[half:, 2])[0, 1] < -0.5
    assert np.corrcoef(adapted[:, 2], turned[half:, 2])[0, 1] > 0.5


def test_rls_does_not_learn_from_a_bin_before_it_has_predicted_it():
    data = population(n_trials=10, n_units=8)
    answers = []
    for truth in (np.zeros(4), np.full(4, 1e6)):
        decoder = Rls(BIN_RATE)
        decoder.fit(data.counts, data.targets, data.starts)
        answers.append(decoder.predict(data.counts[0], truth))
    np.testing.assert_array_equal(*answers)


def test_rls_stays_bounded_while_a_unit_is_silent_for_long():
    data = population(n_trials=20, n_units=8)
    decoder = Rls(BIN_RATE, steps=1, pool=1, forgetting=0.95)
    decoder.fit(data.counts, data.targets, data.starts)
    silent = np.tile(data.counts, (5, 1))
    silent[:, 3] = 0
    truth = np.tile(data.targets, (5, 1)).astype(float)
    decode(decoder, silent, np.tile(data.starts, 5), truth)
    back = decode(decoder, data.counts, data.starts, data.targets.astype(float))
    assert np.abs(back).max() < 10 * np.abs(data.targets).max()


def test_a_kalman_filter_is_the_textbooks():
    """With the gain written out, as Wu et al. have it, and matrices by least squares."""
    data = population(n_trials=30, n_units=8)
    decoder = Kalman(BIN_RATE, lag_ms=0)
    decoder.fit(data.counts, data.targets, data.starts)

    counts, states = data.counts[:, 1:].astype(float), data.targets.astype(float)
    signal, mean = counts - counts.mean(axis=0), states.mean(axis=0)
    states = states - mean
    follows = np.flatnonzero(~data.starts)
    a = np.linalg.lstsq(states[follows - 1], states[follows])[0].T
    rest = states[follows] - states[follows - 1] @ a.T
    w = rest.T @ rest / len(rest)
    h = np.linalg.lstsq(states, signal)[0].T
    rest = signal - states @ h.T
    q = rest.T @ rest / len(rest)
    q += 1e-3 * np.diag(q).mean() * np.eye(len(q))
    begins = states[data.starts]
    expected = []
    for k, c in enumerate(signal):
        if data.starts[k]:
            s, p = begins.mean(axis=0), np.cov(begins.T)
        else:
            s, p = a @ s, a @ p @ a.T + w
        gain = p @ h.T @ np.linalg.inv(h @ p @ h.T + q)
        s, p = s + gain @ (c - h @ s), (np.eye(4) - gain @ h) @ p
        expected.append(s + mean)
    np.testing.assert_allclose(decode(decoder, data.counts, data.starts), expected, rtol=1e-6, atol=1e-6)


def test_a_population_vector_points_where_the_units_that_fire_do():
    data = population()
    decoder = PopulationVector(BIN_RATE, window=1)
    decoder.fit(data.counts, data.targets, data.starts)
    votes = np.arctan2(*decoder.votes.T[::-1])
    unit = np.zeros(data.counts.shape[1])
    silent = decoder.predict(decoder_mean(decoder, unit))[2:]
    for i, active in enumerate(decoder.active):
        one = decoder_mean(decoder, unit)
        one[active] += 1
        change = decoder.predict(one)[2:] - silent
        assert np.isclose(np.arctan2(*change[::-1]), votes[i])


def decoder_mean(decoder: PopulationVector, counts: np.ndarray) -> np.ndarray:
    out = counts.copy()
    out[decoder.active] = decoder.mean
    return out


def test_intended_velocity_points_at_the_target_is_zero_on_it_and_leads_back_unchanged():
    kinematics = np.array([[0.0, 0.0, 3.0, 4.0], [0.0, 95.0, 3.0, 4.0], [0, 0, 3, 4], [0, 0, 3, -4]])
    goals = np.array([[0.0, 100.0], [0.0, 100.0], [np.nan, np.nan], [0.0, 100.0]])
    wanted = intended(kinematics, goals, radius=10.0)
    np.testing.assert_allclose(wanted[0], [0, 0, 0, 5])
    np.testing.assert_allclose(wanted[1], [0, 95, 0, 0])
    np.testing.assert_array_equal(wanted[2], [0, 0, np.nan, np.nan])
    np.testing.assert_array_equal(wanted[3], [0, 0, 3, -4])
    assert kinematics[0, 2] == 3.0


def test_a_decoder_that_leads_away_is_turned_to_the_target_at_the_same_speed():
    kinematics, goals = np.array([[0.0, 0.0, 3.0, -4.0]]), np.array([[0.0, 100.0]])
    np.testing.assert_allclose(intended(kinematics, goals, 10.0, by_decoder=True), [[0, 0, 0, 5]])
