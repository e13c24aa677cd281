"""One run of a comparison, of a decoder, a user, a level of perturbation and a seed, and what all share."""

from __future__ import annotations

import copy
import io
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np

from engine.answers.scores.lag import Lags
from engine.answers.scores.sums import Measures, Sums
from engine.comparison.lockstep import Answer, answering, bins, trials
from engine.decoders import Decoder, make_decoder
from engine.decoders.bins import Bins
from engine.decoders.store import load
from engine.sources.user.closed_loop import ClosedLoop
from engine.sources.user.fitting import Fit
from engine.sources.user.neurons import Neurons
from engine.sources.user.source import SimulatedUser
from engine.sources.user.user import PERSON, PRESETS
from engine.sources.user.workspace import Basis

USERS: Final = tuple(preset for preset in PRESETS if preset != PERSON)


class Condition(NamedTuple):
    """What is compared; each is a name."""

    decoder: str
    user: str
    level: str


@dataclass(frozen=True, eq=False)
class Bench:
    """What all runs share; it can be sent to other processes.

    Attributes
    ----------
    basis : Basis
    neurons : Neurons
    models : mapping of str to bytes
        Trained decoders by name, as `engine.decoders.store.to_npz` makes them.
    task, steering : mapping
        What differs from the usual.
    n_trials : int
        That each run has.
    lesson : Bins, optional
        What decoders without a model learn from, in each process that makes runs of theirs.
    """

    basis: Basis
    neurons: Neurons
    models: Mapping[str, bytes] = field(default_factory=dict)
    task: Mapping[str, Any] = field(default_factory=dict)
    steering: Mapping[str, Any] = field(default_factory=dict)
    n_trials: int = 16
    lesson: Bins | None = None
    _learned: dict[str, Decoder] = field(default_factory=dict, init=False, repr=False)

    def decoder(self, name: str) -> Decoder:
        """A decoder that has learned, and that no other run has.

        Raises
        ------
        CannotFit, DecoderFault
            If it cannot learn.
        """
        return a_copy(name, self.models, self.lesson, self._learned)

    def source(self, user: str, seed: int) -> SimulatedUser:
        """The user of a run.

        Raises
        ------
        BadSetting
        """
        loop = ClosedLoop(user, task=self.task, steering=self.steering, lockstep=True, seed=seed)
        return SimulatedUser(self.basis, loop, lambda: Fit(self.neurons))


def a_copy(
    name: str, models: Mapping[str, bytes], lesson: Bins | None, known: dict[str, Decoder]
) -> Decoder:
    """A decoder that has learned, and that no other run has; what has no model learns once a process.

    Raises
    ------
    CannotFit, DecoderFault
        If it cannot learn.
    """
    if name in models:
        return load(io.BytesIO(models[name]))[0]
    if name not in known:
        assert lesson is not None
        known[name] = learned(name, lesson)
    return copy.deepcopy(known[name])


def learned(key: str, bins: Bins) -> Decoder:
    """A decoder that has learned from the bins of a recording, if it learns.

    Raises
    ------
    CannotFit, DecoderFault
        If it cannot.
    """
    decoder = make_decoder(key, float(bins.bin_rate))
    decoder.recording = str(bins.recording)
    if decoder.learned:
        bins.teach(decoder)
    return decoder


def perfect(bench: Bench, seed: int) -> Answer:  # noqa: ARG001
    """What is intended: the most that a decoder could do."""

    def answer(row: np.void) -> tuple[float, float, float, float]:
        vx, vy = row["intended"].tolist()
        return math.nan, math.nan, vx, vy

    return answer


def noise(bench: Bench, seed: int) -> Answer:
    """Velocities in random directions, as large as those of fast movements, whatever the units do."""
    draws, fast = np.random.default_rng((seed, 1)), bench.basis.workspace.fast

    def answer(_: np.void) -> tuple[float, float, float, float]:
        vx, vy = (fast * draws.standard_normal(2)).tolist()
        return math.nan, math.nan, vx, vy

    return answer


REFERENCES: Final[Mapping[str, Callable[[Bench, int], Answer]]] = MappingProxyType(
    {"perfect": perfect, "noise": noise}
)
"""What stands in for a decoder: the ceiling of a comparison, and its floor."""


def run(bench: Bench, condition: Condition, seed: int) -> Measures:
    """The scores of the driver over the trials of one run, as a session would tell them.

    The targets, the user's noise, the neurons and the perturbation follow from the seed, so that runs of
    the same seed have the same.

    Raises
    ------
    DeckError
        If the run cannot be.
    """
    name, user, level = condition
    source = bench.source(user, seed)
    if name in REFERENCES:
        answer = REFERENCES[name](bench, seed)
    else:
        answer = answering(bench.decoder(name))
    sums = Sums(Lags(bench.basis.bin_rate))
    for trial in trials(bins(source, answer, seed, {"preset": level}), source, bench.n_trials):
        sums.acquire(trial)
    return sums.measures(0)
