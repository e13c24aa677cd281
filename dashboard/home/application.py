"""What Panel's server runs at ``/``."""

from __future__ import annotations

from functools import partial
from typing import Any

from markupsafe import Markup

from dashboard.documents import Page, Visit
from dashboard.following import Following
from dashboard.frames import clock
from dashboard.home.page import HomePage
from dashboard.home.rows import ELSEWHERE, RECORDS, SESSIONS, SHOWN, overview, records
from dashboard.templates import templates
from engine.bins.description import Recorded
from engine.errors import DeckError
from sessions.rest.calibrating import decode_command
from sessions.rest.context import Context
from sessions.store import Store

PERIOD = 1.0
"""Seconds between looks at the sessions."""
RARELY = 3.0
"""At the folder of records."""


class HomePages:
    """Makes start pages.

    Parameters
    ----------
    context : Context
        The server.
    mount : str
        Path under which a proxy has the pages.
    """

    def __init__(self, context: Context, mount: str) -> None:
        self._context = context
        self._mount = mount
        self._sessions = Following(partial(overview, context, mount), PERIOD)
        self._records = Following(partial(records, context, mount), RARELY)
        self._templates = templates(mount)

    def __call__(self, visit: Visit) -> Page:
        """All that there is."""
        context = visit.context(self._context)
        home = HomePage(context, self._mount, self._sessions, self._records, self._describe)
        first = next(iter(context.store.recordings))
        variables: dict[str, Any] = {
            "recording": Markup(self._describe(first)),
            "several": len(context.store.recordings) > 1,
            "most_records": SHOWN,
            "columns": {"sessions": SESSIONS, "elsewhere": ELSEWHERE, "records": RECORDS},
            "overview": home.overview,
            "records": home.records,
            "decode": command(context),
        }
        template = self._templates.get_template("home.html")
        return Page(template, variables, home.roots(), joined=home.join, left=home.leave)

    def _describe(self, name: str) -> str:
        """What there is to tell of a recording, or why there is nothing."""
        shown = self._templates.get_template("home/recording.html")
        try:
            told: dict[str, Any] = {"error": None, **facts(self._context.store, name)}
        except DeckError as error:
            told = {"error": str(error)}
        return shown.render(name=name, **told)


def facts(store: Store, name: str) -> dict[str, Any]:
    """What a page tells of a recording; reads it, if nobody has.

    Raises
    ------
    DeckError
        If it cannot be read.
    """
    recording = store.recording_named(name)
    return {
        "synthetic": recording.synthetic,
        "warnings": recording.warnings,
        "facts": numbers(recording),
        "series": series(recording),
    }


def numbers(recording: Recorded) -> list[tuple[str, str]]:
    """How much there is of it."""
    return [
        ("Units", f"{recording.n_units}"),
        ("Length", clock(recording.duration)),
        ("Trials", f"{len(recording.trials)}"),
        ("Targets in a trial", f"{len(recording.target_ids)}"),
        ("Bins", f"{1e3 * recording.bin_width:g} ms"),
        ("Lengths in", recording.length_unit),
    ]


def series(recording: Recorded) -> list[tuple[str, str]]:
    """What was taken from its file, and what was passed over."""
    chosen, tables = recording.series, recording.trial_tables
    told = []
    for what in ("position", "velocity"):
        found = chosen.get(what) or {}
        how = f" ({found['how']})" if found.get("how") else ""
        told.append((f"{what.capitalize()} from", f"{found['name']}{how}" if found else "nothing"))
    if taken := tables.get("taken"):
        told.append(("Trials from", f"{taken['name']} ({taken['how']})"))
    passed = [*chosen.get("passed_over", ()), *tables.get("passed_over", ())]
    lines = [f"{each['name']}: {each['reason']}" for each in passed]
    return [*told, ("Passed over", "\n".join(lines) or "nothing")]


def command(context: Context) -> str:
    """What connects a decoder to a new session."""
    return decode_command(context, "--session demo --decoder wiener")
