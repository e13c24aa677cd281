"""Gaussian smoothing, and the noise that wanders as smoothly."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def smooth(signal: Floats, width: float) -> Floats:
    """A signal under a Gaussian; its end runs on into its beginning.

    Parameters
    ----------
    signal : ndarray, shape (n_samples, ...)
        Smoothed along the first axis.
    width : float
        Standard deviation of the Gaussian in samples.
    """
    frequency = np.fft.rfftfreq(len(signal))
    gain = np.exp(-0.5 * (2.0 * np.pi * width * frequency) ** 2)
    spectrum = np.fft.rfft(signal.T) * gain
    return np.asarray(np.fft.irfft(spectrum, len(signal)).T)


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], width: float, sd: float) -> Floats:
    """Independent columns of smoothed white noise.

    Parameters
    ----------
    shape : (int, int)
        Samples and columns.
    width : float
        Standard deviation of the Gaussian in samples.
    sd : float
        Standard deviation of each column, in the unit wanted.
    """
    noise = smooth(rng.standard_normal(shape), width)
    return np.asarray(noise * (sd / noise.std(axis=0)))
