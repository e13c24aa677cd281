"""How hyperparameters were chosen: a curve for each, of the score against what was tried."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import panel as pn
from bokeh.models import HoverTool
from bokeh.plotting import figure
from panel.viewable import Viewable

from dashboard.calibrate.results import called
from dashboard.ground import Ground, paint_all
from dashboard.live.controls import stack
from plotters.drawing import paint, paint_figure
from sessions.rest.models.calibrations import ChoiceAnswer

SCORE: Final = "R\N{SUPERSCRIPT TWO}, trials left out"
WIDE: Final = 100.0
"""The greatest value over the least, above which the axis is logarithmic."""
LABELS: Final = {"lags": "Lags (bins)", "lag_ms": "Lag (ms)", "ridge": "Ridge strength"}


class Curves:
    """The figures of one page, made anew for another run."""

    def __init__(self) -> None:
        self._shown: Sequence[ChoiceAnswer] | None = None
        self._plots: list[figure] = []
        self._row = pn.Row(sizing_mode="stretch_width")
        self._ground = Ground()  # type: ignore[no-untyped-call]
        self._ground.param.watch(lambda _: self._paint(), "theme")
        self._view = stack(self._row, self._ground)

    def view(self) -> Viewable:
        return self._view

    def show(self, choices: Sequence[ChoiceAnswer]) -> bool:
        """Draw what was compared; returns whether there is any."""
        compared = [each for each in choices if each.tried]
        if compared != self._shown:
            self._shown = compared
            self._plots = [curve(each) for each in compared]
            self._paint()
            self._row.objects = [
                pn.pane.Bokeh(plot, sizing_mode="stretch_width")  # type: ignore[no-untyped-call]
                for plot in self._plots
            ]
        return bool(compared)

    def _paint(self) -> None:
        for plot in self._plots:
            paint_all(plot, self._ground.theme)


def curve(choice: ChoiceAnswer) -> figure:
    """The score against each value that was tried, with the chosen one marked."""
    label = LABELS.get(choice.name, called(choice.name))
    logarithmic = choice.tried[0] > 0 and choice.tried[-1] / choice.tried[0] > WIDE
    plot = figure(
        height=190,
        sizing_mode="stretch_width",
        x_axis_type="log" if logarithmic else "linear",
        x_axis_label=label,
        y_axis_label=SCORE,
        toolbar_location=None,
        tools="",
        name=f"curve-{choice.name}",
        border_fill_color=None,
    )
    at = choice.tried.index(choice.value)
    line = plot.line(choice.tried, choice.scores, line_width=2)
    points = plot.scatter(choice.tried, choice.scores, size=5)
    chosen = plot.scatter(
        [choice.value],
        [choice.scores[at]],
        size=13,
        marker="diamond",
        legend_label=f"chosen: {choice.value:g}",
        name="chosen",
    )
    paint(line.glyph, line_color="good")
    paint(points.glyph, fill_color="good", line_color="good")
    paint(chosen.glyph, fill_color="accent", line_color="accent")
    plot.add_tools(HoverTool(renderers=[points], tooltips=[(label, "@x{0.[00]}"), (SCORE, "@y{0.000}")]))
    plot.legend[0].update(location="bottom_right", border_line_color=None, padding=4)
    paint(plot.legend[0], background_fill_color="card", label_text_color="text", label_text_font="font")
    paint_figure(plot)
    return plot
