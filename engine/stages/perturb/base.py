"""What a perturbation model is, and the seeded draws that models share."""

from __future__ import annotations

import math
import zlib
from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
import param

from engine.bins.schema import Rows
from engine.stages.perturb.encoding import Encoding, PacketIds
from engine.tuned import Tuned

Floats = npt.NDArray[np.float32]
BLOCK = 64
"""Bins drawn at once: enough to pay for a generator, few enough not to make a tick late."""
MOST_EXPECTED = 500.0
"""Spikes in a bin: more than units fire."""
LONGEST = 1e6
"""Seconds, nearly 12 days: the bound of times within a session."""


class Draws:
    """Draws that depend on (seed, model, sequence number) alone.

    Parameters
    ----------
    seed : int
    model : str
    width : int
        Draws a bin: one a unit, or one alone.
    """

    def __init__(self, seed: int, model: str, width: int) -> None:
        self._key = (seed, zlib.crc32(model.encode()))
        self._width = width
        self._held: tuple[str, int] | None = None
        self._drawn: Floats = np.empty((0, width), np.float32)

    @cached_property
    def constant(self) -> Floats:
        """Standard normal draws that hold for the whole session, shape (width,)."""
        return self._generator(0).standard_normal(self._width, np.float32)

    @cached_property
    def places(self) -> npt.NDArray[np.intp]:
        """A permutation of 0 to width - 1 that holds for the whole session: everyone's place in a queue."""
        return np.argsort(self.constant)

    def normal(self, first: int, n: int) -> Floats:
        """Standard normal draws for sequence numbers `first` to `first` + n - 1, shape (n, width)."""
        return self._draw("standard_normal", first, n)

    def uniform(self, first: int, n: int) -> Floats:
        """The same from 0, included, to 1, excluded."""
        return self._draw("random", first, n)

    def _draw(self, kind: Literal["standard_normal", "random"], first: int, n: int) -> Floats:
        out = np.empty((n, self._width), np.float32)
        done = 0
        while done < n:
            block, start = divmod(first + done, BLOCK)
            if self._held != (kind, block):
                self._held = kind, block
                draw = getattr(self._generator(block + 1), kind)
                self._drawn = draw((BLOCK, self._width), np.float32)
            taken = min(BLOCK - start, n - done)
            out[done : done + taken] = self._drawn[start : start + taken]
            done += taken
        return out

    def _generator(self, number: int) -> np.random.Generator:
        return np.random.default_rng((*self._key, number))


class Model(Tuned):
    """One way to disturb a session; what a person can tune is declared with `param`.

    Parameters
    ----------
    seed : int
        Of the session.
    n_units : int
    bin_rate : float
        Bins per second, by which a sequence number becomes a time.
    """

    key: ClassVar[str]
    width: ClassVar[int | None] = None
    """Draws a bin; None for one a unit."""
    enabled = param.Boolean(default=False, doc="Whether the model acts.")

    def __init__(self, seed: int, n_units: int, bin_rate: float, **settings: Any) -> None:
        super().__init__(**settings)
        self.draws = Draws(seed, self.key, self.width or n_units)
        self.n_units = n_units
        self.bin_rate = bin_rate


