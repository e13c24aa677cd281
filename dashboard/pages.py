"""The pages: the same figures for every visitor, built once per recording; the feed does the rest."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bokeh import __version__ as bokeh_version
from bokeh.document import Document
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from dashboard import theme
from dashboard.calibration import choices
from dashboard.frames import scene_id, spell_time
from dashboard.layout import grid
from dashboard.perturbation import panel
from dashboard.settings import events_of, tape
from dashboard.snippets import snippets
from engine.bins.description import Description, Recorded
from engine.bins.trials import PHASES
from engine.deck.transport import MAX_SPEED, MIN_SPEED
from engine.decoders import DECODERS
from engine.stages.perturb import MODELS, PRESETS
from plotters.base import Plotter, Scene
from plotters.lanes import LANES
from plotters.scored import Scored
from sessions.calibrations import KEPT
from sessions.codes import CODE
from sessions.errors import UnknownSession
from sessions.rest.pages import Page, Visit
from sessions.store import Store

TEMPLATES = Path(__file__).parent / "templates"
PORT = re.compile(r":\d+$")
LSL_PARTS = ("Neural", "Kinematics", "Intention", "Events", "Triggers")


class Pages:
    """Renders what `sessions.rest.pages.PageHandler` serves.

    Parameters
    ----------
    store : Store
    plotters : sequence of Plotter types
    stream_port : int, optional
        Where decoders connect; the page's own port if None.
    lsl_name : str, optional
        What LSL streams' names begin with; None if LSL is off.
    guarded : bool
        Whether decoders need a token.
    prefix, stream_prefix : str
        Paths under which a proxy has the pages and the streams.
    """

    def __init__(
        self,
        store: Store,
        plotters: Sequence[type[Plotter]],
        stream_port: int | None = None,
        lsl_name: str | None = None,
        guarded: bool = False,
        prefix: str = "",
        stream_prefix: str = "",
    ) -> None:
        self._stream_prefix = stream_prefix
        self._store = store
        self._guarded = guarded
        self._plotters = plotters
        self._lsl_name = lsl_name
        self._stream_port = stream_port
        self._figures: dict[str, Figures] = {}
        self._templates = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals |= {
            "style": Markup(theme.style_sheet()),
            "bokeh_version": bokeh_version,
            "mount": prefix,
            "presets": list(PRESETS),
            "min_speed": MIN_SPEED,
            "max_speed": MAX_SPEED,
            "models": [panel(model) for model in MODELS],
            "phases": PHASES,
            "n_lanes": len(LANES),
            "decoders": list(DECODERS),
            "of_decoders": [plotter.name for plotter in plotters if issubclass(plotter, Scored)],
            "slowest": math.log10(MIN_SPEED),
            "fastest": math.log10(MAX_SPEED),
        }

    def home(self, _: Visit) -> Page:
        """The recording and the sessions."""
        return self._page("home.html", recordings=list(self._store.recordings))

    def calibrate(self, _: Visit) -> Page:
        """Decoders to fit and test."""
        names = list(self._store.recordings)
        return self._page("calibrate.html", recordings=names, decoders=choices(), kept=KEPT)

    def live(self, visit: Visit) -> Page:
        """One session, or the offer to create it."""
        code = visit.session or ""
        try:
            session = self._store.get(code)
        except UnknownSession:
            valid = CODE.fullmatch(code) is not None
            return self._page("unknown.html", 404, code=code, valid=valid)
        recording = session.description
        figures = self._figures_of(recording)
        deck = {
            "session": code,
            "scene": figures.scene_id,
            "roles": theme.roles(),
            "tape": figures.tape,
        }
        host = self._stream_host(visit)
        lsl = self._lsl_name if session.lsl else None
        neural = f"{lsl}-Neural-{code}" if lsl else None
        return self._page(
            "live.html",
            code=code,
            recording=recording,
            duration=spell_time(recording.duration) if recording.duration is not None else "",
            events=events_of(recording),
            plotters=figures.plotters,
            places=Markup(grid(self._plotters)),
            addresses=addresses(host, code, lsl),
            snippets=list(snippets(f"{host}/stream/{code}", neural, self._guarded)),
            deck=script_json(deck),
            figures=figures.documents,
        )

    def _figures_of(self, recording: Description) -> Figures:
        """Models are costly to build and the same for all sessions of a recording."""
        found = self._figures.get(recording.name)
        if found is None or found.scene_id != scene_id(Scene(recording), self._plotters):
            found = self._figures[recording.name] = Figures(recording, self._plotters)
        return found

    def _stream_host(self, visit: Visit) -> str:
        """Where decoders connect, by the name that the visitor uses."""
        host = visit.host
        if self._stream_port is not None and not (visit.proxied and self._stream_prefix):
            host = f"{PORT.sub('', host)}:{self._stream_port}"
        return f"{'wss' if visit.secure else 'ws'}://{host}{self._stream_prefix}"

    def _page(self, template: str, status: int = 200, **values: Any) -> Page:
        return Page(self._templates.get_template(template).render(values), status)


class Figures:
    """The plots of a recording and their models as BokehJS reads them."""

    def __init__(self, recording: Description, plotters: Sequence[type[Plotter]]) -> None:
        scene = Scene(recording)
        self.scene_id = scene_id(scene, plotters)
        self.plotters: list[Plotter] = [plotter(scene) for plotter in plotters]
        self.documents = script_json([document(plotter) for plotter in self.plotters])
        self.tape = tape(recording)


def document(plotter: Plotter) -> Any:
    """A Bokeh document's JSON: one to each plot, so that a page shows the first before it has built all."""
    made = Document()
    made.add_root(plotter.build())
    return made.to_json(deferred=False)


def addresses(host: str, code: str, lsl_name: str | None) -> list[tuple[str, str]]:
    """What to type where, for a decoder of a session."""
    parts = LSL_PARTS if lsl_name else ()
    return [
        ("WebSocket, JSON", f"{host}/stream/{code}"),
        ("WebSocket, MessagePack", f"{host}/stream/binary/{code}"),
        *((f"LSL, {part.lower()}", f"{lsl_name}-{part}-{code}") for part in parts),
    ]


def facts(recording: Recorded) -> list[tuple[str, str]]:
    """What a page says of a recording."""
    return [
        ("Units", f"{recording.n_units}"),
        ("Length", spell_time(recording.duration).partition(".")[0]),
        ("Trials", f"{len(recording.trials)}"),
        ("Target places", f"{len(recording.target_places)}"),
        ("Bins", f"{1e3 * recording.bin_width:g} ms"),
    ]


def script_json(value: Any) -> Markup:
    """JSON that is safe inside a script element."""
    return Markup(json.dumps(value, separators=(",", ":")).replace("<", "\\u003c"))
