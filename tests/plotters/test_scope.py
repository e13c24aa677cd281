"""The scope: its lines are the least and the most of each column, whatever the frames bring."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import sosfilt

from engine.bins.troughs import Troughs
from engine.broadband import SAMPLING_RATE
from engine.sources.growing import GrowingDescription
from engine.stages.detection.detector import sections
from engine.stages.detection.settings import Detection
from engine.view import PLAIN, changed
from plotters.base import Floats, Replace, Scene, Set, Shift, Trace, Update
from plotters.scope import N_COLUMNS, Scope
from tests.builders import play, small_recording
from tests.plotters.playing import columns, news_of

N_CHANNELS = 4
PER_COLUMN = SAMPLING_RATE // N_COLUMNS
"""Samples, as a second is on screen."""
NOTHING = Troughs(np.zeros(0, np.int64), np.zeros(0, np.int32))
THRESHOLDS = np.full(N_CHANNELS, -40.0, np.float32)
NEWS = replace(news_of(small_recording(), play(small_recording(), range(4))), thresholds=THRESHOLDS)


def description() -> GrowingDescription:
    made = GrowingDescription("wires", tuple(f"electrode {i}" for i in range(N_CHANNELS)), 40.0)
    made.sampled = made.truth = True
    return made


def scope() -> Scope:
    return Scope(Scene(description()))


def voltages(n: int) -> Floats:
    return np.random.default_rng(1).normal(0.0, 20.0, (n, N_CHANNELS)).astype(np.float32)


def shown(
    plot: Scope, samples: Floats, first: int = 0, true: Troughs = NOTHING, found: Troughs = NOTHING
) -> list[Update]:
    return list(plot.update(replace(NEWS, trace=Trace(first, samples, true, found))))


def line(updates: Iterable[Update], row: int) -> Floats:
    """What was appended to the line of an electrode."""
    parts = [u.values for u in updates if isinstance(u, Shift) and u.column == f"c{row}"]
    return np.concatenate([np.zeros(0, np.float32), *parts])


@pytest.mark.parametrize("n", [300, 750, 6000])
def test_lines_are_the_least_and_the_most_of_each_column_whatever_the_frames_bring(n: int) -> None:
    samples, plot = voltages(6000), scope()
    updates = [
        update for first in range(0, 6000, n) for update in shown(plot, samples[first : first + n], first)
    ]
    filtered = sosfilt(sections(Detection()), samples.astype(np.float64), axis=0)
    whole = filtered.reshape(-1, PER_COLUMN, N_CHANNELS)
    for row in range(N_CHANNELS):
        drawn = (line(updates, row) + row) * PLAIN.scope_microvolts
        np.testing.assert_allclose(drawn[0::2], whole[..., row].min(axis=1), atol=0.01)
        np.testing.assert_allclose(drawn[1::2], whole[..., row].max(axis=1), atol=0.01)


def test_who_comes_later_sees_the_same() -> None:
    samples, plot = voltages(3000), scope()
    appended = line(shown(plot, samples), 2)
    whole = columns(plot.start(NEWS))["trace", "c2"]
    assert len(whole) == 2 * N_COLUMNS
    np.testing.assert_array_equal(whole[-len(appended) :], appended)
    assert np.isnan(whole[: -len(appended)]).all()


def test_samples_that_were_lost_are_a_gap() -> None:
    samples, plot = voltages(600), scope()
    shown(plot, samples)
    drawn = line(shown(plot, samples, first=600 + 10 * PER_COLUMN), 0)
    assert np.isnan(drawn[:20]).all()
    assert np.isfinite(drawn[20:]).all()


def test_spikes_are_marked_where_they_are_and_leave_with_the_screen() -> None:
    plot = scope()
    true = Troughs(np.array([150, 450]), np.array([0, 3], np.int32))
    made = columns(shown(plot, voltages(600), true=true, found=true.between(0, 300)))
    np.testing.assert_allclose(made["true", "x"], [-450 / SAMPLING_RATE, -150 / SAMPLING_RATE])
    np.testing.assert_allclose(made["found", "x"], [-450 / SAMPLING_RATE])
    assert made["true", "y"][1] - made["true", "y"][0] == -3
    for first in range(600, SAMPLING_RATE + 300, 300):
        made = columns(shown(plot, voltages(300), first))
    assert len(made["true", "x"]) == 1


def test_thresholds_are_drawn_once() -> None:
    plot = scope()
    made = columns(shown(plot, voltages(300)))
    np.testing.assert_allclose(made["threshold", "y"], -0.4 - np.arange(N_CHANNELS), rtol=1e-6)
    assert ("threshold", "y") not in columns(shown(plot, voltages(300), 300))


def test_another_view_begins_anew_with_its_electrodes_and_seconds() -> None:
    plot = scope()
    shown(plot, voltages(600))
    view = changed(PLAIN, {"scope_channels": [3, 1], "scope_seconds": 0.2}, description())
    updates = list(plot.start(replace(NEWS, view=view)))
    labels = [u.properties for u in updates if isinstance(u, Set) and u.model == "electrodes"]
    assert labels == [{"major_label_overrides": {0.0: "3", -1.0: "1"}}]
    times = next(u.values for u in updates if isinstance(u, Replace) and u.column == "time")
    assert times[0] == pytest.approx(-0.2, abs=1e-3)
    assert np.isnan(columns(updates)["trace", "c0"]).all()
