"""The plots of a page: their models, or what is wrong with one that has failed, alone and visibly."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bokeh.document import Document

from dashboard.templates import script_json
from engine.bins.description import Description
from plotters import suited
from plotters.base import Plotter, Scene

log = logging.getLogger(__name__)


def scene_id(scene: Scene, plotters: Sequence[type[Plotter]]) -> str:
    """Changes when the figures do, so that a page from before a restart knows to reload."""
    recording = scene.recording
    names = "+".join(plotter.name for plotter in suited(plotters, recording))
    known = (recording.sha256 or recording.name)[:12]
    return f"{known}-{recording.bin_rate:g}-{recording.n_units}-{scene.n_columns}-{names}"


def failure(plotter: type[Plotter], error: Exception) -> str:
    """What a page says of a plot that has failed; call it where that is caught, as it is logged too."""
    log.exception("The plot %s has failed", plotter.name)
    return (
        f"The plot {plotter.title} has failed ({type(error).__name__}: {error}). "
        "Mend it, and start the server again."
    )


@dataclass(frozen=True)
class Shown:
    """A plot as a page shows it.

    Attributes
    ----------
    name, title, caption : str
    failed : str
        What is wrong with it; "" of one that could be built.
    """

    name: str
    title: str
    caption: str = ""
    failed: str = ""


class Figures:
    """The plots of a recording, and the models of those that could be built as BokehJS reads them.

    Parameters
    ----------
    recording : Description
    plotters : sequence of Plotter types
        Of the live page's feed.
    only : Plotter type, optional
        Of a page that shows one of them.

    Attributes
    ----------
    scene_id : str
    shown : list of Shown
        All plots, in the page's order.
    documents : Markup
        A document of Bokeh by a plot's name.
    """

    def __init__(
        self,
        recording: Description,
        plotters: Sequence[type[Plotter]],
        only: type[Plotter] | None = None,
    ) -> None:
        scene = Scene(recording)
        self.scene_id = scene_id(scene, plotters)
        self.shown: list[Shown] = []
        documents: dict[str, Any] = {}
        for each in suited(plotters, recording) if only is None else (only,):
            try:
                plotter = each(scene)
                self.shown.append(Shown(each.name, each.title, plotter.caption))
                documents[each.name] = document(plotter)
            except Exception as error:  # whatever it is, it ends this plot alone, and visibly
                self.shown = [shown for shown in self.shown if shown.name != each.name]
                self.shown.append(Shown(each.name, each.title, failed=failure(each, error)))
        self.documents = script_json(documents)


def document(plotter: Plotter) -> Any:
    """A Bokeh document's JSON: one to each plot, so that a page shows the first before it has built all."""
    made = Document()
    made.add_root(plotter.build())
    return made.to_json(deferred=False)
