from __future__ import annotations

import numpy as np
import pytest

from plotters.base import Scene
from plotters.kinematics import Traces
from plotters.position import Position
from plotters.velocity import Velocity
from tests.builders import play, small_recording
from tests.plotters.playing import columns, news_of

PLOTTERS = pytest.mark.parametrize(("plotter", "first"), [(Position, 0), (Velocity, 2)])


@PLOTTERS
def test_each_new_bin_is_a_point_of_either_line(plotter: type[Traces], first: int) -> None:
    recording = small_recording()
    news = news_of(recording, play(recording, range(20, 60)), n_new=3)
    made = columns(plotter(Scene(recording)).update(news))
    np.testing.assert_array_equal(made["trace", "x"], recording.kinematics[57:60, first])
    np.testing.assert_array_equal(made["trace", "y"], recording.kinematics[57:60, first + 1])


@PLOTTERS
def test_what_is_unknown_is_a_gap(plotter: type[Traces], first: int) -> None:
    recording = small_recording(gaps=True)  # of every 50 bins, the last 10 are unknown
    made = columns(plotter(Scene(recording)).update(news_of(recording, play(recording, range(60)))))
    assert np.flatnonzero(np.isnan(made["trace", "x"])).tolist() == [
        0,
        *range(40, 50),
    ]  # the first is a jump


@PLOTTERS
def test_a_line_is_broken_where_the_replay_jumped(plotter: type[Traces], first: int) -> None:
    recording = small_recording()
    rows = play(recording, [*range(10), *range(120, 130)])
    made = columns(plotter(Scene(recording)).update(news_of(recording, rows, n_new=15)))
    assert np.flatnonzero(np.isnan(made["trace", "y"])).tolist() == [5]
    np.testing.assert_array_equal(made["trace", "y"][6:], recording.kinematics[121:130, first + 1])


@PLOTTERS
def test_short_bins_share_a_column_that_has_the_last_of_them(plotter: type[Traces], first: int) -> None:
    recording = small_recording(n_bins=4000, bin_rate=1000.0)
    assert Scene(recording).bins_per_column == 20
    news = news_of(recording, play(recording, range(200)), n_new=60)
    made = columns(plotter(Scene(recording)).update(news))
    np.testing.assert_array_equal(made["trace", "x"], recording.kinematics[[159, 179, 199], first])


@PLOTTERS
def test_the_axis_holds_the_whole_recording(plotter: type[Traces], first: int) -> None:
    recording = small_recording(gaps=True)
    low, high = plotter(Scene(recording)).ends()
    known = recording.kinematics[:, first : first + 2]
    assert low < np.nanmin(known) < np.nanmax(known) < high


@PLOTTERS
def test_a_recording_without_kinematics_has_an_axis_all_the_same(plotter: type[Traces], first: int) -> None:
    recording = small_recording()
    recording.bins.flags.writeable = True
    recording.bins["kinematics"] = np.nan
    low, high = plotter(Scene(recording)).ends()
    assert low < high
