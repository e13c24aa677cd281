from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.analysis.rates import mean_rates
from engine.view import PLAIN, changed
from plotters.base import Scene
from plotters.units import Units
from tests.builders import play, small_recording
from tests.plotters.playing import columns, news_of, properties


def test_rates_are_those_of_the_last_second() -> None:
    recording = small_recording(n_units=5)
    made = columns(Units(Scene(recording)).update(news_of(recording, play(recording, range(100)), n_new=1)))
    np.testing.assert_allclose(made["rates", "now"], recording.counts[60:100].sum(axis=0))


def test_only_observed_time_counts() -> None:
    recording = small_recording(n_units=5, gaps=True)
    units = Units(Scene(recording))
    made = columns(units.update(news_of(recording, play(recording, range(50)), n_new=1)))
    np.testing.assert_allclose(made["rates", "now"], recording.counts[10:40].sum(axis=0) / 0.75)
    rows = play(recording, range(50))
    rows["observed"] = False
    assert np.isnan(columns(units.update(news_of(recording, rows, n_new=1)))["rates", "now"]).all()


def test_time_in_which_bins_were_lost_does_not_count() -> None:
    recording = small_recording(n_units=5)
    rows = play(recording, range(50))
    rows["lost"][20:] = True
    made = columns(Units(Scene(recording)).update(news_of(recording, rows, n_new=1)))
    np.testing.assert_allclose(made["rates", "now"], recording.counts[10:20].sum(axis=0) / 0.25)


def test_hidden_units_have_no_dot() -> None:
    recording = small_recording(n_units=5)
    view = changed(PLAIN, {"hidden_units": [1, 4]}, recording)
    made = columns(
        Units(Scene(recording)).update(news_of(recording, play(recording, range(50)), view=view))
    )
    assert np.flatnonzero(np.isnan(made["rates", "now"])).tolist() == [1, 4]


def test_dots_stand_at_the_recordings_means() -> None:
    recording = small_recording(n_units=5)
    plot = Units(Scene(recording)).build()
    [source] = [r.data_source for r in plot.renderers if r.data_source.name == "units/rates"]
    np.testing.assert_allclose(source.data["mean"], mean_rates(recording), rtol=1e-6)


def test_the_axis_holds_every_dot() -> None:
    recording = small_recording(n_units=5)
    rows = play(recording, range(100))
    rows["counts"][:, 2] = 20
    assert properties(Units(Scene(recording)).update(news_of(recording, rows)))["range"]["end"] >= 800


def test_it_updates_ten_times_a_second_of_recording() -> None:
    recording = small_recording(n_units=5)
    units, rows = Units(Scene(recording)), play(recording, range(100))
    updated = [n for n in range(1, 100) if units.should_update(news_of(recording, rows[:n], n_new=1))]
    assert updated == list(range(1, 100, 4))
    assert not units.should_update(news_of(recording, rows, n_new=0))
    assert columns(units.start(news_of(recording, rows[:99])))


def test_units_stand_at_their_mean_in_the_session_once_it_is_known() -> None:
    recording = small_recording()
    units, rows = Units(Scene(recording)), play(recording, range(60))
    news = replace(news_of(recording, rows), means=np.full(recording.n_units, np.nan))
    assert ("rates", "mean") not in columns(units.update(news))
    news = replace(news, means=np.arange(recording.n_units, dtype=float))
    updates = list(units.update(news))
    np.testing.assert_array_equal(columns(updates)["rates", "mean"], news.means)
    assert properties(updates)["means"]["end"] >= recording.n_units - 1
    assert ("rates", "mean") not in columns(units.update(news))
    assert ("rates", "mean") in columns(units.start(news))