class CountModel(Model):
    """One that changes spike counts."""

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
            At least 0, and not yet rounded.
        """
        raise NotImplementedError


class Instability(CountModel):
    """One that changes what units fire, as they change in recordings: it acts before the other models.

    Its counts have the expectation that its formula says, and are never below 0: spikes are taken by
    `thinned` and added by `poisson`, both of which leave Poisson counts Poisson.

    Attributes
    ----------
    encoding : Encoding or None
        How the units fire for movement; None where no recording tells, or it is not asked for.
    """

    uses_encoding: ClassVar[bool] = False
    needs_encoding: ClassVar[bool] = False
    encoding: Encoding | None = None

    def apply(self, counts: Floats, first: int, packet_ids: PacketIds | None = None) -> Floats:
        """Disturb counts; ``packet_ids``, shape (n,), are the places of the bins in the recording."""
        raise NotImplementedError


def poisson(uniform: npt.NDArray[Any], mean: npt.NDArray[Any]) -> Floats:
    """Poisson draws by inversion (Devroye 1986, Non-Uniform Random Variate Generation, chapter X.3).

    Parameters
    ----------
    uniform : ndarray
        Uniform draws from 0, included, to 1, excluded.
    mean : ndarray
        Of a shape that goes with it; taken as `MOST_EXPECTED` where it is more.

    Returns
    -------
    ndarray of float32
    """
    mean = np.minimum(mean, MOST_EXPECTED).astype(np.float64)
    probability = np.exp(-mean)
    beyond = uniform - probability  # what is left of each draw
    drawn = np.zeros(np.broadcast_shapes(uniform.shape, mean.shape), np.float32)
    most = math.ceil(float(mean.max(initial=0.0)) + 12 * math.sqrt(float(mean.max(initial=0.0))) + 12)
    for k in range(1, most):
        more = beyond >= 0
        if not more.any():
            break
        drawn += more
        probability = probability * mean / k
        beyond = beyond - probability
    return drawn


def thinned(uniform: npt.NDArray[Any], counts: Floats, kept: npt.NDArray[Any]) -> Floats:
    """Counts of which each spike is kept with a probability: binomial draws by inversion.

    Parameters
    ----------
    uniform : ndarray
        Uniform draws from 0, included, to 1, excluded.
    counts : ndarray of float32
        Whole numbers. More than `MOST_EXPECTED` are scaled, which is as good.
    kept : ndarray
        From 0 to 1.

    Returns
    -------
    ndarray of float32
    """
    kept = np.broadcast_to(kept, counts.shape).astype(np.float64)
    few = np.minimum(kept, 1 - kept)  # of the rarer fate there are fewer to count
    with np.errstate(under="ignore"):
        probability = (1 - few) ** counts
    beyond = uniform - probability
    rare = np.zeros(counts.shape, np.float32)
    for k in range(int(min(counts.max(initial=0.0), MOST_EXPECTED))):
        more = (beyond >= 0) & (rare < counts)
        if not more.any():
            break
        rare += more
        probability = probability * (counts - k) / (k + 1) * few / (1 - few)
        beyond = beyond - probability
    drawn = np.where(kept > 0.5, counts - rare, rare)
    scaled: Floats = np.where(counts > MOST_EXPECTED, counts * kept, drawn).astype(np.float32)
    return scaled


class DeliveryModel(Model):
    """One that changes whether and when packets reach decoders, whatever is in them."""

    width = 1

    def apply(self, rows: Rows, first: int) -> None:
        """Set the ``lost`` or the ``delay`` of rows in place.

        Parameters
        ----------
        rows : ndarray, shape (n,), dtype `engine.bins.schema.row_dtype`
        first : int
            Sequence number of the first row.
        """
        raise NotImplementedError


class Gradual(CountModel):
    """One that affects a fraction of something, one after the other.

    Its time is the sequence number in seconds. Whenever it is switched on, it acts as if it had been on
    from the session's first packet, so that nothing but the sequence number counts.
    """

    fraction = param.Number(default=0.2, bounds=(0.0, 1.0))
    onset = param.Number(
        default=0.0,
        bounds=(0.0, LONGEST),
        softbounds=(0.0, 600.0),
        doc="Onset, in seconds after the session's first packet.",
    )
    duration = param.Number(
        default=0.0,
        bounds=(0.0, LONGEST),
        softbounds=(0.0, 600.0),
        doc="Duration, in seconds; 0: all at once.",
    )

    def affected(self, total: int, first: int, n: int) -> npt.NDArray[np.intp]:
        """How many of `total` are affected, from none at the onset to the fraction after the duration.

        Returns
        -------
        ndarray of int, shape (n, 1)
            At sequence numbers `first` to `first` + n - 1.
        """
        since = np.arange(first, first + n)[:, None] / self.bin_rate - self.onset
        progress = np.clip(since / self.duration, 0, 1) if self.duration else since >= 0
        return np.floor(round(self.fraction * total) * progress + 0.5).astype(np.intp)
