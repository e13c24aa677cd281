"""What a perturbation model is, and the seeded draws that models share."""

from __future__ import annotations

import zlib
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import param

Floats = npt.NDArray[np.float32]
BLOCK = 64
"""Bins drawn at once: enough to pay for a generator, few enough not to make a tick late."""


class Draws:
    """Standard normal draws that depend on (seed, model, sequence number) alone.

    Parameters
    ----------
    seed : int
    model : str
    n_units : int
    """

    def __init__(self, seed: int, model: str, n_units: int) -> None:
        self._key = (seed, zlib.crc32(model.encode()))
        self._n_units = n_units
        self._block = -1
        self._drawn: Floats = np.empty((0, n_units), np.float32)

    @cached_property
    def constant(self) -> Floats:
        """One draw a unit that holds for the whole session, shape (n_units,)."""
        return self._generator(0).standard_normal(self._n_units, np.float32)

    def normal(self, first: int, n: int) -> Floats:
        """Draws for sequence numbers `first` to `first` + n - 1, shape (n, n_units)."""
        out = np.empty((n, self._n_units), np.float32)
        done = 0
        while done < n:
            block, start = divmod(first + done, BLOCK)
            if block != self._block:
                self._block = block
                shape = (BLOCK, self._n_units)
                self._drawn = self._generator(block + 1).standard_normal(shape, np.float32)
            taken = min(BLOCK - start, n - done)
            out[done : done + taken] = self._drawn[start : start + taken]
            done += taken
        return out

    def _generator(self, number: int) -> np.random.Generator:
        return np.random.default_rng((*self._key, number))


class Model(param.Parameterized):
    """One way to disturb spike counts; what a person can tune is declared with `param`.

    Parameters
    ----------
    seed : int
        Of the session.
    n_units : int
    bin_rate : float
        Bins per second, by which a sequence number becomes a time.
    """

    key: ClassVar[str]
    enabled = param.Boolean(default=False, doc="Whether the model acts.")

    def __init__(self, seed: int, n_units: int, bin_rate: float, **settings: Any) -> None:
        super().__init__(**settings)
        self.draws = Draws(seed, self.key, n_units)
        self.bin_rate = bin_rate

    def apply(self, counts: Floats, first: int) -> Floats:
        """Disturb counts.

        Parameters
        ----------
        counts : ndarray of float32, shape (n, n_units)
        first : int
            Sequence number of the first row.

        Returns
        -------
        ndarray of float32, shape (n, n_units)
            Not yet rounded; may be negative.
        """
        raise NotImplementedError
