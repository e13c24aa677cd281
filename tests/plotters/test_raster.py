from __future__ import annotations

import numpy as np

from engine.recording import Recording
from engine.ring import Rows, row_dtype
from plotters import PLOTTERS
from plotters.base import News, Scene
from plotters.raster import BLANK, UNOBSERVED, Raster
from tests.builders import small_recording


def rows_of(recording: Recording, n: int) -> Rows:
    rows = np.zeros(n, row_dtype(recording.n_units, recording.counts.dtype))
    for name in recording.bins.dtype.names or ():
        rows[name] = recording.bins[name][:n]
    rows["sequence_number"] = np.arange(n)
    return rows


def test_one_column_a_bin_with_units_as_rows() -> None:
    recording = small_recording(n_units=5)
    pixels = Raster(Scene(recording)).pixels(rows_of(recording, 7))
    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels, 1 + recording.counts[:7].T)


def test_an_update_shifts_in_the_new_columns_only() -> None:
    recording = small_recording(n_units=5)
    [update] = Raster(Scene(recording)).update(News(rows_of(recording, 3), "playing"))
    assert (update.source, update.column, update.values.shape) == ("spikes", "image", (5, 3))


def test_short_bins_share_a_column_so_that_the_image_stays_small() -> None:
    recording = small_recording(n_units=4, n_bins=4000, bin_rate=1000.0)
    scene = Scene(recording)
    assert (scene.bins_per_column, scene.n_columns, scene.n_bins) == (20, 500, 10_000)
    pixels = Raster(scene).pixels(rows_of(recording, 40))
    np.testing.assert_array_equal(pixels, 1 + recording.counts[:40].reshape(2, 20, 4).sum(axis=1).T)


def test_bins_that_were_not_recorded_are_hatched_and_keep_their_spikes() -> None:
    recording = small_recording(n_units=12, n_bins=200, gaps=True)
    rows = rows_of(recording, 50)
    pixels = Raster(Scene(recording)).pixels(rows)
    assert not (pixels[:, :40] == UNOBSERVED).any()
    for column, row in zip(pixels[:, 40:].T, rows[40:], strict=True):
        hatched = column == UNOBSERVED
        assert hatched.any()
        assert not row["counts"][hatched].any()
        np.testing.assert_array_equal(column[~hatched], 1 + row["counts"][~hatched])


def test_hatching_travels_with_its_bins() -> None:
    recording = small_recording(n_units=12, n_bins=200, gaps=True)
    rows = rows_of(recording, 50)
    raster = Raster(Scene(recording))
    np.testing.assert_array_equal(raster.pixels(rows)[:, 45:], raster.pixels(rows[45:]))


def test_more_spikes_than_the_palette_has_colours_get_the_last_one() -> None:
    recording = small_recording(n_units=5)
    raster = Raster(Scene(recording))
    rows = rows_of(recording, 1)
    rows["counts"] = 255
    assert (raster.pixels(rows) == 1 + raster.top).all()
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
