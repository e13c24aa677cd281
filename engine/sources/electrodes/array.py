"""The array: voltages of all channels, block by block, and every spike that is in them."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.broadband import (
    BLOCK,
    SAMPLING_RATE,
    TROUGH,
    WAVEFORM,
    Counts16,
    Engine,
    Floats32,
    Samples,
    kernels,
)
from engine.errors import BadSetting
from engine.sources.electrodes.settings import Electrodes
from engine.sources.electrodes.shared import Shared
from engine.sources.electrodes.templates import templates
from engine.sources.electrodes.trains import Floats, Poisson, Spikes, Trains, Units

PACKAGE: Final = "engine.sources.electrodes"
AMPLIFIER: Final = 1.0
"""Noise of a dead channel, uV."""
GAINS: Final = (0.8, 1.2)
"""Least and most that a channel has of what all share."""


class Block(NamedTuple):
    """Voltages, and their truth.

    Attributes
    ----------
    first : int
        Index of the first sample.
    voltages : ndarray of int16, shape (n, n_channels)
        In counts of `Electrodes.microvolts_per_count`.
    spikes : Spikes
        Those that begin in the block: the sample of each trough, at most 0.4 ms after it, and the unit.
    """

    first: int
    voltages: Counts16
    spikes: Spikes


class ElectrodeArray:
    """Simulated electrodes. The same settings, trains and engine give the same samples, in any blocks.

    A channel is ``spikes + pink + thermal + gain (hum + common + artefacts)``. A spike of unit u at time t
    is its template times ``1 + jitter z``, z normal, times ``1 + drift sin(2 pi t / period + phase)``.

    Parameters
    ----------
    settings : Electrodes
    trains : Trains, optional
        Whose units are dealt to channels in turn. Without them units are drawn, and fire at random.
    engine : {"numba", "scipy"}, optional
    take : int
        Another one has the same electrodes and units, and other noise, jitter and random spikes.

    Attributes
    ----------
    channels : ndarray of int32, shape (n_units,)
        Of each unit.
    waveforms : ndarray of float32, shape (n_units, WAVEFORM)
        uV, at rest; the trough is at sample `TROUGH`.
    """

    def __init__(
        self,
        settings: Electrodes,
        trains: Trains | None = None,
        engine: Engine | None = None,
        take: int = 0,
    ) -> None:
        self.settings = settings
        self._kernels = kernels(PACKAGE, engine)
        of_noise, of_shared, _, of_trains, of_jitter = np.random.SeedSequence((settings.seed, take)).spawn(
            5
        )
        of_units = np.random.SeedSequence(settings.seed).spawn(5)[2]
        rng = np.random.default_rng(of_units)
        drawn = _deal(settings, rng) if trains is None else np.arange(trains.n_units) % settings.n_channels
        self.channels: Units = drawn.astype(np.int32)
        self._whole = _waveforms(settings, self.channels, rng)
        self._baselines = rng.uniform(*settings.baseline, self.n_units)
        self.directions: Floats = rng.uniform(-np.pi, np.pi, self.n_units)
        self._trains = trains if trains is not None else self._poisson(np.random.default_rng(of_trains))
        self._periods = settings.drift_period * SAMPLING_RATE * rng.uniform(0.5, 1.5, self.n_units)
        self._phases = rng.uniform(-np.pi, np.pi, self.n_units)
        self._jitter = np.random.default_rng(of_jitter)
        self._noise = self._kernels.Noise(of_noise, settings.n_channels)
        self._shared = Shared(settings, of_shared, self._kernels.Noise)
        self._all_gains = rng.uniform(*GAINS, settings.n_channels).astype(np.float32)
        self.change(settings)
        self._under_way = _Waves.none()
        self._first = 0

    @property
    def n_units(self) -> int:
        return len(self.channels)

    def change(self, settings: Electrodes) -> None:
        """Go on with other settings, which differ in what is no constant; no draw depends on those."""
        self.settings = settings
        self.waveforms = self._whole * ~np.isin(self.channels, settings.dead)[:, None]
        self._pink, self._thermal, self._gains = _levels(settings, self._all_gains)
        self._shared.change(settings)

    def intend(self, intention: npt.ArrayLike) -> None:
        """Set what units that fire at random fire for, from the next 10 ms on.

        Parameters
        ----------
        intention : array of float, shape (2,) or (n_channels,)
            A direction, of length 1 at most: a unit's modulation is its length times the cosine of its
            angle to the unit's preferred direction (Georgopoulos et al. 1982, Journal of Neuroscience 2,
            1527-1537). Or the modulation of each channel's units, -1 to 1.

        Raises
        ------
        BadSetting
            If it has another shape, or the spikes are those of a recording.
        """
        if not isinstance(self._trains, Poisson):
            raise BadSetting("These units fire as in their recording. Leave the intention out.")
        wanted, n_channels = np.asarray(intention, np.float64), self.settings.n_channels
        if wanted.shape == (2,):
            wanted = wanted / max(np.hypot(*wanted), 1.0)
            modulation = np.cos(self.directions) * wanted[0] + np.sin(self.directions) * wanted[1]
        elif wanted.shape == (n_channels,):
            modulation = wanted[self.channels]
        else:
            raise BadSetting(
                f"An intention is a direction, two numbers, or one for each of {n_channels} channels, "
                f"not an array of shape {wanted.shape}."
            )
        self._trains.intend(modulation)

    def read(self, n: int = BLOCK) -> Block:
        """The next `n` samples."""
        first, self._first = self._first, self._first + n
        voltages = np.empty((n, self.settings.n_channels), np.float32)
        self._noise.fill(voltages, self._pink, self._thermal, self._shared.read(n), self._gains)
        spikes = self._trains.take(first + n + TROUGH)
        self._under_way = waves = self._under_way.and_those(self._waves(spikes))
        self._kernels.add_spikes(voltages, first, *waves)
        self._under_way = waves.after(self._first)
        for one, other in self.settings.shorted:
            both = (voltages[:, one] + voltages[:, other]) / 2
            voltages[:, one] = voltages[:, other] = both
        counts = np.empty(voltages.shape, np.int16)
        self._kernels.quantize(voltages, 1 / self.settings.microvolts_per_count, counts)
        return Block(first, counts, spikes)

    def _waves(self, spikes: Spikes) -> _Waves:
        samples, units = spikes
        settings = self.settings
        angle = 2 * np.pi * samples / self._periods[units] + self._phases[units]
        size = 1 + settings.drift * np.sin(angle)
        size *= np.maximum(1 + settings.amplitude_jitter * self._jitter.standard_normal(len(units)), 0)
        waveforms = self.waveforms[units] * size[:, None].astype(np.float32)
        return _Waves(samples - TROUGH, self.channels[units], waveforms)

    def _poisson(self, rng: np.random.Generator) -> Poisson:
        return Poisson(self._baselines, self.settings.modulation, self.settings.ceiling, rng)


class _Waves(NamedTuple):
    """Spikes that are added: the first sample of each, its channel and its waveform."""

    onsets: Samples
    channels: Units
    waveforms: Floats32

    @classmethod
    def none(cls) -> _Waves:
        return cls(np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros((0, WAVEFORM), np.float32))

    def and_those(self, more: _Waves) -> _Waves:
        return _Waves(
            np.concatenate([self.onsets, more.onsets]),
            np.concatenate([self.channels, more.channels]),
            np.concatenate([self.waveforms, more.waveforms]),
        )

    def after(self, sample: int) -> _Waves:
        """Those that are not over at a sample."""
        left = self.onsets + WAVEFORM > sample
        return _Waves(self.onsets[left], self.channels[left], self.waveforms[left])


def _deal(settings: Electrodes, rng: np.random.Generator) -> npt.NDArray[np.intp]:
    """The channel of each unit: one a channel in turn, until each has its number."""
    fewest, most = map(int, settings.units_per_channel)
    numbers = rng.integers(fewest, most, settings.n_channels, endpoint=True)
    return np.concatenate([np.flatnonzero(numbers > k) for k in range(most)] or [np.zeros(0, np.intp)])


def _waveforms(settings: Electrodes, channels: Units, rng: np.random.Generator) -> Floats32:
    """Of each unit, uV: units of a channel take different shapes, as far as there are that many."""
    shapes = templates()
    amplitudes = rng.uniform(*settings.amplitude, len(channels)).astype(np.float32)
    order = rng.permuted(np.tile(np.arange(len(shapes)), (settings.n_channels, 1)), axis=1)
    place = np.array([(channels[:u] == channel).sum() for u, channel in enumerate(channels)], np.intp)
    return np.asarray(shapes[order[channels, place % len(shapes)]] * amplitudes[:, None])


def _levels(settings: Electrodes, gains: Floats32) -> tuple[Floats32, Floats32, Floats32]:
    """Pink and thermal noise of each channel, uV, and what it has of what all share."""
    n = settings.n_channels
    pink, thermal = np.full(n, settings.pink, np.float32), np.full(n, settings.thermal, np.float32)
    gains = gains.copy()
    thermal[settings.noisy] = np.hypot(settings.thermal, settings.noisy_level)
    pink[settings.dead] = gains[settings.dead] = 0.0
    thermal[settings.dead] = AMPLIFIER
    return pink, thermal, gains
