"""The inner loops of simulated electrodes by numpy and scipy: other draws than `compiled`, and slower."""

from __future__ import annotations

import numpy as np
from scipy import signal

from engine.broadband import Counts16, Floats32, Samples
from engine.sources.electrodes.pink import rms, sections
from engine.sources.electrodes.trains import Units


class Noise:
    """Pink noise and thermal noise, both of normal draws.

    Parameters
    ----------
    seed : SeedSequence
    n_channels : int
    """

    def __init__(self, seed: np.random.SeedSequence, n_channels: int) -> None:
        self._pink, self._thermal = (np.random.Generator(np.random.SFC64(each)) for each in seed.spawn(2))
        self._sections = sections()
        self._state = np.zeros((len(self._sections), 2, n_channels), np.float32)
        self._scale = np.float32(1 / rms())

    def fill(
        self, out: Floats32, pink: Floats32, thermal: Floats32, shared: Floats32, gains: Floats32
    ) -> None:
        """Write the next samples, shape (n, n_channels); see `compiled`."""
        white = self._pink.standard_normal(out.shape, np.float32)
        sloped, self._state = signal.sosfilt(self._sections, white, axis=0, zi=self._state)
        np.multiply(sloped, pink * self._scale, out=out)
        out += self._thermal.standard_normal(out.shape, np.float32) * thermal
        out += shared[:, None] * gains


def add_spikes(out: Floats32, first: int, onsets: Samples, channels: Units, waveforms: Floats32) -> None:
    """Add spikes, or what of them lies in the samples from `first` on; see `compiled`."""
    n, length = len(out), waveforms.shape[1]
    starts = (onsets - first).tolist()
    for start, channel, waveform in zip(starts, channels.tolist(), waveforms, strict=True):
        begin, end = max(start, 0), min(start + length, n)
        if begin < end:
            out[begin:end, channel] += waveform[begin - start : end - start]


def quantize(voltages: Floats32, counts_per_microvolt: float, out: Counts16) -> None:
    """Round to whole counts, clipped to those of int16."""
    scaled = voltages * np.float32(counts_per_microvolt)
    np.rint(scaled, out=scaled)
    np.clip(scaled, -32768, 32767, out=scaled)
    out[:] = scaled
