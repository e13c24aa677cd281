from __future__ import annotations

import numpy as np

from engine.sources.recordings.recording import Recording
from engine.view import PLAIN, Units, changed
from plotters import PLOTTERS
from plotters.base import Scene
from plotters.raster import BLANK, UNOBSERVED, Raster
from tests.builders import play, small_recording
from tests.plotters.playing import columns, news_of, properties


def everyone(recording: Recording) -> Units:
    return np.arange(recording.n_units)


def test_one_column_a_bin_with_units_as_rows() -> None:
    recording = small_recording(n_units=5)
    pixels = Raster(Scene(recording)).pixels(play(recording, range(7)), everyone(recording))
    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels, 1 + recording.counts[:7].T)


def test_an_update_shifts_in_the_new_columns_only() -> None:
    recording = small_recording(n_units=5)
    [update] = Raster(Scene(recording)).update(news_of(recording, play(recording, range(3))))
    assert (update.source, update.column, update.values.shape) == ("spikes", "image", (5, 3))


def test_short_bins_share_a_column_so_that_the_image_stays_small() -> None:
    recording = small_recording(n_units=4, n_bins=4000, bin_rate=1000.0)
    scene = Scene(recording)
    assert (scene.bins_per_column, scene.n_columns, scene.n_bins) == (20, 500, 10_000)
    pixels = Raster(scene).pixels(play(recording, range(40)), everyone(recording))
    np.testing.assert_array_equal(pixels, 1 + recording.counts[:40].reshape(2, 20, 4).sum(axis=1).T)


def test_bins_that_were_not_recorded_are_hatched_and_keep_their_spikes() -> None:
    recording = small_recording(n_units=12, n_bins=200, gaps=True)
    rows = play(recording, range(50))
    pixels = Raster(Scene(recording)).pixels(rows, everyone(recording))
    assert not (pixels[:, :40] == UNOBSERVED).any()
    for column, row in zip(pixels[:, 40:].T, rows[40:], strict=True):
        grey = column == UNOBSERVED
        np.testing.assert_array_equal(grey, row["counts"] == 0)
        np.testing.assert_array_equal(column[~grey], 1 + row["counts"][~grey])


def test_bins_that_were_lost_are_empty_columns() -> None:
    recording = small_recording(n_units=5)
    rows = play(recording, range(10))
    rows["lost"][[3, 4]] = True
    pixels = Raster(Scene(recording)).pixels(rows, everyone(recording))
    assert (pixels[:, 3:5] == BLANK).all()
    kept = [0, 1, 2, 5, 6, 7, 8, 9]
    np.testing.assert_array_equal(pixels[:, kept], 1 + recording.counts[kept].T)


def test_a_column_with_some_bins_lost_shows_the_others() -> None:
    recording = small_recording(n_units=4, n_bins=4000, bin_rate=1000.0)
    rows = play(recording, range(40))
    rows["lost"][5:20] = rows["lost"][20:] = True
    pixels = Raster(Scene(recording)).pixels(rows, everyone(recording))
    np.testing.assert_array_equal(pixels[:, 0], 1 + recording.counts[:5].sum(axis=0))
    assert (pixels[:, 1] == BLANK).all()


def test_gaps_travel_with_their_bins() -> None:
    recording = small_recording(n_units=12, n_bins=200, gaps=True)
    rows = play(recording, range(50))
    raster, units = Raster(Scene(recording)), everyone(recording)
    np.testing.assert_array_equal(raster.pixels(rows, units)[:, 45:], raster.pixels(rows[45:], units))


def test_more_spikes_than_the_palette_has_colours_get_the_last_one() -> None:
    recording = small_recording(n_units=5)
    raster = Raster(Scene(recording))
    rows = play(recording, range(1))
    rows["counts"] = 255
    assert (raster.pixels(rows, everyone(recording)) == 1 + raster.top).all()
    assert 1 + raster.top < UNOBSERVED


def test_figures_begin_blank_at_their_final_size_and_are_named_for_the_page() -> None:
    recording = small_recording(n_units=5)
    for plotter in PLOTTERS:
        assert plotter(Scene(recording)).build().name == plotter.name
    plot = Raster(Scene(recording)).build()
    [source] = [r.data_source for r in plot.renderers]
    assert source.name == "raster/spikes"
    assert source.data["image"][0].shape == (5, 400)
    assert (source.data["image"][0] == BLANK).all()


def sparse_recording() -> Recording:
    """Units with 1, 0, 4, 2 and 3 spikes in every 5 bins."""
    recording = small_recording(n_units=5)
    recording.bins.flags.writeable = True
    recording.bins["counts"] = np.arange(200)[:, None] % 5 < [1, 0, 4, 2, 3]
    return recording


def test_units_stand_in_the_views_order_and_hidden_ones_leave_the_top_free() -> None:
    recording = sparse_recording()
    raster, rows = Raster(Scene(recording)), play(recording, range(20))
    view = changed(PLAIN, {"order": "rate", "hidden_units": [3]}, recording)
    image = columns(raster.update(news_of(recording, rows, view=view)))["spikes", "image"]
    np.testing.assert_array_equal(image[:4], 1 + rows["counts"][:, [1, 0, 4, 2]].T)
    assert (image[4] == BLANK).all()


def test_labels_name_the_unit_of_their_row() -> None:
    recording = sparse_recording()
    raster, rows = Raster(Scene(recording)), play(recording, range(20))
    view = changed(PLAIN, {"order": "rate", "hidden_units": [3]}, recording)
    for news in (news_of(recording, rows, view=view), news_of(recording, rows[:0], view=view)):
        told = properties(raster.start(news))
        assert told["rows"]["end"] == 4
        assert told["ticks"]["ticks"] == [0.5, 1.5, 2.5, 3.5]
        labels = {0.5: "1", 1.5: "0", 2.5: "4", 3.5: "2"}
        assert told["units"] == {"axis_label": "Unit, by mean rate", "major_label_overrides": labels}


def test_of_many_units_a_few_are_named() -> None:
    recording = small_recording(n_units=142)
    labels = Raster(Scene(recording)).labels(PLAIN)
    assert list(labels.values()) == ["0", "20", "40", "60", "80", "100", "120", "140"]


def test_all_units_may_be_hidden() -> None:
    recording = small_recording(n_units=5)
    view = changed(PLAIN, {"hidden_units": list(range(5))}, recording)
    raster = Raster(Scene(recording))
    image = columns(raster.start(news_of(recording, play(recording, range(9)), view=view)))[
        "spikes", "image"
    ]
    assert (image == BLANK).all()
