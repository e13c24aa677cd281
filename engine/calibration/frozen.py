"""A decoder that has learned, frozen and measured bin by bin, clean and disturbed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.answers.cursor import Cursor, Stretches
from engine.answers.scores.moments import Moments, r_squared, root_mean_square_error, weighted_r_squared
from engine.answers.scores.resampled import Interval, Resampled
from engine.answers.scores.sent import moving_above
from engine.decoders import Decoder, decode
from engine.decoders.base import N_KINEMATICS
from engine.decoders.bins import Bins
from engine.stages.perturb import PRESETS, Perturbations
from engine.stages.perturb.encoding import Encoding

LEVELS = tuple(PRESETS)
"""Of perturbation, the undisturbed one first."""
EXAMPLES = 6
"""Trials at most whose paths are kept."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Measure:
    """Of one quantity; NaN where nothing can be said.

    Attributes
    ----------
    mean : float
        Over x and y.
    x, y : float
    """

    mean: float
    x: float
    y: float


@dataclass(frozen=True)
class R2(Measure):
    """`engine.answers.scores.moments.r_squared`; NaN where nothing can be said.

    Attributes
    ----------
    weighted : float
        `engine.answers.scores.moments.weighted_r_squared`.
    moving : float
        The mean in bins whose speed is above `engine.answers.scores.sent.moving_above` of the tested ones.
    low, high : float
        95 % interval of `mean` over trials (`engine.answers.scores.resampled`).
    """

    weighted: float
    moving: float
    low: float
    high: float


@dataclass(frozen=True)
class Scores:
    """How good a frozen decoder is at one level of perturbation.

    Attributes
    ----------
    level : str
        Of `LEVELS`.
    n_bins : int
        That are scored: observed, with known kinematics, and answered by the decoder.
    coverage : float
        Their share of the observed bins with known kinematics.
    r2_velocity, r2_position : R2
    rmse_velocity, rmse_position : Measure
        `moments.root_mean_square_error` of each axis, in length units, and per second.
    """

    level: str
    n_bins: int
    coverage: float
    r2_velocity: R2
    r2_position: R2
    rmse_velocity: Measure
    rmse_position: Measure


@dataclass(frozen=True, eq=False)
class Example:
    """True and decoded path of one trial.

    Attributes
    ----------
    trial_id : int
    truth, decoded : ndarray of float, shape (n, 2)
        x, y in length units; NaN where missing.
    """

    trial_id: int
    truth: Floats
    decoded: Floats


def disturbed(
    bins: Bins, level: str, seed: int, encoding: Encoding | None = None
) -> npt.NDArray[np.unsignedinteger]:
    """Counts as a session sends them that plays these bins from its first packet on.

    Parameters
    ----------
    bins : Bins
    level : str
        Of `LEVELS`, or of `engine.stages.perturb.DAYS`.
    seed : int
        Of the session.
    encoding : Encoding, optional
        Of the recording, by which newcomers fire; without it there are none.

    Returns
    -------
    ndarray of uint8 or uint16, shape (n, n_units)
    """
    counts = bins.counts.copy()
    perturbations = Perturbations(seed, counts.shape[1], float(bins.bin_rate), encoding=encoding)
    perturbations.change({"preset": level})
    perturbations.apply(counts, 0, bins.packet_id)
    return counts


def answers(
    decoder: Decoder, bins: Bins, level: str, seed: int, encoding: Encoding | None = None
) -> Floats:
    """What a frozen decoder says of bins that it has never seen.

    It begins as it was fitted, and is never told the truth, so that one that learns from that stays so;
    one that adapts to counts alone does. It gets what was observed, and is reset where bins of the
    recording are left out, as at a jump of a stream. One that
    says nothing of position moves a cursor by its velocity
    (`engine.answers.cursor`), from the true position at each start.

    Returns
    -------
    ndarray of float64, shape (n, 4)
        x, y, vx, vy; NaN where it has no opinion.
    """
    counts = disturbed(bins, level, seed, encoding)
    seen = bins.observed
    decoder.forget()
    said = np.full((len(counts), N_KINEMATICS), np.nan)
    said[seen] = decode(decoder, counts[seen], bins.cut[seen], trials=bins.trial_id[seen])
    cursor, stretches = Cursor(float(bins.bin_width)), Stretches(len(said))
    stretches.take(np.arange(len(said)), bins.packet_id, bins.kinematics)
    truth = bins.kinematics[:, :2].tolist()
    for i, (x, y, vx, vy) in enumerate(said.tolist()):
        said[i, :2] = cursor.move(i, stretches.first(i), (truth[i][0], truth[i][1]), (x, y, vx, vy))
    return said


def score(bins: Bins, said: Floats, level: str) -> Scores:
    """Compare answers with the truth.

    Parameters
    ----------
    bins : Bins
    said : ndarray of float64, shape (n, 4)
        As `answers` has it.
    level : str
    """
    truth = bins.kinematics.astype(np.float64)
    known = np.isfinite(truth)
    scorable = bins.observed & known[:, known.any(axis=0)].all(axis=1)  # without columns that are missing
    answered = scorable & np.isfinite(said[:, np.isfinite(said).any(axis=0)]).all(axis=1)
    moments = Moments.of(truth[answered], said[answered])
    moving = answered & (np.hypot(*truth[:, 2:].T) > moving_above(bins.kinematics))
    r2_moving = r_squared(Moments.of(truth[moving], said[moving]))
    rmse = root_mean_square_error(moments)
    resampled = Resampled()
    for trial in bins.trials:
        rows = answered & (bins.trial_id == trial)
        resampled.take(Moments.of(truth[rows], said[rows]))
    ends = resampled.intervals()
    return Scores(
        level=level,
        n_bins=int(answered.sum()),
        coverage=float(answered.sum() / max(scorable.sum(), 1)),
        r2_velocity=_r2(Moments(moments.sums[:, 2:]), r2_moving[2:], ends.r2_velocity),
        r2_position=_r2(Moments(moments.sums[:, :2]), r2_moving[:2], ends.r2_position),
        rmse_velocity=_measure(rmse[2:]),
        rmse_position=_measure(rmse[:2]),
    )


def examples(bins: Bins, said: Floats) -> tuple[Example, ...]:
    """Paths of the first trial that aims at each of a few targets."""
    chosen: dict[tuple[float, ...], int] = {}
    for trial_id in bins.trials:
        first = int(np.flatnonzero(bins.trial_id == trial_id)[0])
        chosen.setdefault(tuple(bins.target[first].tolist()), trial_id)
    spread = np.linspace(0, len(chosen) - 1, min(len(chosen), EXAMPLES)).round().astype(int)
    trials = [list(chosen.values())[i] for i in spread.tolist()]
    return tuple(
        Example(trial_id, bins.kinematics[rows, :2].astype(np.float64), said[rows, :2])
        for trial_id in trials
        for rows in [bins.trial_id == trial_id]
    )


def _r2(moments: Moments, moving: Floats, ends: Interval) -> R2:
    x, y = r_squared(moments).tolist()
    weighted = weighted_r_squared(moments)
    return R2((x + y) / 2, x, y, weighted, float(moving.mean()), *ends)


def _measure(axes: Floats) -> Measure:
    return Measure(float(axes.mean()), float(axes[0]), float(axes[1]))
