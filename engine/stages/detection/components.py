"""Principal components of waveforms, from those that come."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from engine.broadband import WAVEFORM, Floats32

BATCH: Final = 256
"""Waveforms that are learned from at once."""
MEMORY: Final = 20_000
"""Waveforms after which those before count 1/e, if components adapt."""

Floats = npt.NDArray[np.float64]


class Components:
    """Incremental principal components of the waveforms of all channels together.

    Mean and scatter are kept (Chan, Golub and LeVeque 1983, The American Statistician 37, 242-247), and the
    components are the eigenvectors with the greatest eigenvalues. A component's greatest weight is positive
    at first; later its sign is that of the one before.

    Parameters
    ----------
    n : int
        Components.
    mode : {"frozen", "adapting"}
    fitted_on : int
        Waveforms after which there are any.

    Attributes
    ----------
    basis : ndarray of float64, shape (n, WAVEFORM), or None
        None until there are so many waveforms.
    mean : ndarray of float64, shape (WAVEFORM,)
    explained : ndarray of float64, shape (n,)
        Share of the variance; NaN before.
    """

    def __init__(self, n: int, mode: Literal["frozen", "adapting"], fitted_on: int) -> None:
        self.basis: Floats | None = None
        self.mean: Floats = np.zeros(WAVEFORM)
        self.explained: Floats = np.full(n, np.nan)
        self._n, self._mode, self._fitted_on = n, mode, fitted_on
        self._batch = np.empty((BATCH, WAVEFORM), np.float32)
        self._in_batch = 0
        self._weight, self._average, self._scatter = 0.0, np.zeros(WAVEFORM), np.zeros((WAVEFORM, WAVEFORM))

    def add(self, waveforms: Floats32) -> Floats32:
        """Learn from waveforms, shape (n_waveforms, WAVEFORM); return their scores.

        Returns
        -------
        ndarray of float32, shape (n_waveforms, n)
            uV; each by the components that waveforms before it have given; NaN if there are none.
        """
        scores = np.full((len(waveforms), self._n), np.nan, np.float32)
        done = 0
        while done < len(waveforms):
            n = len(waveforms) - done
            if not self._settled:
                n = min(n, BATCH - self._in_batch)
            part = slice(done, done + n)
            if self.basis is not None:
                scores[part] = (waveforms[part] - self.mean) @ self.basis.T
            if not self._settled:
                self._learn(waveforms[part])
            done += n
        return scores

    @property
    def _settled(self) -> bool:
        return self._mode == "frozen" and self.basis is not None

    def _learn(self, waveforms: Floats32) -> None:
        until = self._in_batch + len(waveforms)
        self._batch[self._in_batch : until] = waveforms
        self._in_batch = until % BATCH
        if until < BATCH:
            return
        if self._mode == "adapting":
            kept = np.exp(-BATCH / MEMORY)
            self._weight, self._scatter = self._weight * kept, self._scatter * kept
        centre = self._batch.mean(axis=0, dtype=np.float64)
        spread, apart = self._batch - centre, centre - self._average
        total = self._weight + BATCH
        self._scatter += spread.T @ spread + np.outer(apart, apart) * self._weight * BATCH / total
        self._average, self._weight = self._average + apart * BATCH / total, total
        if self.basis is not None or total >= self._fitted_on:
            self._solve()

    def _solve(self) -> None:
        values, vectors = np.linalg.eigh(self._scatter)
        basis = vectors[:, ::-1].T[: self._n]
        if self.basis is None:
            signs = np.sign(basis[np.arange(self._n), abs(basis).argmax(axis=1)])
        else:
            signs = np.sign((basis * self.basis).sum(axis=1))
        self.basis = basis * np.where(signs == 0, 1, signs)[:, None]
        self.mean, self.explained = self._average, values[::-1][: self._n] / values.sum()
