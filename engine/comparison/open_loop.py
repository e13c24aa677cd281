"""One run of a comparison in open loop: a decoder, a level of perturbation and a seed, on unseen trials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from engine.calibration.frozen import answers, score
from engine.comparison.runs import a_copy
from engine.decoders import Decoder
from engine.decoders.bins import Bins
from engine.stages.perturb.encoding import Encoding


class OpenCondition(NamedTuple):
    """What is compared; each is a name."""

    decoder: str
    level: str


@dataclass(frozen=True)
class OpenMeasures:
    """How good a decoder was in one run; NaN where nothing can be said.

    Attributes
    ----------
    n_trials : int
    r2_velocity, r2_position : float
        The mean over x and y.
    rmse_velocity, rmse_position : float
        The mean over x and y, in length units per second, and length units.
    coverage : float
        Share of the bins that were answered.
    """

    n_trials: int
    r2_velocity: float
    r2_position: float
    rmse_velocity: float
    rmse_position: float
    coverage: float


@dataclass(frozen=True, eq=False)
class Exam:
    """What all runs share; it can be sent to other processes.

    Attributes
    ----------
    bins : Bins
        Of the trials that decoders are tested on.
    models, lesson
        As `engine.comparison.runs.Bench` has them.
    encoding : Encoding, optional
        Of the recording, for days.
    """

    bins: Bins
    models: Mapping[str, bytes] = field(default_factory=dict)
    lesson: Bins | None = None
    encoding: Encoding | None = None
    _learned: dict[str, Decoder] = field(default_factory=dict, init=False, repr=False)


def run_open(exam: Exam, condition: OpenCondition, seed: int) -> OpenMeasures:
    """The scores of one run, as a calibration has them; the seed is the perturbations'.

    Raises
    ------
    DeckError
        If the decoder cannot learn or answer.
    """
    decoder = a_copy(condition.decoder, exam.models, exam.lesson, exam._learned)
    said = answers(decoder, exam.bins, condition.level, seed, exam.encoding)
    scores = score(exam.bins, said, condition.level)
    return OpenMeasures(
        n_trials=len(exam.bins.trials),
        r2_velocity=scores.r2_velocity.mean,
        r2_position=scores.r2_position.mean,
        rmse_velocity=scores.rmse_velocity.mean,
        rmse_position=scores.rmse_position.mean,
        coverage=scores.coverage,
    )
