from __future__ import annotations

import numpy as np

from plotters.base import Scene
from plotters.timing import EDGES, HIGH, LOW, Timing
from tests.builders import play, small_recording
from tests.plotters.playing import columns, news_of


def test_delays_are_in_milliseconds() -> None:
    recording = small_recording()
    rows = play(recording, range(20))
    rows["lateness"] = np.arange(1, 21) / 1000
    made = columns(Timing(Scene(recording)).update(news_of(recording, rows, n_new=3, sent=0.0005)))
    np.testing.assert_allclose(made["trace", "tick"], [18, 19, 20], rtol=1e-6)
    np.testing.assert_allclose(made["trace", "sent"], [0.5] * 3, rtol=1e-6)


def test_without_decoders_nothing_was_sent() -> None:
    recording = small_recording()
    made = columns(Timing(Scene(recording)).start(news_of(recording, play(recording, range(20)))))
    assert np.isnan(made["trace", "sent"]).all()
    assert np.isnan(made["histogram", "sent"]).all()


def test_what_lies_beyond_the_axis_is_shown_at_its_ends() -> None:
    recording = small_recording()
    rows = play(recording, range(3))
    rows["lateness"] = [0.0, 0.001, 30.0]
    made = columns(Timing(Scene(recording)).update(news_of(recording, rows)))
    np.testing.assert_allclose(made["trace", "tick"], [LOW, 1.0, HIGH])
    assert np.isfinite(made["histogram", "tick"][[0, -1]]).all()


def test_histograms_count_what_is_on_screen_and_come_four_times_a_second() -> None:
    recording = small_recording(n_bins=1000)
    rows = play(recording, range(600))
    rows["lateness"][:200] = 0.5  # has left the screen
    rows["lateness"][200:500] = 0.0003
    rows["lateness"][500:] = 0.003
    timing = Timing(Scene(recording))
    bars = columns(timing.start(news_of(recording, rows)))["histogram", "tick"]
    often, seldom = np.searchsorted(EDGES, [0.3, 3.0]) - 1
    assert np.flatnonzero(np.isfinite(bars)).tolist() == [often, seldom]
    assert bars[often] == 3 * bars[seldom]
    came = [
        n
        for n in range(1, 60)
        if ("histogram", "tick") in columns(timing.update(news_of(recording, rows[:n], n_new=1)))
    ]
    assert came == list(range(1, 60, 10))


def test_the_highest_of_short_bins_stands_for_their_column() -> None:
    recording = small_recording(n_bins=4000, bin_rate=1000.0)
    rows = play(recording, range(40))
    rows["lateness"] = np.arange(40) / 1000
    made = columns(Timing(Scene(recording)).update(news_of(recording, rows)))
    np.testing.assert_allclose(made["trace", "tick"], [19, 39], rtol=1e-6)
