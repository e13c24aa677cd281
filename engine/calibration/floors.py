"""What scores without reading the brain: floors, to be held beside a decoder's scores."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.answers.scores.moments import Moments, r_squared, weighted_r_squared
from engine.answers.scores.resampled import UNKNOWN, Interval, Resampled
from engine.bins.description import Recorded
from engine.decoders import decode, make_decoder
from engine.decoders.bins import Bins, learned_from
from engine.decoders.delayed import Delayed
from engine.errors import BadSetting, CannotFit
from engine.making import Arrays, work

VERSION: Final = 1
"""Of what a floor is: raise it whenever that changes."""
DELAY_MS: Final = float(Delayed.delay_ms)

Floats = npt.NDArray[np.float64]
Answer = Callable[[Bins, Bins], Floats]
"""Kinematics of test bins, shape (n, 4), by something that has seen training bins."""


@dataclass(frozen=True)
class Floor:
    """The R2 of one over the test bins; NaN where nothing can be said.

    Attributes
    ----------
    r2_position, r2_velocity : float
        `engine.answers.scores.moments.r_squared`, the mean over x and y.
    r2_position_weighted, r2_velocity_weighted : float
        `engine.answers.scores.moments.weighted_r_squared`.
    r2_position_interval, r2_velocity_interval : tuple of float
        Of the means: 95 %, over trials (`engine.answers.scores.resampled`).
    """

    r2_position: float = np.nan
    r2_velocity: float = np.nan
    r2_position_weighted: float = np.nan
    r2_velocity_weighted: float = np.nan
    r2_position_interval: Interval = UNKNOWN
    r2_velocity_interval: Interval = UNKNOWN


@dataclass(frozen=True)
class Floors:
    """Of one training and one test part of a recording.

    Attributes
    ----------
    no_spikes : Floor
        Knows where the target is and how long the trial has lasted, and no spike: `no_spikes`.
    delayed_truth : Floor
        The true kinematics of `DELAY_MS` before, as of somebody who copies them.
    shuffled_units : Floor
        A Wiener filter that is not told which unit fired: `shuffled_units`.
    mean : Floor
        The training mean, which is 0 but for the difference of the two parts.
    """

    no_spikes: Floor
    delayed_truth: Floor
    shuffled_units: Floor
    mean: Floor

    def to_npz(self) -> bytes:
        """As `from_npz` reads it."""
        file = io.BytesIO()
        values = {name: np.array([*_numbers(each)]) for name, each in asdict(self).items()}
        np.savez(file, allow_pickle=False, **values)
        return file.getvalue()

    @classmethod
    def from_npz(cls, content: bytes) -> Floors:
        """Read what `to_npz` has made.

        Raises
        ------
        ValueError, KeyError, OSError
            If it is something else.
        """
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            return cls(**{each.name: _floor(file[each.name].tolist()) for each in fields(cls)})


def floors(train: Bins, test: Bins) -> Floors | None:
    """What the floors of a split are.

    Parameters
    ----------
    train, test : Bins
        Of trials alone.

    Returns
    -------
    Floors or None
        None where no kinematics are known.
    """
    if not np.isfinite(train.kinematics).all(axis=1).any():
        return None
    return Floors(**{name: judged(test, answer(train, test)) for name, answer in ANSWERS.items()})


def judged(test: Bins, said: Floats) -> Floor:
    """The R2 of answers over the observed test bins; of shape (n, 4), NaN where there are none."""
    truth = test.kinematics.astype(np.float64)
    sums, resampled = [], Resampled()
    for trial in test.trials:
        rows = test.observed & (test.trial_id == trial)
        sums.append(Moments.of(truth[rows], said[rows]))
        resampled.take(sums[-1])
    if not sums:
        return Floor()
    all_, ends = Moments.merged(sums), resampled.intervals()
    r2 = r_squared(all_)
    return Floor(
        r2_position=float(r2[:2].mean()),
        r2_velocity=float(r2[2:].mean()),
        r2_position_weighted=weighted_r_squared(Moments(all_.sums[:, :2])),
        r2_velocity_weighted=weighted_r_squared(Moments(all_.sums[:, 2:])),
        r2_position_interval=ends.r2_position,
        r2_velocity_interval=ends.r2_velocity,
    )


def no_spikes(train: Bins, test: Bins) -> Floats:
    """The mean training movement to the target (or the nearest place aimed at), so long into the trial.

    What a decoder can score that is told the target and the time and reads nothing else. Where training
    trials were shorter, their last mean stands.
    """
    places, aimed = np.unique(np.nan_to_num(train.target), axis=0, return_inverse=True)
    ages = _ages(train)
    known = train.observed & np.isfinite(train.kinematics).all(axis=1)
    sums = np.zeros((len(places), ages.max() + 1, 4))
    n = np.zeros((*sums.shape[:2], 1))
    at = aimed.ravel()[known], ages[known]
    np.add.at(sums, at, train.kinematics[known])
    np.add.at(n, at, 1)
    with np.errstate(invalid="ignore"):
        courses = sums / n
    for before, now in zip(range(courses.shape[1] - 1), range(1, courses.shape[1]), strict=True):
        missing = n[:, now, 0] == 0
        courses[missing, now] = courses[missing, before]
    away = ((np.nan_to_num(test.target)[:, None] - places) ** 2).sum(axis=2)
    course: Floats = courses[away.argmin(axis=1), np.minimum(_ages(test), courses.shape[1] - 1)]
    return course


def delayed_truth(train: Bins, test: Bins) -> Floats:  # noqa: ARG001
    """The true kinematics of `DELAY_MS` before; in a stretch's first bins nothing."""
    delayed = Delayed(float(test.bin_rate))
    truth = test.kinematics.astype(np.float64)
    return decode(delayed, test.counts, test.start, truth).astype(np.float64)


