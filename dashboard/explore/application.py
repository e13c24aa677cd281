"""The application that Panel's server runs at ``/explore``: one small document a page."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import threading
from contextlib import suppress
from typing import Any

from bokeh import __version__ as bokeh_version
from bokeh.application.handlers.handler import Handler
from bokeh.document import Document
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from panel.io.application import Application

from dashboard import theme
from dashboard.explore.cards import TITLES
from dashboard.explore.composed import composed
from dashboard.explore.page import ExplorePage
from dashboard.explore.settings import fields
from dashboard.explore.study import Study
from dashboard.pages import TEMPLATES, facts, script_json
from engine.errors import DeckError
from sessions.rest.pages import POLICY
from sessions.store import Store

log = logging.getLogger(__name__)


def explore_application(store: Store, prefix: str = "") -> Application:
    """Make the page ``/explore?recording=NAME`` for Panel's server; the first recording by default.

    `prefix` is the path under which a proxy has the pages.
    """
    return Application(ExploreHandler(store, prefix))  # type: ignore[no-untyped-call]


class ExploreHandler(Handler):
    """Makes a page's document; all that takes time happens off the event loop."""

    def __init__(self, store: Store, prefix: str) -> None:
        super().__init__()
        self._store = store
        self._studies: dict[str, Study] = {}
        environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.globals |= {
            "style": Markup(theme.style_sheet()),
            "bokeh_version": bokeh_version,
            "mount": prefix,
            "titles": TITLES,
            "policy": POLICY.partition("; frame-ancestors")[0],  # which only a header can say
        }
        self._template = environment.get_template("explore.html")

    def on_server_loaded(self, server_context: Any) -> None:  # noqa: ARG002
        """Compose the figures before somebody waits for them."""

        def compose() -> None:
            with suppress(OSError, subprocess.CalledProcessError):  # whoever opens the page is told
                composed()

        threading.Thread(target=compose, name="compose", daemon=True).start()

    async def on_session_created(self, session_context: Any) -> None:
        """Read, analyse and draw before the document is made."""
        wanted = session_context.request.arguments.get("recording", [])
        name = wanted[-1].decode(errors="replace") if wanted else None
        variables: dict[str, Any] = {"names": list(self._store.recordings), "recording": None}
        page = None
        try:
            page, deck = await asyncio.to_thread(self._open, name)
        except DeckError as error:
            variables["error"] = str(error)
        except (OSError, subprocess.CalledProcessError) as error:
            log.warning("The figures could not be composed: %s", error)
            variables["error"] = "The figures could not be composed. The server's log says why."
        else:
            recording = page.study.recording
            variables |= {
                "recording": recording,
                "facts": facts(recording),
                "fields": list(fields(page.settings, recording)),
                "deck": deck,
            }

        async def fill(document: Document) -> None:
            document.template = self._template
            document.template_variables.update(variables)
            if page is not None:
                page.join(document)

        await session_context.with_locked_document(fill)

    def modify_document(self, doc: Document) -> None:
        """Nothing: `on_session_created`, which may wait for other threads, has filled it."""

    def _open(self, name: str | None) -> tuple[ExplorePage, Markup]:
        recording = self._store.recording_named(name)
        study = self._studies.get(recording.name)
        if study is None:
            study = self._studies[recording.name] = Study(recording)
        return ExplorePage(study), script_json({"roles": theme.roles(), "document": composed()})
