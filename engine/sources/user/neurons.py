"""Neurons that fire for an intention as those of a recording fired for movement."""

from __future__ import annotations

import io
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from engine.sources.user.workspace import Place

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

LEAD: Final = 50.0
"""Percentile of the units' leads that is the time from an intention to what would be its movement."""


@dataclass(frozen=True, eq=False)
class Neurons:
    """Log-linear rates, after Truccolo et al. 2005 (Journal of Neurophysiology 93, 1074-1089).

    The expected count of a unit in a bin is the exponential of ``weights . (1, vx, vy, speed, x, y)``,
    never beyond its `ceiling`.

    Attributes
    ----------
    weights : ndarray of float64, shape (6, n_units)
        Of 1; velocity and speed in units of `fast`; position from `centre` in units of `reach`. A unit
        that encodes nothing has its mean alone.
    lead : ndarray of int64, shape (n_units,)
        Bins by which spikes come before the movement that they encode.
    ceiling : ndarray of float64, shape (n_units,)
        Greatest logarithm of an expected count in the recording.
    dispersion : ndarray of float64, shape (n_units,)
        Variance of a gain of mean 1 that makes counts vary beyond Poisson: ``var = mean + d mean^2``.
    bits_per_spike : ndarray of float64, shape (n_units,)
        What the regression tells of trials that it has not seen, beyond the mean rate (Pillow et al. 2008,
        Nature 454, 995-999); 0 or less where a unit encodes nothing. NaN without spikes.
    fast, reach : float
        Length units per second, and length units.
    centre : ndarray of float64, shape (2,)
    """

    weights: Floats
    lead: Counts
    ceiling: Floats
    dispersion: Floats
    bits_per_spike: Floats
    fast: float
    reach: float
    centre: Floats

    @property
    def n_units(self) -> int:
        return int(self.weights.shape[1])

    @property
    def encode(self) -> npt.NDArray[np.bool_]:
        """Which units do, shape (n_units,)."""
        return np.asarray(self.bits_per_spike > 0)

    @property
    def directions(self) -> Floats:
        """Preferred directions in radians, shape (n_units,)."""
        return np.asarray(np.arctan2(self.weights[2], self.weights[1]))

    @property
    def depths(self) -> Floats:
        """Change of the log rate with the direction of a velocity of `fast`, shape (n_units,)."""
        return np.asarray(np.hypot(self.weights[1], self.weights[2]))

    def to_npz(self) -> bytes:
        file = io.BytesIO()
        np.savez(file, allow_pickle=False, **asdict(self))
        return file.getvalue()

    @classmethod
    def from_npz(cls, content: bytes) -> Neurons:
        """Read what `to_npz` has made.

        Raises
        ------
        ValueError, KeyError, OSError
            If it is something else.
        """
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {name: file[name] for name in cls.__dataclass_fields__}
        read: dict[str, Any] = {name: each[()] if each.ndim == 0 else each for name, each in arrays.items()}
        return cls(**read)


class Firing:
    """The spikes of one session.

    A unit whose lead is shorter than that of others fires so much later for the same intention.

    Parameters
    ----------
    neurons : Neurons
    rng : Generator
    position : bool
        Whether units fire for the cursor's position, too.
    dispersed : bool
        Whether counts vary beyond Poisson as they did in the recording.
    """

    def __init__(
        self, neurons: Neurons, rng: np.random.Generator, *, position: bool = False, dispersed: bool = False
    ) -> None:
        self._neurons = neurons
        self._rng = rng
        self._position = position
        lead = neurons.lead[neurons.encode]
        longest = int(np.percentile(lead, LEAD)) if len(lead) else 0
        self._late = np.clip(longest - neurons.lead, 0, longest)
        self._past = np.zeros((longest + 1, 3))
        self._shape = 1.0 / np.maximum(neurons.dispersion, 1e-9) if dispersed else None

    def fire(self, intended: Place, place: Place) -> Counts:
        """The counts of a bin, shape (n_units,).

        Parameters
        ----------
        intended : tuple of float
            Velocity, in length units per second.
        place : tuple of float
            The cursor's.
        """
        neurons, past = self._neurons, self._past
        past[1:] = past[:-1]
        vx, vy = intended[0] / neurons.fast, intended[1] / neurons.fast
        past[0] = vx, vy, (vx * vx + vy * vy) ** 0.5
        log_rate = neurons.weights[0] + np.einsum("fu,uf->u", neurons.weights[1:4], past[self._late])
        if self._position:
            log_rate += ((np.array(place) - neurons.centre) / neurons.reach) @ neurons.weights[4:]
        expected = np.exp(np.minimum(log_rate, neurons.ceiling))
        if self._shape is not None:
            expected *= self._rng.standard_gamma(self._shape) / self._shape
        return np.asarray(self._rng.poisson(expected))
