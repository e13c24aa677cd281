"""A decoder that has learned, frozen and measured bin by bin, clean and disturbed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.answers.cursor import Cursor, Stretches
from engine.answers.scores.moments import Moments, r_squared, root_mean_square_error
from engine.decoders import Decoder, decode
from engine.decoders.base import N_KINEMATICS
from engine.decoders.bins import Bins
from engine.stages.perturb import PRESETS, Perturbations

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
    r2_velocity, r2_position : Measure
        `engine.answers.scores.moments.r_squared` of each axis.
    rmse_velocity, rmse_position : Measure
        `moments.root_mean_square_error` of each axis, in length units, and per second.
    """

    level: str
    n_bins: int
    coverage: float
    r2_velocity: Measure
    r2_position: Measure
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


def disturbed(bins: Bins, level: str, seed: int) -> npt.NDArray[np.unsignedinteger]:
    """Counts as a session sends them that plays these bins from its first packet on.

    Parameters
    ----------
    bins : Bins
    level : str
        Of `LEVELS`.
    seed : int
        Of the session.

    Returns
    -------
    ndarray of uint8 or uint16, shape (n, n_units)
    """
    counts = bins.counts.copy()
    perturbations = Perturbations(seed, counts.shape[1], float(bins.bin_rate))
    perturbations.change({"preset": level})
    perturbations.apply(counts, 0)
    return counts


def answers(decoder: Decoder, bins: Bins, level: str, seed: int) -> Floats:
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
    counts = disturbed(bins, level, seed)
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
    r2, rmse = r_squared(moments), root_mean_square_error(moments)
    return Scores(
        level=level,
        n_bins=int(answered.sum()),
        coverage=float(answered.sum() / max(scorable.sum(), 1)),
        r2_velocity=_measure(r2[2:]),
        r2_position=_measure(r2[:2]),
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


def _measure(axes: Floats) -> Measure:
    return Measure(float(axes.mean()), float(axes[0]), float(axes[1]))
