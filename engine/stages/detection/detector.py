"""The detector: voltages in blocks of any size, spikes, waveforms and features per bin out of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import signal

from engine.bins.ticks import as_rate
from engine.broadband import (
    BLOCK,
    SAMPLING_RATE,
    TROUGH,
    WAVEFORM,
    Counts16,
    Engine,
    Floats32,
    Samples,
    first_sample,
    kernels,
)
from engine.errors import BadSetting
from engine.stages.detection.components import Components
from engine.stages.detection.found import BinFeatures, Channels, Found, Waveforms
from engine.stages.detection.noise import WINDOW, NoiseLevel
from engine.stages.detection.settings import Detection

PACKAGE: Final = "engine.stages.detection"
SEARCH: Final = 18
"""Samples from a crossing on in which its trough is sought: 0.6 ms."""
AFTER: Final = SEARCH + WAVEFORM - TROUGH
"""Samples after a crossing that its waveform may need."""
HISTORY: Final = AFTER + TROUGH
"""Samples that are kept for it."""


class Detector:
    """Finds spikes. All state is carried over, so that blocks of any size give the same spikes.

    Voltages go through a causal Butterworth band-pass of order 4 (two pairs of poles), from which the mean
    of all channels is taken if `reference` is set. A spike begins where a channel falls below ``-k`` times
    its noise, at least 1 ms after the one before; none is found in the first 0.2 s, from which the noise is
    known.

    Parameters
    ----------
    n_channels : int
    microvolts_per_count : float
        Of the voltages.
    settings : Detection, optional
        Its own: `tune` changes them.
    bin_rate : float
        Bins per second.
    engine : {"numba", "scipy"}, optional

    Attributes
    ----------
    missing : ndarray of bool, shape (n_channels,)
        Channels that are left out.
    """

    def __init__(
        self,
        n_channels: int,
        microvolts_per_count: float,
        settings: Detection | None = None,
        bin_rate: float = 40.0,
        engine: Engine | None = None,
    ) -> None:
        self.settings = settings or Detection()
        self.missing = self._left_out(self.settings, n_channels)
        self.components = Components(
            self.settings.n_components, self.settings.components, self.settings.fitted_on
        )
        self._kernels = kernels(PACKAGE, engine)
        self._band = self._kernels.BandPass(sections(self.settings), n_channels)
        self._scale, self._rate = microvolts_per_count, as_rate(bin_rate)
        self._level = NoiseLevel(n_channels)
        self._thresholds = np.full(n_channels, -np.inf, np.float32)
        self._own = self._by_hand(self.settings)
        self._recent = np.zeros((HISTORY + BLOCK, n_channels), np.float32)
        self._last = np.full(n_channels, -SAMPLING_RATE, np.int64)
        self._pending: tuple[Samples, Channels] = (np.zeros(0, np.int64), np.zeros(0, np.int32))
        self._first = self._bin = 0
        self._counts = np.zeros(n_channels, np.int64)
        self._energy = np.zeros(n_channels, np.float32)
        self._scores = np.zeros((n_channels, self.settings.n_components))
        self._scored = np.zeros(n_channels, np.int64)

    @property
    def noise(self) -> Floats32:
        """Standard deviation of each channel's noise, uV, shape (n_channels,); at first infinite."""
        return self._level.level

    @property
    def thresholds(self) -> Floats32:
        """Of each channel, uV, shape (n_channels,); minus infinity where nothing can be found."""
        return self._thresholds

    def tune(self, settings: Mapping[str, Any]) -> None:
        """Change settings, from the next sample on.

        Raises
        ------
        BadSetting
            If one is unknown, constant or out of bounds; then nothing has changed.
        """
        changed = self.settings.changed(settings)
        own, missing = self._by_hand(changed), self._left_out(changed, len(self.missing))
        self.settings, self._own, self.missing = changed, own, missing
        self._set_thresholds()

    def process(self, voltages: Counts16, there: npt.NDArray[np.bool_] | None = None) -> Found:
        """Find the spikes of the next samples.

        Parameters
        ----------
        voltages : ndarray of int16, shape (n, n_channels)
        there : ndarray of bool, shape (n,), optional
            Samples that were recorded; in the others nothing is found, and they tell nothing of the noise.

        Raises
        ------
        BadSetting
            If there are more or fewer channels.
        """
        if voltages.ndim != 2 or voltages.shape[1] != len(self.missing):
            raise BadSetting(
                f"Voltages have shape (n, {len(self.missing)}), not {voltages.shape}. "
                "Make a detector for so many channels."
            )
        voltages = np.ascontiguousarray(voltages, np.int16)
        crossings: list[tuple[Samples, Channels]] = [(np.zeros(0, np.int64), np.zeros(0, np.int32))]
        completed = [Waveforms.none(self.settings.n_components)]
        bins: list[BinFeatures] = []
        turns = np.flatnonzero(np.diff(there)) + 1 if there is not None else np.zeros(0, np.intp)
        until = iter([*turns.tolist(), len(voltages)])
        done, stop = 0, next(until)
        while done < len(voltages):
            end = first_sample(self._bin + 1, self._rate)
            n = min(stop - done, BLOCK, self._level.left, end - self._first)
            found, waveforms = self._part(voltages[done : done + n], there is None or bool(there[done]))
            crossings.append(found)
            completed.append(waveforms)
            if self._first == end:
                bins.append(self._end_bin())
            done += n
            stop = next(until) if done == stop < len(voltages) else stop
        samples, channels = (np.concatenate(each) for each in zip(*crossings, strict=True))
        joined = Waveforms(*(np.concatenate(each) for each in zip(*completed, strict=True)))
        return Found(samples, channels, joined, tuple(bins))

    def _part(self, voltages: Counts16, there: bool) -> tuple[tuple[Samples, Channels], Waveforms]:
        """Find in samples that are of one bin and have the same thresholds, if they were recorded."""
        first, n = self._first, len(voltages)
        filtered = self._recent[HISTORY : HISTORY + n]
        self._band.run(voltages, self._scale, filtered)
        if self.settings.reference:
            self._kernels.subtract_mean(filtered, ~self.missing)
        self._kernels.add_squares(filtered, self._energy)
        before = self._recent[HISTORY - 1]
        thresholds = self._thresholds if there else np.full_like(self._thresholds, -np.inf)
        samples, channels = self._kernels.cross(filtered, before, thresholds, first, self._last)
        self._counts += np.bincount(channels, minlength=len(self._counts))
        if there:
            self._level.add(filtered, self.settings.time_constant)
            if self._level.left == WINDOW:
                self._set_thresholds()
        self._first += n
        waveforms = self._complete(samples, channels, first - HISTORY)
        self._recent[:HISTORY] = self._recent[n : n + HISTORY]
        return (samples, channels), waveforms

    def _complete(self, samples: Samples, channels: Channels, oldest: int) -> Waveforms:
        """Take the waveforms that are over out of those that were not, and of new crossings."""
        samples = np.concatenate([self._pending[0], samples])
        channels = np.concatenate([self._pending[1], channels])
        n = int(np.searchsorted(samples, self._first - AFTER, "right"))
        self._pending = samples[n:], channels[n:]
        if not n:
            return Waveforms.none(self.settings.n_components)
        samples, channels = samples[:n], channels[:n]
        columns = channels[:, None]
        places = samples - oldest
        lowest = self._recent[places[:, None] + np.arange(SEARCH), columns].argmin(axis=1)
        begins = places + lowest - TROUGH
        values = self._recent[begins[:, None] + np.arange(WAVEFORM), columns]
        scores = self.components.add(values)
        known = ~np.isnan(scores[:, 0])
        np.add.at(self._scores, channels[known], scores[known])
        self._scored += np.bincount(channels[known], minlength=len(self._scored))
        return Waveforms(samples, samples + lowest, channels, values, scores)

    def _end_bin(self) -> BinFeatures:
        begin, end = (first_sample(each, self._rate) for each in (self._bin, self._bin + 1))
        means = self._scores / np.maximum(self._scored, 1)[:, None]
        features = np.column_stack([self._counts, self._energy / (end - begin), means]).astype(np.float32)
        features[self.missing] = np.nan
        over = BinFeatures(self._bin, self._counts.copy(), features)
        self._bin += 1
        for sums in (self._counts, self._energy, self._scores, self._scored):
            sums[:] = 0
        return over

    @staticmethod
    def _left_out(settings: Detection, n_channels: int) -> npt.NDArray[np.bool_]:
        missing = np.zeros(n_channels, np.bool_)
        for channel in settings.missing:
            missing[_known(channel, n_channels)] = True
        return missing

    def _by_hand(self, settings: Detection) -> Floats32:
        """Thresholds, uV, shape (n_channels,); NaN where the noise sets them."""
        own = np.full(len(self.missing), np.nan, np.float32)
        for channel, level in settings.thresholds:
            own[_known(channel, len(own))] = level
        return own

    def _set_thresholds(self) -> None:
        by_noise = -self.settings.k * self._level.level
        chosen = np.where(np.isnan(self._own), by_noise, self._own)
        self._thresholds = np.where(self.missing, -np.inf, chosen).astype(np.float32)


def _known(channel: int, n_channels: int) -> int:
    if channel not in range(n_channels):
        raise BadSetting(f"Unknown channel {channel}. There are 0 to {n_channels - 1}.")
    return channel


def sections(settings: Detection) -> npt.NDArray[np.float64]:
    """The band-pass as second-order sections, shape (2, 6)."""
    band = (settings.low, settings.high)
    return np.asarray(signal.butter(2, band, "bandpass", fs=SAMPLING_RATE, output="sos"))
