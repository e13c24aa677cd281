"""A whole calibration, step by step: plan, fit, freeze, and test at every level of perturbation."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.bins.description import Recorded
from engine.calibration.frozen import LEVELS, Example, Scores, answers, examples, score
from engine.calibration.split import Apart, Balance, Split, balance, check_apart
from engine.decoders import DECODERS, Decoder, make_decoder
from engine.decoders.bins import Bins
from engine.decoders.choice import Choice
from engine.decoders.store import Trained, to_npz
from engine.errors import BadModel, BadSetting


@dataclass(frozen=True)
class Plan:
    """What is calibrated, and the proof that what is tested was never learned from.

    Attributes
    ----------
    decoder : str
        Of `engine.decoders.DECODERS`; one that learns.
    settings : mapping
        All of its hyperparameters; None of those that are to be chosen.
    seed : int
        Of the perturbations.
    recording, length_unit : str
    split : Split
    balance : tuple of Balance
    apart : Apart
    n_train_bins, n_test_bins : int
    """

    decoder: str
    settings: Mapping[str, Any]
    seed: int
    recording: str
    length_unit: str
    split: Split
    balance: tuple[Balance, ...]
    apart: Apart
    n_train_bins: int
    n_test_bins: int


@dataclass(frozen=True)
class Step:
    """How far a fit is that goes by epochs.

    Attributes
    ----------
    done, most : int
        Epochs, and how many there are at most.
    """

    done: int
    most: int


@dataclass(frozen=True, eq=False)
class Fitted:
    """The decoder has learned.

    Attributes
    ----------
    model : bytes, optional
        As `engine.decoders.store.load` reads it; None if what it has learned are no arrays.
    seconds : float
        That it took.
    unkept : str
        Why there is no model.
    choices : tuple of Choice
        How hyperparameters were chosen that were not set.
    """

    model: bytes | None
    seconds: float
    unkept: str = ""
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, eq=False)
class Measured:
    """One level is through; the undisturbed one comes with example paths."""

    scores: Scores
    examples: tuple[Example, ...]


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a figure of a finished calibration shows; scores by level.

    Attributes
    ----------
    plan : Plan
    scores : tuple of Scores
    examples : tuple of Example
    others : tuple of Outcome
        Those of other decoders on the same trials, to be drawn in the same figure.
    """

    plan: Plan
    scores: tuple[Scores, ...]
    examples: tuple[Example, ...]
    others: tuple[Outcome, ...] = ()


def prepare(
    recording: Recorded, split: Split, decoder: str, settings: Mapping[str, Any], seed: int
) -> tuple[Plan, Bins, Bins]:
    """Take the bins of either part, and see that nothing speaks against the run.

    Parameters
    ----------
    recording : Recorded
    split : Split
    decoder : str
    settings : mapping
        Hyperparameters that differ from the defaults.
    seed : int

    Returns
    -------
    plan : Plan
    train, test : Bins

    Raises
    ------
    BadSetting
        If there is no such decoder, it learns nothing, or a hyperparameter is out of bounds.
    EmptySelection
        If the trials of a part hold no bin.
    Leak
        If the parts are not apart.
    """
    made = learner(decoder, recording.bin_rate, settings)
    train, test = Bins.of(recording, split.train), Bins.of(recording, split.test)
    plan = Plan(
        decoder=decoder,
        settings=made.settings,
        seed=seed,
        recording=recording.name,
        length_unit=recording.length_unit,
        split=split,
        balance=balance(recording, split),
        apart=check_apart(train, test),
        n_train_bins=len(train.counts),
        n_test_bins=len(test.counts),
    )
    return plan, train, test


def learner(decoder: str, bin_rate: float, settings: Mapping[str, Any]) -> Decoder:
    """A decoder that is yet to learn.

    Raises
    ------
    BadSetting
        If there is no such decoder, it learns nothing, or a hyperparameter is out of bounds.
    """
    made = make_decoder(decoder, bin_rate, settings)
    if not made.learned:
        learning = ", ".join(key for key, each in DECODERS.items() if each.learned)
        raise BadSetting(f"{decoder} learns nothing, so it cannot be calibrated. Choose {learning}.")
    return made


def calibrate(
    plan: Plan, train: Bins, test: Bins, tell: Callable[[Step], object] | None = None
) -> Iterator[Fitted | Measured]:
    """Fit, then test at each of `engine.calibration.frozen.LEVELS`.

    Parameters
    ----------
    plan : Plan
    train, test : Bins
    tell : function, optional
        Called after each epoch, if the fit has any.

    Raises
    ------
    CannotFit
        If there is too little to learn from.
    DecoderFault
        If the decoder is somebody's own, and fails.
    """
    bin_rate = float(train.bin_rate)
    decoder = make_decoder(plan.decoder, bin_rate, plan.settings)
    decoder.recording = plan.recording
    if tell is not None:
        decoder.epoch_done = lambda done, most: tell(Step(done, most))
    began = time.perf_counter()
    train.teach(decoder)
    took = time.perf_counter() - began
    learned_from = Trained(
        str(train.recording), str(train.sha256), train.counts.shape[1], bin_rate, train.trials
    )
    try:
        yield Fitted(to_npz(decoder, learned_from), took, choices=decoder.choices)
    except BadModel as error:
        yield Fitted(None, took, str(error), decoder.choices)
    for level in LEVELS:
        said = answers(decoder, test, level, plan.seed)
        yield Measured(score(test, said, level), examples(test, said) if level == LEVELS[0] else ())
