"""Spikes of a bin are those that it counts, at their own times."""

from __future__ import annotations

import numpy as np
import pytest

from engine.sources.recordings.binning import count_spikes, grid_over
from engine.sources.recordings.spike_times import SpikeTimes


@pytest.mark.parametrize("rate", [40.0, 33.3333])
def test_bins_have_as_many_spikes_as_they_count_at_their_own_times(rate: float) -> None:
    rng = np.random.default_rng(0)
    trains = [np.sort(rng.uniform(3.21, 9.0, n)) for n in (300, 0, 50)]
    times, bounds = np.concatenate(trains), np.cumsum([0, 300, 0, 50])
    grid = grid_over(rate, [times.min(), times.max()])
    spikes = SpikeTimes.of(times, bounds, grid)
    counts = count_spikes(times, bounds, grid)
    back = []
    for index in range(grid.n_bins):
        seconds, units = spikes.within(index)
        np.testing.assert_array_equal(np.bincount(units, minlength=3), counts[:, index])
        assert (seconds > -1e-6).all()
        assert (seconds < 1 / rate + 1e-6).all()
        back.append(grid.starts[index] + seconds)
    np.testing.assert_allclose(np.concatenate(back), np.sort(times), atol=1e-6)
