"""The pages at ``/explore?recording=NAME``: an explorer a visit."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

import panel as pn
from panel.io.application import Application

from dashboard.documents import Page, PageHandler, Visit, serving, visit_of
from dashboard.explore.explorer import Explorer
from dashboard.explore.study import Study
from dashboard.explore.widgets import IN_ADDRESS, count, fields, message, plotted, trials
from dashboard.frames import clock
from dashboard.templates import templates
from engine.bins.description import Recorded
from engine.bins.selection import Selection
from engine.errors import DeckError
from sessions.options import Options
from sessions.recordings import refuse_without_spikes
from sessions.store import Store


def explore_application(store: Store, prefix: str = "") -> Application:
    """Make the page; the first recording's by default.

    `prefix` is the path under which a proxy has the pages.
    """
    return serving(ExploreHandler(ExplorePages(store, prefix)))


class ExploreHandler(PageHandler):
    """Makes pages on the event loop itself, which is no other pages': HoloViews is for one thread."""

    def __init__(self, pages: ExplorePages) -> None:
        super().__init__(pages)
        self._pages = pages

    async def on_session_created(self, session_context: Any) -> None:
        document, visit = session_context._document, visit_of(session_context.request)
        with suppress(DeckError):  # the page says so
            await asyncio.to_thread(self._pages.study, visit)
        self.link(document, self.build(document, visit))

    def about(self, asked: Mapping[str, str]) -> Mapping[str, str]:
        return {"recording": self._pages.name(asked)}

    def adopt(self, asked: Mapping[str, str]) -> None:
        location: Any = pn.state.location
        location.search = f"?{urlencode(asked)}" if asked else ""


class ExplorePages:
    """Makes the page of each visit; what is computed of a recording is shared by all.

    Parameters
    ----------
    store : Store
    prefix : str
        Path under which a proxy has the pages.
    """

    def __init__(self, store: Store, prefix: str) -> None:
        self._store = store
        self._prefix = prefix
        self._studies: dict[str, Study] = {}
        self._template = templates(prefix).get_template("explore.html")

    def __call__(self, visit: Visit) -> Page:
        """A visitor's page, or why there is none."""
        names = list(self._store.recordings)
        try:
            study = self.study(visit)
        except DeckError as error:
            return Page(self._template, {"names": names, "recording": None, "error": str(error)})
        document: Any = pn.state.curdoc
        document.config.notify_connection_status = False  # the page says so in its own words
        explorer = Explorer(study)
        location: Any = pn.state.location
        location.sync(explorer.controls, list(IN_ADDRESS), on_error=explorer.refuse)
        roots: dict[str, Any] = {
            "location": location,
            "fields": fields(explorer, names),
            "count": count(explorer),
            "trials": trials(explorer, self._play),
            "message": message(explorer),
        }
        for name, (plot, says) in explorer.plots().items():
            roots[f"{name}_says"], roots[name] = plotted(name, plot, says)
        recording = study.recording
        shown = {"names": names, "recording": recording, "facts": _numbers(recording)}
        return Page(self._template, shown, roots)

    def name(self, asked: Mapping[str, str]) -> str:
        """Of the recording that an address names, the default one's if it names none."""
        return asked.get("recording", next(iter(self._store.recordings)))

    def study(self, visit: Visit) -> Study:
        """What is known of the recording that an address names.

        Reads the recording if nobody has.

        Raises
        ------
        UnknownRecording
        CannotFit
            If it has no spikes.
        """
        recording = self._store.recording_named(self.name(visit.asked))
        refuse_without_spikes(recording)
        study = self._studies.get(recording.name)
        if study is None or study.recording is not recording:
            study = self._studies[recording.name] = Study(recording)
        return study

    async def _play(self, explorer: Explorer) -> None:
        """Make a session that plays the trials that are chosen."""
        study = explorer.study
        ids = tuple(study.trial_ids[explorer.chosen].tolist()) if explorer.controls.trials else ()
        options = Options(study.recording.name, selection=Selection(trial_ids=ids))
        document: Any = pn.state.curdoc
        address = document.session_context.request.remote_ip
        try:
            session = await asyncio.to_thread(self._store.create, None, options, (), address)
        except DeckError as error:
            explorer.message = str(error)
        else:
            explorer.session = f"{self._prefix}/live?session={session.code}"


def _numbers(recording: Recorded) -> list[tuple[str, str]]:
    """How much there is of a recording."""
    return [
        ("Units", f"{recording.n_units}"),
        ("Length", clock(recording.duration)),
        ("Trials", f"{len(recording.trials)}"),
        ("Target places", f"{len(recording.target_places)}"),
        ("Bins", f"{1e3 * recording.bin_width:g} ms"),
    ]