def shuffled_units(train: Bins, test: Bins, seed: int = 0) -> Floats:
    """A Wiener filter's answers where each trial has its units in another order, in training and in test.

    How many spikes there are, and when, is all that is left to it. Its lags and strength are given, as to
    choose them takes long.
    """
    wiener = make_decoder("wiener", float(train.bin_rate), {"lags": 10, "ridge": 100.0})
    draws = np.random.default_rng(seed)
    try:
        wiener.fit(_shuffled(train, draws), train.kinematics, train.start, train.target)
    except CannotFit:
        return np.full(test.kinematics.shape, np.nan)
    return decode(wiener, _shuffled(test, draws), test.start).astype(np.float64)


def mean(train: Bins, test: Bins) -> Floats:
    """The mean of the training bins, whatever happens."""
    known = train.kinematics[train.observed].astype(np.float64)
    usual: Floats = np.nanmean(known, axis=0, keepdims=True)
    return usual.repeat(len(test.counts), axis=0)


ANSWERS: Final[Mapping[str, Answer]] = {
    "no_spikes": no_spikes,
    "delayed_truth": delayed_truth,
    "shuffled_units": partial(shuffled_units, seed=0),
    "mean": mean,
}
"""By the names of `Floors`."""


def order_of(recording: Recorded) -> Arrays:
    """What the floors of a whole recording are found from: its first trials, and those after them.

    Raises
    ------
    BadSetting
        If there are not two trials.
    EmptySelection
        If either part holds no bin.
    """
    ids = recording.trial_ids
    learned = learned_from(ids)
    if len(learned) == len(ids):
        raise BadSetting(f"{recording.name} has {len(ids)} trials. Floors need one to test on.")
    parts = {"train": Bins.of(recording, learned), "test": Bins.of(recording, ids[len(learned) :])}
    return {
        f"{part}.{each.name}": np.asarray(getattr(bins, each.name))
        for part, bins in parts.items()
        for each in fields(Bins)
    }


def make(order: Mapping[str, Any], tell: Callable[[float], None]) -> bytes:  # noqa: ARG001
    """The floors of an order, as `Floors.from_npz` reads them.

    Raises
    ------
    CannotFit
        If there are none.
    """
    train, test = (
        Bins(**{each.name: order[f"{part}.{each.name}"] for each in fields(Bins)})
        for part in ("train", "test")
    )
    found = floors(train, test)
    if found is None:
        raise CannotFit("The recording has no kinematics, and so no floors.")
    return found.to_npz()


def _ages(bins: Bins) -> npt.NDArray[np.int64]:
    """How many bins after the first of its trial each is."""
    _, first, trial = np.unique(bins.trial_id, return_index=True, return_inverse=True)
    ages: npt.NDArray[np.int64] = bins.packet_id - bins.packet_id[first][trial.ravel()]
    return ages


def _shuffled(bins: Bins, draws: np.random.Generator) -> npt.NDArray[Any]:
    """Counts with the units of each trial in an order of its own."""
    counts = bins.counts.copy()
    for trial in bins.trials:
        rows = np.flatnonzero(bins.trial_id == trial)
        counts[rows] = counts[np.ix_(rows, draws.permutation(counts.shape[1]))]
    return counts


def _numbers(floor: Mapping[str, Any]) -> list[float]:
    """The fields of one, in a row."""
    return [value for each in floor.values() for value in (each if isinstance(each, tuple) else (each,))]


def _floor(numbers: list[float]) -> Floor:
    place, speed, place_weighted, speed_weighted, *ends = numbers
    return Floor(place, speed, place_weighted, speed_weighted, (ends[0], ends[1]), (ends[2], ends[3]))


if __name__ == "__main__":
    sys.exit(work(Path(sys.argv[1]), make))
