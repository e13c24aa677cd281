"""One visitor's look at a recording, without a browser."""

from __future__ import annotations

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
