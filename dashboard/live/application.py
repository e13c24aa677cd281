"""What Panel's server runs at ``/live?session=CODE``."""

from __future__ import annotations

import re

from markupsafe import Markup

from dashboard import theme
from dashboard.documents import Page, Visit
from dashboard.frames import spell_time
from dashboard.layout import grid
from dashboard.live.page import LivePage, Parts
from dashboard.live.snippets import Reach, snippets
from dashboard.plots import Figures, scene_id
from dashboard.templates import script_json, templates
from engine.bins.description import Description
from engine.bins.trials import PHASES
from plotters import suited
from plotters.base import Scene
from plotters.marks import MARKS
from plotters.scored import Scored
from sessions.awaited import StillWaits
from sessions.codes import CODE
from sessions.refusals import UnknownSession

PORT = re.compile(r":\d+$")
LSL_PARTS = ("Neural", "Kinematics", "Intention", "Events", "Triggers")


class LivePages:
    """Makes the pages of sessions.

    Parameters
    ----------
    parts : Parts
        What all pages share.
    lsl_name : str, optional
        What LSL streams' names begin with; None if LSL is off.
    guarded : bool
        Whether decoders need a token.
    """

    def __init__(self, parts: Parts, lsl_name: str | None, guarded: bool) -> None:
        self._parts = parts
        self._lsl_name = lsl_name
        self._guarded = guarded
        self._figures: dict[str, Figures] = {}
        self._templates = templates(parts.mount)

    def __call__(self, visit: Visit) -> Page:
        """One session, or the offer to create it."""
        code = visit.asked.get("session", "")
        try:
            session = self._parts.context.store.get(code)
        except StillWaits as waits:
            waiting = self._templates.get_template("waiting.html")
            return Page(waiting, {"code": code, "said": str(waits)}, status=200)
        except UnknownSession:
            valid = CODE.fullmatch(code) is not None
            unknown = self._templates.get_template("unknown.html")
            return Page(unknown, {"code": code, "valid": valid}, status=404)
        recording = session.description
        plotters = suited(self._parts.plotters, recording)
        figures = self.figures_of(recording)
        host = self._stream_host(visit)
        lsl = self._lsl_name if session.lsl else None
        reach = Reach(
            host,
            code,
            lsl_stream=f"{lsl}-Neural-{code}" if lsl else None,
            redis="redis" in session.sinks,
            kind=recording.count_dtype.char,
            guarded=self._guarded,
        )
        live = LivePage(session, self._parts, visit.context(self._parts.context))
        variables = {
            "code": code,
            "recording": recording,
            "duration": spell_time(recording.duration) if recording.duration is not None else "",
            "plots": figures.shown,
            "of_decoders": [plotter.name for plotter in plotters if issubclass(plotter, Scored)],
            "phases": PHASES,
            "n_marks": len(MARKS),
            "cards": live.cards,
            "drives": "drive" in session.replay.source.can,
            "places": Markup(grid(plotters)),
            "addresses": addresses(host, code, lsl, session.replay.voltages is not None),
            "snippets": list(snippets(reach)),
            "deck": script_json({"session": code, "scene": figures.scene_id, "roles": theme.roles()}),
            "figures": figures.documents,
        }
        page = self._templates.get_template("live.html")
        return Page(page, variables, live.roots(), joined=live.join, left=live.leave)

    def figures_of(self, recording: Description) -> Figures:
        """Models are costly to build and the same for all sessions of a recording."""
        found = self._figures.get(recording.name)
        if found is None or found.scene_id != scene_id(Scene(recording), self._parts.plotters):
            found = self._figures[recording.name] = Figures(recording, self._parts.plotters)
        return found

    def _stream_host(self, visit: Visit) -> str:
        """Where decoders connect, by the name that the visitor uses."""
        context, host = self._parts.context, visit.host
        if not (visit.proxied and context.stream_prefix):
            host = f"{PORT.sub('', host)}:{context.stream_port}"
        return f"{'wss' if visit.secure else 'ws'}://{host}{context.stream_prefix}"


def addresses(host: str, code: str, lsl_name: str | None, voltages: bool) -> list[tuple[str, str]]:
    """What to type where, for a decoder of a session, which may have voltages."""
    raw = [("WebSocket, voltages", f"{host}/stream/raw/{code}")] if voltages else []
    parts = (*LSL_PARTS, *(("Raw",) if voltages else ())) if lsl_name else ()
    return [
        ("WebSocket, JSON", f"{host}/stream/{code}"),
        ("WebSocket, MessagePack", f"{host}/stream/binary/{code}"),
        *raw,
        *((f"LSL, {part.lower()}", f"{lsl_name}-{part}-{code}") for part in parts),
    ]
