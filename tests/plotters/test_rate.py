from __future__ import annotations

import numpy as np
import pytest

from plotters.base import Scene
from plotters.rate import Rate
from tests.builders import play, small_recording
from tests.plotters.playing import columns, news_of, properties

WINDOW = 10
"""Bins of 25 ms in 250 ms."""


def test_rates_are_spikes_per_second_and_unit() -> None:
    recording = small_recording(n_units=4)
    made = columns(Rate(Scene(recording)).update(news_of(recording, play(recording, range(60)), n_new=5)))
    np.testing.assert_allclose(made["trace", "raw"], recording.counts[55:60].mean(axis=1) * 40)
    expected = [recording.counts[i + 1 - WINDOW : i + 1].mean() * 40 for i in range(55, 60)]
    np.testing.assert_allclose(made["trace", "smooth"], expected)


@pytest.mark.parametrize("n_new", [1, 7, 60])
def test_the_lines_do_not_depend_on_how_many_bins_a_frame_brings(n_new: int) -> None:
    recording = small_recording(n_units=3, gaps=True)
    rows = play(recording, range(180))
    rate = Rate(Scene(recording))
    whole = columns(rate.update(news_of(recording, rows)))
    parts = [
        columns(rate.update(news_of(recording, rows[:end], n_new))) for end in range(n_new, 181, n_new)
    ]
    for name in ("raw", "smooth"):
        joined = np.concatenate([part["trace", name] for part in parts])
        np.testing.assert_array_equal(joined, whole["trace", name][: len(joined)])


def test_bins_that_were_not_observed_are_gaps_and_count_for_nothing() -> None:
    recording = small_recording(n_units=4, gaps=True)
    rows = play(recording, range(60))
    made = columns(Rate(Scene(recording)).update(news_of(recording, rows)))
    for name in ("raw", "smooth"):
        assert np.flatnonzero(np.isnan(made["trace", name])).tolist() == list(range(40, 50))
    assert made["trace", "smooth"][50] == made["trace", "raw"][50]  # nothing else lies within 250 ms


def test_bins_that_were_lost_are_gaps_and_count_for_nothing() -> None:
    recording = small_recording(n_units=4)
    rows = play(recording, range(60))
    rows["lost"][40:50] = True
    made = columns(Rate(Scene(recording)).update(news_of(recording, rows)))
    for name in ("raw", "smooth"):
        assert np.flatnonzero(np.isnan(made["trace", name])).tolist() == list(range(40, 50))
    assert made["trace", "smooth"][50] == made["trace", "raw"][50]  # nothing else lies within 250 ms


def test_short_bins_share_a_column() -> None:
    recording = small_recording(n_bins=4000, bin_rate=1000.0)
    made = columns(Rate(Scene(recording)).update(news_of(recording, play(recording, range(400)), n_new=40)))
    expected = recording.counts[360:400].reshape(2, -1).mean(axis=1) * 1000
    np.testing.assert_allclose(made["trace", "raw"], expected, rtol=1e-6)


def test_the_axis_grows_at_once_and_shrinks_later() -> None:
    recording = small_recording(n_units=4, n_bins=400)
    rate = Rate(Scene(recording))
    rows = play(recording, range(201))
    assert (
        properties(rate.update(news_of(recording, rows[:181], n_new=1)))["range"]["end"] == 70
    )  # of 60 Hz
    rows["counts"][190] = 100
    assert properties(rate.update(news_of(recording, rows[:190], n_new=1))) == {}
    end = properties(rate.update(news_of(recording, rows[:191], n_new=1)))["range"]["end"]
    assert end > 100 * 40
    assert properties(rate.start(news_of(recording, rows[:191])))["range"]["end"] == end
    later = play(recording, range(181))
    assert properties(rate.update(news_of(recording, later, n_new=1)))["range"]["end"] == 70
