"""Hyperparameters that nobody has set: chosen on trials left out of the fit."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest

from engine.decoders import Decoder, make_decoder
from engine.decoders.choice import N_FOLDS, folds
from engine.decoders.ridge import MOST_FEATURES, USUAL_LAGS, USUAL_RIDGE, choose_ridge
from engine.decoders.store import FACTS, Trained, load, to_npz
from engine.decoders.wiener import Wiener
from tests.engine.decoders.population import BIN_RATE, TRIAL_BINS, population
from tests.engine.decoders.test_linear import lag_by_lag

N_TRIALS = 20
DATA = population(N_TRIALS, n_units=8)
TRIAL = np.repeat(np.arange(N_TRIALS), TRIAL_BINS)
TRAINED = Trained("reaches", "ab" * 32, 8, BIN_RATE, [*range(N_TRIALS)])


def fitted(key: str, **settings: float) -> Decoder:
    decoder = make_decoder(key, BIN_RATE, settings)
    decoder.fit(DATA.counts, DATA.targets, DATA.starts, DATA.goals, TRIAL)
    return decoder


def test_no_trial_is_in_two_folds_and_each_has_about_as_many():
    rows = np.setdiff1d(np.arange(len(TRIAL)), [3, 4, 100])
    parts = folds(TRIAL, rows)
    np.testing.assert_array_equal(np.concatenate(parts), rows)
    trials = [set(TRIAL[part]) for part in parts]
    assert [len(each) for each in trials] == [N_TRIALS // N_FOLDS] * N_FOLDS
    assert len(set().union(*trials)) == N_TRIALS
    assert [len(each) for each in folds(np.zeros(10, int), np.arange(10))] == [
        2
    ] * 5  # of one trial, its bins


def test_scores_are_those_of_refits_without_the_trials_that_they_are_measured_on():
    decoder = fitted("wiener", lags=3)
    (choice,) = decoder.choices
    x = lag_by_lag(DATA.counts[:, 1:] - DATA.counts[:, 1:].mean(axis=0))
    y = DATA.targets.astype(float)
    for ridge, score in zip(choice.tried, choice.scores, strict=True):
        penalty = ridge * np.diag([1.0] * (x.shape[1] - 1) + [0.0])
        out = np.empty_like(y)
        for part in np.split(np.arange(len(x)), N_FOLDS):
            rest = np.setdiff1d(np.arange(len(x)), part)
            weights = np.linalg.solve(x[rest].T @ x[rest] + penalty, x[rest].T @ y[rest])
            out[part] = x[part] @ weights
        r2 = 1 - ((out - y) ** 2).sum(axis=0) / ((y - y.mean(axis=0)) ** 2).sum(axis=0)
        assert score == pytest.approx(r2.mean(), abs=1e-9)
    assert decoder.ridge == choice.value == choice.tried[np.argmax(choice.scores)]


def test_fewer_lags_score_as_if_they_were_alone():
    choices = {each.name: each for each in fitted("wiener", ridge=50.0).choices}
    assert list(choices) == ["lags"]
    tried = choices["lags"].tried
    for lags in (1, 5):
        alone = {each.name: each for each in fitted("wiener", lags=lags).choices}["ridge"]
        both = {each.name: each for each in fitted("wiener").choices}
        assert both["lags"].scores[tried.index(lags)] == pytest.approx(max(alone.scores), abs=1e-9)


@pytest.mark.parametrize(
    ("key", "names"),
    [("wiener", ["lags", "ridge"]), ("kalman", ["lag_ms"]), ("refit", ["lag_ms"]), ("rls", ["ridge"])],
)
def test_what_is_chosen_is_set_chosen_anew_by_the_next_fit_and_kept_in_the_model(key, names):
    decoder = fitted(key)
    assert [each.name for each in decoder.choices] == names
    assert all(decoder.settings[each.name] == each.value for each in decoder.choices)
    first = decoder.choices
    decoder.fit(DATA.counts, DATA.targets, DATA.starts, DATA.goals, TRIAL)
    assert decoder.choices == first
    loaded, _ = load(io.BytesIO(to_npz(decoder, TRAINED)))
    assert (loaded.choices, loaded.settings) == (first, decoder.settings)


def test_what_is_set_by_hand_is_kept():
    decoder = fitted("wiener", lags=4, ridge=7.0)
    assert (decoder.settings, decoder.choices) == ({"lags": 4, "ridge": 7.0}, ())
    assert fitted("kalman", lag_ms=100.0).settings == {"lag_ms": 100.0}


def test_counts_that_lead_are_found_to_lead_and_no_lag_is_among_what_is_tried():
    draws = np.random.default_rng(3)
    smooth = np.apply_along_axis(np.convolve, 0, draws.normal(size=(1200, 4)), np.ones(8), "same")
    counts = draws.poisson(np.exp(smooth @ draws.normal(size=(4, 30)) / 10 + 1))
    for lag in (0, 4):
        decoder = make_decoder("kalman", BIN_RATE)
        decoder.fit(counts[4:], np.roll(smooth, lag, axis=0)[4:])
        assert decoder.choices[0].tried[0] == 0.0
        assert decoder.lag_ms == 25.0 * lag


def test_a_model_from_before_there_were_choices_is_loaded():
    content = io.BytesIO(to_npz(fitted("wiener", lags=2, ridge=1.0), TRAINED))
    with np.load(content) as file:
        arrays = dict(file)
    facts = json.loads(str(arrays[FACTS]))
    del facts["choices"]
    older = io.BytesIO()
    np.savez(older, **{**arrays, FACTS: np.array(json.dumps(facts))})
    older.seek(0)
    loaded, _ = load(older)
    assert (loaded.settings, loaded.choices) == ({"lags": 2, "ridge": 1.0}, ())


def test_of_more_units_than_can_be_compared_in_time_the_usual_is_taken():
    decoder = Wiener(BIN_RATE)
    n_units = MOST_FEATURES // USUAL_LAGS + 1
    draws = np.random.default_rng(0)
    counts = draws.poisson(1.0, (60, n_units))
    training = decoder._prepare(counts, draws.normal(size=(60, 4)), None, None, None)
    usual = {each.name: (each.value, each.tried) for each in choose_ridge(training, (1, USUAL_LAGS), None)}
    assert usual == {"lags": (USUAL_LAGS, ()), "ridge": (USUAL_RIDGE, ())}
