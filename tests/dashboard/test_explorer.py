"""One visitor's look at a recording, without a browser."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import holoviews as hv
import numpy as np
import panel as pn
import pytest
from bokeh.document import Document
from bokeh.models import GlyphRenderer

from dashboard.explore.explorer import Explorer
from dashboard.explore.study import Study
from dashboard.explore.widgets import fields
from plotters.pictures.panel import styled
from tests.builders import small_recording


@pytest.fixture
def explorer() -> Explorer:
    return Explorer(Study(small_recording(6, 4000, n_trials=40)))


def test_every_field_follows_what_is_chosen_elsewhere(explorer: Explorer) -> None:
    shown: dict[str, Any] = {each.name: each for each in fields(explorer, ["small"]).objects}
    for name, value in (
        ("unit", 3),
        ("event", "go_cue"),
        ("split", "column:heldout"),
        ("bins_per_step", 4),
        ("smoothing", 0.1),
        ("before", 0.4),
        ("after", 0.9),
    ):
        setattr(explorer.controls, name, value)
        assert shown[explorer.controls.param[name].label].value == value


def test_each_plot_is_drawn_once_when_the_unit_changes(explorer: Explorer) -> None:
    drawn: list[str] = []
    for name, (plot, _) in explorer.plots().items():
        made = hv.renderer("bokeh").get_plot(plot, doc=Document())
        made.hooks = [*made.hooks, lambda *_, name=name: drawn.append(name)]
    drawn.clear()
    explorer.controls.unit = 3
    assert sorted(drawn) == sorted(set(drawn))
    assert {"raster", "psth", "tuning", "preferred", "rates"} <= set(drawn)


def test_one_group_alone_has_the_colour_of_its_group(explorer: Explorer) -> None:
    explorer.controls.split = "nothing"
    for name, (plot, _) in explorer.plots().items():
        if name in ("paths", "raster", "psth"):
            figure = hv.renderer("bokeh").get_plot(plot, doc=Document()).state
            glyphs = [each.glyph for each in figure.select({"type": GlyphRenderer})]
            colours = [glyph.line_color for glyph in glyphs if hasattr(glyph, "line_color")]
            assert colours
            assert not any(isinstance(colour, int) for colour in colours)


def test_no_selection_shows_all_trials_and_one_without_the_event_says_so(explorer: Explorer) -> None:
    explorer.controls.trials = "2"  # which has no movement onset
    assert explorer.around.lacks().startswith("None of these trials has a time for")
    explorer.choose(np.empty(0, np.intp))
    assert len(explorer.chosen) == 40
    assert not explorer.around.lacks()


def test_what_is_said_of_plots_follows_them(explorer: Explorer) -> None:
    _, says = explorer.plots()["raster"]
    words = pn.rx(says)
    assert not words.rx.value.lacks
    explorer.controls.trials = "2"
    assert words.rx.value.lacks


def test_pictures_in_the_same_process_leave_the_page_its_backend(explorer: Explorer) -> None:
    styled(hv.Curve([1, 2]), linewidth=0.9)  # of matplotlib's, loaded after Bokeh's
    assert hv.Store.current_backend == "bokeh"
    assert explorer.plots()


def test_how_spikes_were_found_is_shown_of_records_of_electrodes_alone(explorer: Explorer) -> None:
    assert "found" not in explorer.plots()
    found = {
        "recall": np.array([0.9, 0.5, np.nan, 0.8, 0.7, 0.6]),
        "precision": np.array([0.95, 0.4, np.nan, 1.0, 1.0, 1.0]),
        "timing_error_ms": np.full(6, 0.05),
        "noise_uv": np.full(6, 11.0),
    }
    recording = replace(small_recording(6, 4000, n_trials=40), detection=found)
    explorer = Explorer(Study(recording))
    plot, says = explorer.plots()["found"]
    hv.renderer("bokeh").get_plot(plot, doc=Document())
    words = pn.rx(says)
    explorer._take_channel(0.52, 0.41)
    assert explorer.controls.unit == 1
    assert words.rx.value.text.startswith(
        "This channel: recall 0.50, precision 0.40, 50 us late, noise 11.0 uV. Medians of all: recall 0.70"
    )
    explorer.controls.unit = 2
    assert words.rx.value.text.startswith("This channel had no spike in the record's last 10 s.")
