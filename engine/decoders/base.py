"""What a decoder is: fitted to counts and kinematics once, then asked bin by bin."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from engine.decoders.choice import Choice
from engine.errors import CannotFit
from engine.tuned import Tuned

Floats = npt.NDArray[np.floating[Any]]
Rows = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]
Counts = npt.NDArray[Any]
Ids = npt.NDArray[np.integer[Any]]
Arrays = dict[str, npt.NDArray[Any]]

POSITION, VELOCITY = (0, 1), (2, 3)
"""Columns of kinematics: x, y, vx, vy."""
N_KINEMATICS = 4
MIN_BINS = 20
"""Less than that nothing can be learned from."""


class Decoder(Tuned):
    """From a bin's counts to x, y (length units), vx, vy (per second); hyperparameters are `param`'s.

    Parameters
    ----------
    bin_rate : float
        Bins per second.

    Attributes
    ----------
    recording : str
        The name of what it decodes, where that is known.
    choices : tuple of Choice
        How the hyperparameters that nobody has set (None) were chosen in `fit`, which then sets them;
        the next `fit` chooses anew.
    """

    key: ClassVar[str]
    learned: ClassVar[tuple[str, ...]] = ()
    """Attributes that `fit` sets, all arrays: with the hyperparameters they are the whole decoder."""
    uses_truth: ClassVar[bool] = False
    """Whether `predict` does something with the true kinematics."""
    adapts: ClassVar[bool] = False
    """Whether it goes on changing with the counts that it is asked about, without any truth."""

    def __init__(self, bin_rate: float, **settings: Any) -> None:
        super().__init__(**settings)
        self.bin_rate = bin_rate
        self.recording = ""
        self.choices: tuple[Choice, ...] = ()
        self.epoch_done: Callable[[int, int], object] = nobody_hears

    def fit(
        self,
        counts: Counts,
        targets: Floats,
        starts: Flags | None = None,
        goals: Floats | None = None,
        trials: Ids | None = None,
    ) -> None:
        """Learn from a recording; what was learned before is forgotten.

        Parameters
        ----------
        counts : ndarray, shape (n, n_units)
            Spikes of each unit in each bin.
        targets : ndarray of float, shape (n, 4)
            x, y, vx, vy; bins where one is NaN are not learned from, though later bins may look back
            on their counts. A column without any value is not predicted.
        starts : ndarray of bool, shape (n,), optional
            Bins that do not follow the one before, beyond which no decoder looks back; the first
            alone if None.
        goals : ndarray of float, shape (n, 2), optional
            Where the target is, NaN if there is none; of use to decoders that learn from intention.
        trials : ndarray of int, shape (n,), optional
            Of each bin, -1 outside of trials: what is to be chosen is chosen on trials left out whole;
            stretches take their place if None.

        Raises
        ------
        CannotFit
            If there is too little to learn from.
        """

    def choose(self, choices: Iterable[Choice]) -> None:
        """Set hyperparameters to what was chosen."""
        self.choices += tuple(choices)
        self.param.update(**{each.name: each.value for each in self.choices})

    def unchoose(self) -> None:
        """Leave to `fit` again what it has chosen."""
        self.param.update(**{each.name: None for each in self.choices})
        self.choices = ()

    def reset(self) -> None:
        """Forget the bins before: the next one starts a stretch."""

    def forget(self) -> None:
        """Go back to what `fit` has learned: decoders that adapt carry the rest over a `reset`."""
        self.reset()

    def on_done(self) -> None:
        """The trial of the last bin has ended. Nothing need be done, and nothing is to be forgotten."""

    def arrays(self) -> Arrays:
        """What `fit` has learned, as `restore` takes it.

        Raises
        ------
        BadModel
            If that is not a matter of arrays.
        """
        return {name: getattr(self, name) for name in self.learned}

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take what a decoder of the same hyperparameters has learned; `forget` is to follow.

        Raises
        ------
        KeyError
            If an array is missing.
        """
        for name in self.learned:
            setattr(self, name, arrays[name])

    def predict(self, counts: Counts, truth: Floats | None = None) -> Floats:
        """Kinematics of the bin that follows the last one asked.

        Parameters
        ----------
        counts : ndarray, shape (n_units,)
        truth : ndarray of float, shape (4,), optional
            The true kinematics, for decoders that use them. One that adapts sees them only after
            it has predicted.

        Returns
        -------
        ndarray of float64, shape (4,)
            x, y, vx, vy; NaN where the decoder has no opinion.
        """
        raise NotImplementedError


def nobody_hears(done: int, most: int) -> None:
    """What a decoder that learns in epochs calls after each, until somebody else wants to be called.

    Parameters
    ----------
    done, most : int
        Epochs, and how many there are at most.
    """


