"""Splits are balanced over targets, and what is tested was never learned from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.calibration.split import Split, balance, balanced_split, check_apart, given_split
from engine.decoders.bins import Bins
from engine.errors import BadSetting, Leak, UnknownTrial
from tests.builders import small_recording

RECORDING = small_recording(n_bins=1000, n_trials=20)
"""Trials abut; 7, 7 and 6 of them aim at the targets 0, 1 and 2."""


def parts(split: Split) -> tuple[Bins, Bins]:
    return Bins.of(RECORDING, split.train), Bins.of(RECORDING, split.test)


@pytest.mark.parametrize(("share", "counts"), [(0.45, (3, 3, 3)), (0.75, (5, 5, 5)), (0.5, (3, 3, 4))])
def test_each_target_gives_as_many_training_trials(share, counts):
    split = balanced_split(RECORDING, share, seed=4)
    assert tuple(sorted(each.train for each in balance(RECORDING, split))) == counts
    assert sorted(split.train + split.test) == list(range(20))


def test_a_target_with_few_trials_gives_what_it_has_and_keeps_one_for_the_test():
    rare = tuple(
        replace(trial, target_x=50.0) if trial.trial_id in (0, 1, 2) else trial
        for trial in RECORDING.trials
    )
    split = balanced_split(replace(RECORDING, trials=rare), 0.75, seed=0)
    by_place = {each.place: each for each in balance(replace(RECORDING, trials=rare), split)}
    assert len(split.train) == 15
    for place, each in by_place.items():
        assert each.test >= 1 or each.train == 1, place


def test_a_seed_always_draws_the_same_trials_and_another_one_others():
    first, again, other = (balanced_split(RECORDING, 0.5, seed) for seed in (1, 1, 2))
    assert first == again != other


def test_trials_without_a_bin_are_not_drawn():
    bins = RECORDING.bins.copy()
    bins["observed"][:100] = False
    split = balanced_split(replace(RECORDING, bins=bins), 0.75, seed=0)
    assert not {0, 1} & set(split.train + split.test)


def test_named_trials_are_taken_and_the_others_fill_the_part_that_is_left_out():
    assert given_split(RECORDING, [3, 1], [4]) == Split((1, 3), (4,))
    assert given_split(RECORDING, [*range(15)], []) == Split(tuple(range(15)), tuple(range(15, 20)))
    assert given_split(RECORDING, [], [19]).train == tuple(range(19))


@pytest.mark.parametrize(
    ("train", "test", "error", "message"),
    [
        ([1, 2, 5], [2, 3, 5], BadSetting, "both name trials 2, 5"),
        ([1, 99], [], UnknownTrial, "Unknown trial 99"),
        ([*range(20)], [], BadSetting, "need a trial each"),
    ],
)
def test_a_split_that_is_none_is_refused(train, test, error, message):
    with pytest.raises(error, match=message):
        given_split(RECORDING, train, test)


def test_one_trial_cannot_be_split():
    with pytest.raises(BadSetting, match="1 trials with observed bins"):
        balanced_split(small_recording(n_trials=1), 0.5, 0)


def test_history_is_cut_where_the_other_part_begins():
    train, test = parts(given_split(RECORDING, [*range(0, 20, 2)], []))
    check_apart(train, test)
    assert test.packet_id[test.start].tolist() == list(range(50, 1000, 100))


def test_a_shared_bin_is_a_leak():
    train, test = parts(given_split(RECORDING, [0, 1], [2, 3]))
    shared = replace(test, packet_id=np.concatenate((train.packet_id[-1:], test.packet_id[1:])))
    with pytest.raises(Leak, match="0 trials and 1 bins are in both"):
        check_apart(train, shared)


def test_a_shared_trial_is_a_leak():
    train, test = parts(given_split(RECORDING, [0, 1], [2, 3]))
    with pytest.raises(Leak, match="1 trials and 0 bins are in both"):
        check_apart(replace(train, trial_id=np.where(train.trial_id == 0, 2, train.trial_id)), test)


@pytest.mark.parametrize("leaking", ["train", "test"])
def test_lags_that_reach_into_the_trial_before_are_a_leak(leaking):
    made = dict(zip(("train", "test"), parts(given_split(RECORDING, [0, 2], [1, 3])), strict=True))
    start = made[leaking].start.copy()
    start[50] = False  # trial 2 or 3 goes on where the other part's trial ends
    made[leaking] = replace(made[leaking], start=start)
    with pytest.raises(Leak, match="1 bins look back out of their part"):
        check_apart(**made)
