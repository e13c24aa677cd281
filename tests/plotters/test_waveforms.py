"""Waveforms: cut from the voltages where spikes are found, true ones and those made up apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from scipy.signal import sosfilt

from engine.bins.troughs import Troughs
from engine.broadband import TROUGH, WAVEFORM
from engine.sources.growing import GrowingDescription
from engine.stages.detection.detector import sections
from engine.stages.detection.settings import Detection
from engine.view import PLAIN, View, changed
from plotters.base import LATE, Floats, Scene, Trace, Update
from plotters.scope import Scope
from plotters.waveforms import PERIOD, SHOWN, TOLERANCE, Waveforms, near
from tests.builders import play, small_recording
from tests.plotters.playing import columns, news_of, properties

THRESHOLDS = np.full(4, -45.0, np.float32)
NEWS = replace(news_of(small_recording(), play(small_recording(), range(4))), thresholds=THRESHOLDS)
BLOCK = 750
"""Samples of a bin."""


def description() -> GrowingDescription:
    made = GrowingDescription("wires", tuple(f"electrode {i}" for i in range(4)), 40.0)
    made.sampled = made.truth = True
    return made


def voltages(n: int) -> Floats:
    return np.random.default_rng(1).normal(0.0, 20.0, (n, 1)).astype(np.float32)


def troughs(samples: Iterable[int]) -> Troughs:
    where = np.array(list(samples), np.int64)
    return Troughs(where, np.zeros(len(where), np.int32))


def play_all(
    plot: Waveforms, samples: Floats, true: Troughs, found: Troughs, view: View = PLAIN, block: int = BLOCK
) -> list[Update]:
    """All updates, as frames bring the samples and, later, what is known of their spikes."""
    updates: list[Update] = []
    for first in range(0, len(samples), block):
        known = max(first - LATE, 0), first + block - LATE
        part = samples[first : first + block]
        trace = Trace(first, part, true.between(*known), found.between(*known))
        news = replace(NEWS, single=trace, view=view)
        assert plot.should_update(news)
        updates += plot.update(news)
    return updates


def drawn(updates: Iterable[Update], name: str) -> Floats:
    lines: Floats = columns(updates)["lines", name].reshape(SHOWN, WAVEFORM + 1)[:, :WAVEFORM]
    return lines[np.isfinite(lines[:, 0])]


def test_waveforms_are_cut_from_the_band_around_the_troughs_that_were_found() -> None:
    samples, found = voltages(2 * PERIOD), np.arange(400, 2 * PERIOD - 200, 990)
    made = play_all(Waveforms(Scene(description())), samples, troughs(found[::2] + 3), troughs(found))
    band = sosfilt(sections(Detection()), samples[:, 0].astype(np.float64))
    cut = band[found[:, None] - TROUGH + np.arange(WAVEFORM)]
    np.testing.assert_allclose(drawn(made, "true"), cut[::2], atol=0.01)
    np.testing.assert_allclose(drawn(made, "other"), cut[1::2], atol=0.01)
    assert columns(made)["threshold", "y"].tolist() == [-45.0]


def test_where_the_truth_is_not_known_none_is_made_up() -> None:
    samples, found = voltages(2 * PERIOD), np.arange(400, 2 * PERIOD - 200, 990)
    untold = description()
    untold.truth = False
    plot = Waveforms(Scene(untold))
    made = play_all(plot, samples, troughs([]), troughs(found))
    assert (len(drawn(made, "true")), len(drawn(made, "other"))) == (len(found), 0)
    assert "not known" in plot.caption
    assert "true" not in Scope(Scene(untold)).caption


def test_frames_of_any_length_show_the_same() -> None:
    samples, found = voltages(PERIOD), troughs(range(300, PERIOD - 300, 450))
    one, other = (
        columns(play_all(Waveforms(Scene(description())), samples, found, found, block=n))
        for n in (300, PERIOD)
    )
    np.testing.assert_allclose(one["lines", "true"], other["lines", "true"], atol=1e-3)


def test_the_newest_hundred_are_shown() -> None:
    samples, found = voltages(4 * PERIOD), np.arange(300, 4 * PERIOD - 200, 300)
    made = play_all(Waveforms(Scene(description())), samples, troughs([]), troughs(found))
    band = sosfilt(sections(Detection()), samples[:, 0].astype(np.float64))
    assert len(drawn(made, "other")) == SHOWN < len(found)
    np.testing.assert_allclose(drawn(made, "other")[-1, TROUGH], band[found[-1]], atol=0.01)
    assert not len(drawn(made, "true"))


def test_scores_are_the_first_two_principal_components_and_do_not_turn_over() -> None:
    samples, found = voltages(2 * PERIOD), troughs(range(300, 2 * PERIOD - 200, 700))
    plot = Waveforms(Scene(description()))
    made = columns(play_all(plot, samples, found, found))
    lines = made["lines", "true"].reshape(SHOWN, -1)[: len(found.samples), :WAVEFORM].astype(np.float64)
    spread = np.linalg.svd(lines - lines.mean(axis=0), compute_uv=False)
    scores = np.column_stack([made["true scores", "x"], made["true scores", "y"]])
    np.testing.assert_allclose(np.square(scores).sum(axis=0), np.square(spread[:2]), rtol=1e-3)
    again = columns(plot.start(replace(NEWS, view=PLAIN)))
    np.testing.assert_allclose(again["true scores", "x"], made["true scores", "x"], atol=1e-3)


def test_nothing_is_cut_across_samples_that_were_lost() -> None:
    samples, plot = voltages(PERIOD), Waveforms(Scene(description()))
    play_all(plot, samples, troughs([]), troughs([]))
    later = 10 * PERIOD
    trace = Trace(
        later,
        samples,
        troughs([]),
        troughs([later - 20, later + 20, later + 500]),
    )
    made = list(plot.update(replace(NEWS, single=trace)))
    assert len(drawn(made, "other")) == 1


def test_the_view_chooses_the_electrode_else_it_is_the_first_of_the_scope() -> None:
    plot = Waveforms(Scene(description()))
    found = troughs(range(300, PERIOD - 300, 450))
    play_all(plot, voltages(PERIOD), found, found)
    for settings, channel in (({"scope_channels": [3, 1]}, 3), ({"waveform_channel": 2}, 2)):
        made = list(plot.start(replace(NEWS, view=changed(PLAIN, settings, description()))))
        assert properties(made)["electrode"] == {"axis_label": f"Electrode {channel} (uV)"}
        assert not len(drawn(made, "true"))


def test_a_found_spike_is_true_if_its_trough_is_near_a_true_one() -> None:
    samples = np.array([100, 200, 300])
    others = np.array([300 - TOLERANCE, 100 + TOLERANCE, 200 + TOLERANCE + 1])
    assert near(samples, others).tolist() == [True, False, True]
    assert not near(samples, others[:0]).any()
