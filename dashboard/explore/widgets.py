"""The widgets of the Explore page, made by Panel from `Controls`, and their look."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from html import escape
from typing import Any, Final
from urllib.parse import urlencode

import panel as pn

from dashboard.explore.explorer import Explorer
from dashboard.explore.look import bokeh_theme
from dashboard.explore.plot_trials import NONE
from dashboard.theme import GROUP_COLOURS

SWATCHES: Final = "\n".join(
    f":host(.groups) label:nth-child({i})::before {{ background: {colour}; }}"
    for i, colour in enumerate(GROUP_COLOURS, 1)
)
"""The colours of groups, as a style of their checkboxes."""
CHOICES: Final = ("unit", "event", "split", "bins_per_step", "smoothing")
SECONDS: Final = ("before", "after")
IN_ADDRESS: Final = (*CHOICES, *SECONDS, "trials")


def fields(explorer: Explorer, names: list[str]) -> pn.Column:
    """The recording, and what is shown of it how."""
    recording = pn.widgets.Select(label="Recording", options=names, value=explorer.study.recording.name)

    def change(event: Any) -> None:
        location: Any = pn.state.location
        location.param.update(reload=True, search=f"?{urlencode({'recording': event.new})}")

    recording.param.watch(change, "value")
    declared: Any = explorer.controls.param
    made: dict[str, Any] = {name: pn.widgets.Select.from_param(declared[name]) for name in CHOICES}
    made |= {name: pn.widgets.FloatInput.from_param(declared[name]) for name in SECONDS}
    shown = [*([recording] if len(names) > 1 else []), *made.values()]
    for each in shown:
        each.sizing_mode = "stretch_width"
    return pn.Column(*shown, css_classes=["choices"])


def count(explorer: Explorer) -> pn.pane.HTML:
    """How many trials are shown."""
    n_trials = len(explorer.study.recording.trials)

    def spell(chosen: Any, text: str) -> str:
        return f"{len(chosen)} of {n_trials} trials" if text else f"All {n_trials} trials"

    text = pn.bind(spell, explorer.param.chosen, explorer.controls.param.trials)
    return pn.pane.HTML(text, css_classes=["title"])


def trials(explorer: Explorer, play: Callable[[Explorer], Awaitable[None]]) -> pn.Column:
    """Which trials are shown, and a session that plays them."""
    declared, study = explorer.controls.param, explorer.study
    note = pn.pane.HTML(
        pn.rx(declared.split).rx.pipe(lambda by: study.split(by).note), css_classes=["says"]
    )
    groups = pn.widgets.CheckBoxGroup.from_param(
        declared.groups, sizing_mode="stretch_width", css_classes=["groups"], stylesheets=[SWATCHES]
    )
    text = pn.widgets.TextInput.from_param(declared.trials, placeholder="all", sizing_mode="stretch_width")
    every = pn.widgets.Button(label="All trials", on_click=lambda _: explorer.choose(NONE))
    session = pn.widgets.Button(label="Play these trials", color="primary")

    async def begin(_: Any) -> None:
        await play(explorer)

    session.on_click(begin)
    return pn.Column(
        note, groups, text, pn.Row(every, session, css_classes=["flow"]), css_classes=["stack"]
    )


def message(explorer: Explorer) -> pn.pane.HTML:
    """What could not be done, or where the session is."""

    def spell(message: str, session: str) -> str:
        link = f'A session plays these trials. <a href="{escape(session)}">Open it</a>' if session else ""
        return escape(message) or link

    return pn.pane.HTML(pn.bind(spell, explorer.param.message, explorer.param.session))


def plotted(name: str, plot: Any, says: Any) -> tuple[pn.pane.HTML, pn.Column]:
    """What is said of a plot, and the plot; words alone where there is nothing to plot."""
    said = pn.rx(says)
    words = pn.pane.HTML(said.rx.pipe(lambda said: escape(said.text)), css_classes=["says"])
    pane = pn.pane.HoloViews(plot, theme=bokeh_theme(name), linked_axes=False, margin=0)
    return words, pn.Column(pane, visible=said.lacks.rx.not_(), sizing_mode="stretch_both")
