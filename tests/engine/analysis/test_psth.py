"""Rates around an event, over trials."""

from __future__ import annotations

import numpy as np
from scipy import ndimage, stats

from engine.analysis import psth, smooth

RANDOM = np.random.default_rng(1)
COUNTS = RANDOM.poisson(1.5, (30, 50)).astype(np.float32)


def test_mean_and_error_are_those_of_the_trials() -> None:
    found = psth(COUNTS, 0.02)
    np.testing.assert_allclose(found.mean, COUNTS.mean(axis=0) / 0.02, rtol=1e-6)
    np.testing.assert_allclose(found.sem, stats.sem(COUNTS / 0.02, axis=0), rtol=1e-5)
    assert (found.n == 30).all()


def test_missing_bins_do_not_count_as_silence() -> None:
    counts = COUNTS.copy()
    counts[:20, 10] = np.nan
    counts[:29, 11] = np.nan
    counts[:, 12] = np.nan
    found = psth(counts, 0.02)
    np.testing.assert_allclose(
        found.mean[10:12], [COUNTS[20:, 10].mean() / 0.02, COUNTS[29, 11] / 0.02], rtol=1e-6
    )
    assert np.isnan(found.sem[11:13]).all()
    assert np.isnan(found.mean[12])
    assert found.n[10:13].tolist() == [10, 1, 0]


def test_smoothing_is_a_gaussian() -> None:
    inner = slice(10, -10)  # away from the ends, where scipy has other rules
    expected = ndimage.gaussian_filter1d(COUNTS.astype(float), 2.0, axis=1, truncate=3.0)
    np.testing.assert_allclose(smooth(COUNTS, 2.0)[:, inner], expected[:, inner], rtol=1e-9)


def test_smoothing_keeps_a_constant_next_to_what_is_missing() -> None:
    flat = np.full((1, 40), 3.0)
    flat[0, 15:25] = np.nan
    np.testing.assert_allclose(smooth(flat, 4.0), flat)


def test_smoothing_with_a_kernel_longer_than_the_window_is_finite() -> None:
    assert np.isfinite(smooth(COUNTS[:, :3], 10.0)).all()


def test_several_units_are_done_at_once() -> None:
    both = np.stack([COUNTS, 2 * COUNTS], axis=2)
    found = psth(both, 0.02, 0.04)
    np.testing.assert_allclose(found.mean[:, 1], 2 * psth(COUNTS, 0.02, 0.04).mean)
