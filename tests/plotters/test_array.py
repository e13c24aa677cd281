"""The array: a cell an electrode, its noise and its rate, and which of them are unusual."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.geometry import places
from engine.sources.growing import GrowingDescription
from engine.view import PLAIN, changed
from plotters.array import CELL, FULL, Array
from plotters.base import Floats, News, Scene
from tests.builders import play, small_recording
from tests.plotters.playing import columns, news_of, properties

N_CHANNELS = 5
RECORDING = small_recording(N_CHANNELS, 200)


def array() -> Array:
    description = GrowingDescription("wires", tuple(f"electrode {i}" for i in range(N_CHANNELS)), 40.0)
    description.sampled = True
    return Array(Scene(description))


def news(noise: list[float], n: int = 120, n_new: int = 1) -> News:
    made: Floats = np.array(noise, np.float32)
    return replace(news_of(RECORDING, play(RECORDING, range(n)), n_new=n_new), noise=made)


def test_each_electrode_has_its_noise_and_the_rate_of_the_newest_two_seconds() -> None:
    made = columns(array().update(news([10.0, 11.0, 12.0, 11.5, 9.0])))
    assert made["electrodes", "noise"].tolist() == [10.0, 11.0, 12.0, 11.5, 9.0]
    rates = RECORDING.counts[40:120].sum(axis=0) / 2
    np.testing.assert_allclose(made["electrodes", "rate"], rates, rtol=1e-6)
    areas = made["electrodes", "radius"].astype(float) ** 2
    np.testing.assert_allclose(areas / (CELL * 0.2) ** 2, np.minimum(rates / FULL, 1), rtol=1e-4)


def test_dead_and_noisy_electrodes_are_outlined() -> None:
    updates = list(array().update(news([10.0, 0.4, 12.0, 40.0, 9.0])))
    assert np.flatnonzero(columns(updates)["electrodes", "unusual"]).tolist() == [1, 3]
    assert properties(updates)["colours"]["high"] == 20.0


def test_before_the_noise_is_known_nothing_is_unusual() -> None:
    updates = list(array().update(news([np.nan] * N_CHANNELS)))
    assert not columns(updates)["electrodes", "unusual"].any()
    assert np.isfinite(properties(updates)["colours"]["high"])


def test_it_updates_once_a_second_and_for_those_who_come_later() -> None:
    plot = array()
    updated = [n for n in range(1, 100) if plot.should_update(news([10.0] * N_CHANNELS, n))]
    assert updated == [1, 41, 81]
    assert columns(plot.start(news([10.0] * N_CHANNELS, 99)))


def test_the_electrode_whose_waveforms_are_shown_is_framed() -> None:
    view = changed(PLAIN, {"waveform_channel": 4}, array().scene.recording)
    made = columns(array().start(replace(news([10.0] * N_CHANNELS), view=view)))
    assert [*made["chosen", "x"], *made["chosen", "y"]] == places(N_CHANNELS)[4].tolist()


def test_cells_stand_where_the_electrodes_are() -> None:
    built = array().build()
    source = next(r.data_source for r in built.renderers if r.data_source.name == "array/electrodes")
    np.testing.assert_array_equal(np.column_stack([source.data["x"], source.data["y"]]), places(N_CHANNELS))
    assert not Array.suits(RECORDING)
