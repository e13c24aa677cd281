"""Kalman filter: kinematics move linearly, and counts depend on them linearly."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Any, ClassVar, Final

import numpy as np
import param

from engine.decoders.base import Floats, NeuralDecoder, Rows, Training
from engine.decoders.choice import Choice, folds, mean_r2

LONGEST: Final = 0.2
"""Seconds of the lags that are tried."""
N_LAGS: Final = 9


class Kalman(NeuralDecoder):
    """The filter of Wu et al. 2006 (Neural Computation 18, 80-118), with position and velocity as state.

    ``s[k] = A s[k-1] + w``, ``w ~ N(0, W)``; ``c[k - lag] = H s[k] + q``, ``q ~ N(0, Q)``; A, W, H and Q by
    least squares, on centred states and counts. A stretch starts from the mean and covariance of
    those in training. The update is in information form, ``P = (P^-1 + H' Q^-1 H)^-1`` and
    ``s += P H' Q^-1 (c - H s)``, so that its cost does not grow with the square of the units.
    """

    key = "kalman"
    learned: ClassVar[tuple[str, ...]] = (
        *NeuralDecoder.learned,
        "centre", "transition", "noise", "pull", "precision", "first", "first_spread",
    )  # fmt: skip

    lag_ms: Any = param.Number(
        default=None,
        bounds=(0.0, 1000.0),
        allow_None=True,
        doc="By how much counts lead the kinematics, in ms; chosen in training if none is set.",
    )

    centre: Floats
    """Mean state, shape (n_columns,)."""
    transition: Floats
    """A, shape (n_columns, n_columns)."""
    noise: Floats
    """W, shape (n_columns, n_columns)."""
    pull: Floats
    """H' Q^-1, shape (n_columns, n_active)."""
    precision: Floats
    """H' Q^-1 H, shape (n_columns, n_columns)."""
    first: Floats
    """Mean of the first state of a stretch, shape (n_columns,)."""
    first_spread: Floats
    """Its covariance, shape (n_columns, n_columns)."""

    def reset(self) -> None:
        self._state: Floats | None = None
        self._waiting: deque[Floats] = deque()

    def _learn(self, training: Training) -> None:
        if self.lag_ms is None:
            self.choose([self._best_lag(training)])
        self._regress(training)

    def _best_lag(self, training: Training) -> Choice:
        """Filter trials left out, with each lag; none at all is among them."""
        longest = round(LONGEST * self.bin_rate)
        lags = np.unique(np.linspace(0, longest, min(longest + 1, N_LAGS)).round().astype(int)).tolist()
        parts = folds(training.trial, training.rows)
        targets = training.targets
        error = np.zeros((len(lags), targets.shape[1]))
        for out in parts:
            rows = np.concatenate([each for each in parts if each is not out])
            rest = type(self)(self.bin_rate, **self.settings)
            for i, lag in enumerate(lags):
                rest.lag_ms = 1000 * lag / self.bin_rate
                rest.columns = self.columns
                rest._regress(replace(training, rows=rows))
                error[i] += ((rest._filtered(training, out) - targets[out]) ** 2).sum(axis=0)
        score = mean_r2(error, targets[training.rows])
        return Choice.best("lag_ms", [1000 * lag / self.bin_rate for lag in lags], score)

    def _filtered(self, training: Training, rows: Rows) -> Floats:
        """States of some bins, shape (n_rows, n_columns), each stretch filtered from the first of them."""
        out = np.empty((len(rows), len(self.columns)))
        before = -2
        for i, row in enumerate(rows.tolist()):
            if row != before + 1 or not training.age[row]:
                self.reset()
            out[i], before = self._step(training.signal[row], None), row
        return out

    def _regress(self, training: Training) -> None:
        rows, targets = training.rows, training.targets
        self.centre = targets[rows].mean(axis=0)
        states = targets - self.centre
        self.transition, self.noise = self._movement(training, states)
        self._tuning(training, states)
        begins = rows[training.age[rows] == 0]
        begins = begins if len(begins) > 2 * len(self.columns) else rows
        self.first = states[begins].mean(axis=0)
        self.first_spread = np.atleast_2d(np.cov(states[begins].T))

    def _movement(self, training: Training, states: Floats) -> tuple[Floats, Floats]:
        """A and W, from pairs of bins that follow each other."""
        now, before = pairs(training)
        transition = regress(states[before], states[now])
        return transition, covariance(states[now] - states[before] @ transition.T)

    def _tuning(self, training: Training, states: Floats) -> None:
        """H and Q, from each state and the counts that lead it."""
        lag = self._lag
        rows = training.rows[training.age[training.rows] >= lag]
        signal = training.signal[rows - lag]
        tuning = regress(states[rows], signal)
        spread = covariance(signal - states[rows] @ tuning.T)
        spread[np.diag_indices_from(spread)] += 1e-3 * np.diag(spread).mean()  # near-silent units
        self.pull = np.linalg.solve(spread, tuning).T
        self.precision = self.pull @ tuning

    @property
    def _lag(self) -> int:
        return round(float(self.lag_ms) / 1000 * self.bin_rate)

    def _step(self, signal: Floats, truth: Floats | None) -> Floats:  # noqa: ARG002
        if self._state is None:
            self._state, self._spread = self.first.copy(), self.first_spread.copy()
        else:
            self._state = self.transition @ self._state
            self._spread = self.transition @ self._spread @ self.transition.T + self.noise
        self._waiting.append(signal)
        if len(self._waiting) > self._lag:
            signal = self._waiting.popleft()
            self._spread = np.linalg.solve(
                np.eye(len(self._state)) + self._spread @ self.precision, self._spread
            )
            self._state += self._spread @ (self.pull @ signal - self.precision @ self._state)
        return self.centre + self._state


def pairs(training: Training) -> tuple[Rows, Rows]:
    """Rows with known targets that follow one, and the rows that they follow."""
    known = np.zeros(len(training.age), np.bool_)
    known[training.rows] = True
    now = training.rows[(training.age[training.rows] > 0) & known[training.rows - 1]]
    return now, now - 1


def regress(x: Floats, y: Floats) -> Floats:
    """The matrix M with ``y = M x`` in the least squares; rows are samples."""
    return np.asarray(np.linalg.lstsq(x, y)[0].T)


def covariance(residuals: Floats) -> Floats:
    return residuals.T @ residuals / len(residuals)
