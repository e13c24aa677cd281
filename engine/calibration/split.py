"""Which trials a decoder learns from and which it is tested on, and the proof that they are apart."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.bins.description import Recorded
from engine.bins.selection import spell_ids
from engine.decoders.bins import Bins
from engine.errors import BadSetting, Leak

Place = tuple[float, float] | None
"""Of a target; None for trials without."""


@dataclass(frozen=True)
class Split:
    """Ids of trials, ascending.

    Attributes
    ----------
    train, test : tuple of int
    """

    train: tuple[int, ...]
    test: tuple[int, ...]


@dataclass(frozen=True)
class Balance:
    """How many trials aim at one target.

    Attributes
    ----------
    place : tuple of float, optional
        Of the target, in length units; None for trials without.
    train, test : int
    """

    place: Place
    train: int
    test: int


@dataclass(frozen=True)
class Apart:
    """What `check_apart` has counted; all of it 0.

    Attributes
    ----------
    shared_trials : int
        Trials that are in both parts.
    shared_bins : int
        Bins that are.
    bins_reaching_out : int
        Bins from which a decoder looks back on a bin outside of their own part.
    """

    shared_trials: int
    shared_bins: int
    bins_reaching_out: int


def balanced_split(recording: Recorded, share: float, seed: int) -> Split:
    """Draw training trials, the same number for each target position as far as its trials go.

    Targets give a trial each in turn, in an order drawn anew for each seed, until there are enough. The
    last trial of a target that has several is left to the test, as are all that are not drawn.

    Parameters
    ----------
    recording : Recorded
        Trials without observed bins are left out.
    share : float
        Of the trials, for training; between 0 and 1.
    seed : int

    Raises
    ------
    BadSetting
        If there are not two trials.
    """
    usable = _usable(recording)
    if len(usable) < 2:
        raise BadSetting(
            f"{recording.name} has {len(usable)} trials with observed bins. "
            "Training and test need one each."
        )
    draws = np.random.default_rng(seed)
    groups: dict[Place, list[int]] = {}
    for trial_id in draws.permutation(sorted(usable)).tolist():
        groups.setdefault(usable[trial_id], []).append(trial_id)
    givers = [group if len(group) == 1 else group[1:] for group in groups.values()]
    in_turn = [group[i] for i in range(max(map(len, givers))) for group in givers if i < len(group)]
    n_train = min(max(round(share * len(usable)), 1), len(usable) - 1)
    train = set(in_turn[:n_train])
    return Split(tuple(sorted(train)), tuple(sorted(usable.keys() - train)))


def given_split(recording: Recorded, train: Sequence[int], test: Sequence[int]) -> Split:
    """Take trials as they are named; a part that is empty is all the others.

    Raises
    ------
    UnknownTrial
    BadSetting
        If a trial is in both parts, or there is none for one of them.
    """
    for trial_id in (*train, *test):
        recording.trial_row(trial_id)
    both = sorted(set(train) & set(test))
    if both:
        raise BadSetting(
            f"A trial to test on must never be seen in training; both name {spell_ids(both, 'trial')}. "
            "Leave them out of one."
        )
    usable = _usable(recording)
    split = Split(
        tuple(sorted(set(train) or usable.keys() - set(test))),
        tuple(sorted(set(test) or usable.keys() - set(train))),
    )
    if not split.train or not split.test:
        raise BadSetting("Training and test need a trial each. Name fewer trials for one of them.")
    return split


def balance(recording: Recorded, split: Split) -> tuple[Balance, ...]:
    """How many trials of each part aim at each target, by its position."""
    places = {trial.trial_id: _place(trial.target_x, trial.target_y) for trial in recording.trials}
    train, test = (Counter(places[each] for each in part) for part in (split.train, split.test))
    ordered = sorted(train.keys() | test.keys(), key=lambda place: place or (math.inf, math.inf))
    return tuple(Balance(place, train[place], test[place]) for place in ordered)


def check_apart(train: Bins, test: Bins) -> Apart:
    """See that nothing of the test is in the training, nor the other way round.

    A decoder looks back until a bin that is marked as the start of a stretch. So every other bin must
    follow a bin of its own part in the recording: the history of a trial ends where the other part begins.

    Raises
    ------
    Leak
        If it is not so.
    """
    found = Apart(
        shared_trials=len(set(train.trials) & set(test.trials)),
        shared_bins=len(np.intersect1d(train.packet_id, test.packet_id)),
        bins_reaching_out=sum(
            int((~part.start & ~np.isin(part.packet_id - 1, part.packet_id)).sum())
            for part in (train, test)
        ),
    )
    if found != Apart(0, 0, 0):
        raise Leak(
            f"Training and test leak into each other: {found.shared_trials} trials and "
            f"{found.shared_bins} bins are in both, and {found.bins_reaching_out} bins look back out of "
            "their part. Take the bins of each part by themselves."
        )
    return found


def _usable(recording: Recorded) -> dict[int, Place]:
    """Targets' places by the ids of trials that have observed bins."""
    rows = np.unique(recording.bins["trial"][recording.observed])
    trials = [recording.trials[row] for row in rows.tolist() if row >= 0]
    return {trial.trial_id: _place(trial.target_x, trial.target_y) for trial in trials}


def _place(x: float, y: float) -> Place:
    return (x, y) if math.isfinite(x) and math.isfinite(y) else None
