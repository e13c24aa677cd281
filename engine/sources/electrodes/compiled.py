"""The inner loops of simulated electrodes, compiled by numba: all channels of a sample side by side.

Importing this compiles it, or loads what was compiled before. Numba tells by this file's time alone whether
that is still good: touch it after a change of a constant that is imported here.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit, uint32

from engine.broadband import Counts16, Floats32, Samples
from engine.sources.electrodes.pink import DELAYED, DIRECT, GAINS, POLES, rms
from engine.sources.electrodes.trains import Units

A0, A1, A2, A3, A4, A5 = (np.float32(each) for each in POLES)
B0, B1, B2, B3, B4, B5 = (np.float32(each) for each in GAINS)
D, D1 = np.float32(DIRECT), np.float32(DELAYED)
TWO_BITS, FOUR_BITS, BYTES = np.uint32(0x33333333), np.uint32(0x0F0F0F0F), np.uint32(0x00FF00FF)
ONES, ONES_16 = np.uint32(0x01010101), np.uint32(0x00010001)  # times these: the sum, in the highest part
PINK_MEAN, THERMAL_MEAN = np.float32(16 * 1.5), np.float32(4 * 127.5)
PINK_RMS: Final = (16 * (4**2 - 1) / 12) ** 0.5
THERMAL_RMS: Final = (4 * (256**2 - 1) / 12) ** 0.5
TILE: Final = 128
"""Channels at once. Their states are side by side: rows of 4 kB would drive each other from the cache."""


class Noise:
    """Pink noise and thermal noise, each channel by itself.

    Draws are nearly normal, as sums of 16 numbers of two bits, and of four bytes. The bits are those of
    xoshiro128++ (Blackman and Vigna 2021, ACM Transactions on Mathematical Software 47, 36).

    Parameters
    ----------
    seed : SeedSequence
    n_channels : int
    """

    def __init__(self, seed: np.random.SeedSequence, n_channels: int) -> None:
        n_tiles = -(-n_channels // TILE)
        self._words = seed.generate_state(n_tiles * 4 * TILE).reshape(n_tiles, 4, TILE)
        self._states = np.zeros((n_tiles, 7, TILE), np.float32)
        self._pink = np.float32(1 / (PINK_RMS * rms()))
        self._thermal = np.float32(1 / THERMAL_RMS)

    def fill(
        self, out: Floats32, pink: Floats32, thermal: Floats32, shared: Floats32, gains: Floats32
    ) -> None:
        """Write the next samples, shape (n, n_channels).

        Parameters
        ----------
        pink, thermal, gains : ndarray of float32, shape (n_channels,)
            Root mean squares, and what a channel has of what all share.
        shared : ndarray of float32, shape (n,)
        """
        pink, thermal = pink * self._pink, thermal * self._thermal
        _noise(out, self._words, self._states, pink, thermal, shared, gains)


def add_spikes(out: Floats32, first: int, onsets: Samples, channels: Units, waveforms: Floats32) -> None:
    """Add spikes, or what of them lies in the samples from `first` on.

    Parameters
    ----------
    out : ndarray of float32, shape (n_samples, n_channels)
    onsets, channels : ndarray, shape (n,)
    waveforms : ndarray of float32, shape (n, n_waveform)
    """
    _add_spikes(out, first, onsets, channels, waveforms)


def quantize(voltages: Floats32, counts_per_microvolt: float, out: Counts16) -> None:
    """Round to whole counts, clipped to those of int16."""
    _quantize(voltages, np.float32(counts_per_microvolt), out)


@njit(
    "void(f4[:,::1], u4[:,:,::1], f4[:,:,::1], f4[::1], f4[::1], f4[::1], f4[::1])", nogil=True, cache=True
)
def _noise(out, words, states, pink, thermal, shared, gains):
    n, width = out.shape
    for tile in range(len(words)):
        begin = tile * TILE
        for i in range(n):
            common = shared[i]
            for k in range(min(TILE, width - begin)):
                c = begin + k
                s0, s1, s2, s3 = words[tile, 0, k], words[tile, 1, k], words[tile, 2, k], words[tile, 3, k]
                r = uint32(s0 + s3)
                first = uint32(uint32((r << uint32(7)) | (r >> uint32(25))) + s0)
                t = uint32(s1 << uint32(9))
                s2, s3 = uint32(s2 ^ s0), uint32(s3 ^ s1)
                s1, s0, s2 = uint32(s1 ^ s2), uint32(s0 ^ s3), uint32(s2 ^ t)
                s3 = uint32((s3 << uint32(11)) | (s3 >> uint32(21)))
                r = uint32(s0 + s3)
                second = uint32(uint32((r << uint32(7)) | (r >> uint32(25))) + s0)
                t = uint32(s1 << uint32(9))
                s2, s3 = uint32(s2 ^ s0), uint32(s3 ^ s1)
                s1, s0, s2 = uint32(s1 ^ s2), uint32(s0 ^ s3), uint32(s2 ^ t)
                s3 = uint32((s3 << uint32(11)) | (s3 >> uint32(21)))
                words[tile, 0, k], words[tile, 1, k], words[tile, 2, k], words[tile, 3, k] = s0, s1, s2, s3

                fours = uint32((first & TWO_BITS) + ((first >> uint32(2)) & TWO_BITS))
                eights = uint32((fours & FOUR_BITS) + ((fours >> uint32(4)) & FOUR_BITS))
                white = np.float32(np.int32(uint32(eights * ONES) >> uint32(24))) - PINK_MEAN
                halves = uint32((second & BYTES) + ((second >> uint32(8)) & BYTES))
                hiss = np.float32(np.int32(uint32(halves * ONES_16) >> uint32(16))) - THERMAL_MEAN
                p0 = A0 * states[tile, 0, k] + B0 * white
                p1 = A1 * states[tile, 1, k] + B1 * white
                p2 = A2 * states[tile, 2, k] + B2 * white
                p3 = A3 * states[tile, 3, k] + B3 * white
                p4 = A4 * states[tile, 4, k] + B4 * white
                p5 = A5 * states[tile, 5, k] + B5 * white
                sloped = p0 + p1 + p2 + p3 + p4 + p5 + states[tile, 6, k] + D * white
                states[tile, 0, k], states[tile, 1, k], states[tile, 2, k] = p0, p1, p2
                states[tile, 3, k], states[tile, 4, k], states[tile, 5, k] = p3, p4, p5
                states[tile, 6, k] = D1 * white
                out[i, c] = pink[c] * sloped + thermal[c] * hiss + gains[c] * common


@njit("void(f4[:,::1], i8, i8[::1], i4[::1], f4[:,::1])", nogil=True, cache=True)
def _add_spikes(out, first, onsets, channels, waveforms):
    n, length = out.shape[0], waveforms.shape[1]
    for k in range(len(onsets)):
        start = onsets[k] - first
        for i in range(max(start, 0), min(start + length, n)):
            out[i, channels[k]] += waveforms[k, i - start]


@njit("void(f4[:,::1], f4, i2[:,::1])", nogil=True, cache=True)
def _quantize(voltages, scale, out):
    low, high = np.float32(-32768), np.float32(32767)
    for i in range(voltages.shape[0]):
        for c in range(voltages.shape[1]):
            value = min(max(np.rint(voltages[i, c] * scale), low), high)
            out[i, c] = np.int16(value)