@dataclass(frozen=True)
class Training:
    """What there is to learn from, made ready.

    Attributes
    ----------
    signal : ndarray of float64, shape (n, n_active)
        Counts of the units that are not silent, less their mean.
    targets : ndarray of float64, shape (n, n_columns)
        Of the columns that are predicted.
    rows : ndarray of int, shape (n_rows,)
        Bins whose targets are known.
    age : ndarray of int, shape (n,)
        How many bins of the same stretch come before.
    goals : ndarray of float64, shape (n, 2)
        NaN where there is none.
    trial : ndarray of int, shape (n,)
        Which trial each bin is of, counted from 0; stretches where trials are not known.
    """

    signal: Floats
    targets: Floats
    rows: Rows
    age: Rows
    goals: Floats
    trial: Rows


class NeuralDecoder(Decoder):
    """A decoder of counts: units that are silent in training are masked, the others centred.

    Subclasses learn in `_learn` and answer in `_step`.
    """

    learned: ClassVar[tuple[str, ...]] = ("active", "mean", "columns")
    columns_wanted: ClassVar[tuple[int, ...]] = (*POSITION, *VELOCITY)

    active: Rows
    mean: Floats
    columns: Rows

    def fit(
        self,
        counts: Counts,
        targets: Floats,
        starts: Flags | None = None,
        goals: Floats | None = None,
        trials: Ids | None = None,
    ) -> None:
        self.unchoose()
        self._learn(self._prepare(counts, targets, starts, goals, trials))
        self.forget()

    def predict(self, counts: Counts, truth: Floats | None = None) -> Floats:
        out = np.full(N_KINEMATICS, np.nan)
        signal = counts[self.active] - self.mean
        out[self.columns] = self._step(signal, None if truth is None else truth[self.columns])
        return out

    def _prepare(
        self,
        counts: Counts,
        targets: Floats,
        starts: Flags | None,
        goals: Floats | None,
        trials: Ids | None,
    ) -> Training:
        """Check and centre; sets what every neural decoder learns."""
        n = len(counts)
        known = np.isfinite(targets)
        wanted = np.isin(np.arange(N_KINEMATICS), self.columns_wanted)
        self.columns = np.flatnonzero(known.any(axis=0) & wanted)
        rows = np.flatnonzero(known[:, self.columns].all(axis=1))
        if not len(self.columns) or len(rows) < MIN_BINS:
            raise CannotFit(
                f"There are {len(rows)} bins with known kinematics to learn from, of {n}. "
                f"Choose trials that have at least {MIN_BINS}."
            )
        self.active = np.flatnonzero(counts[rows].any(axis=0))
        if not len(self.active):
            raise CannotFit("No unit fires in the bins to learn from. Choose other trials.")
        self.mean = counts[rows][:, self.active].mean(axis=0)
        index = np.arange(n)
        begun = index == 0 if starts is None else starts
        changes = begun if trials is None else np.diff(trials, prepend=trials[:1]) != 0
        return Training(
            signal=counts[:, self.active] - self.mean,
            targets=targets[:, self.columns].astype(np.float64),
            rows=rows,
            age=index - np.maximum.accumulate(np.where(begun, index, 0)),
            goals=np.full((n, 2), np.nan) if goals is None else goals.astype(np.float64),
            trial=np.cumsum(changes),
        )

    def _learn(self, training: Training) -> None:
        raise NotImplementedError

    def _step(self, signal: Floats, truth: Floats | None) -> Floats:
        """One bin: signal of shape (n_active,) and truth of shape (n_columns,) to (n_columns,)."""
        raise NotImplementedError


def decode(
    decoder: Decoder,
    counts: Counts,
    starts: Flags,
    truth: Floats | None = None,
    trials: Ids | None = None,
) -> Floats:
    """Ask a decoder for many bins, as a stream would.

    Parameters
    ----------
    counts : ndarray, shape (n, n_units)
    starts : ndarray of bool, shape (n,)
        Bins before which the decoder is reset.
    truth : ndarray of float, shape (n, 4), optional
        Withheld if None.
    trials : ndarray of int, shape (n,), optional
        Of each bin, -1 outside of trials: the decoder is told when one has ended.

    Returns
    -------
    ndarray of float64, shape (n, 4)
    """
    out = np.empty((len(counts), N_KINEMATICS))
    ended = np.zeros(len(counts), np.bool_)
    if trials is not None:
        ended[1:] = (trials[1:] != trials[:-1]) & (trials[:-1] >= 0)
    decoder.reset()
    for i, row in enumerate(counts):
        if ended[i]:
            decoder.on_done()
        if starts[i]:
            decoder.reset()
        out[i] = decoder.predict(row, None if truth is None else truth[i])
    return out
