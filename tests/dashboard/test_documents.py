"""What is left of a page's document when it has ended."""

from __future__ import annotations

import asyncio
import weakref

import panel as pn
import pytest
from bokeh.document import Document
from jinja2 import Template

from dashboard import documents
from dashboard.documents import Page, Visit, application
from dashboard.panel_thread import PanelThread
from tests.engine.listening import wait_until


async def _visit(thread: PanelThread) -> bytes:
    stream = thread.connect("127.0.0.1")
    await stream.write(b"GET /page HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    return bytes(await stream.read_until_close())


@pytest.mark.usefixtures("no_collector")
def test_a_closed_page_goes_by_itself_but_for_what_others_may_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "AFTERWARDS", 0.0)
    made: list[weakref.ref[object]] = []
    shared = pn.widgets.TextInput(label="Of a plugin")

    def make(visit: Visit) -> Page:
        name = pn.widgets.TextInput(label="Name")
        card = pn.Column(name, pn.bind(str.upper, name))
        made.append(weakref.ref(name))
        roots = {"card": card, "plugin": pn.Column(shared)}
        return Page(Template("{{ title }}"), {}, roots, joined=note_models, kept=["plugin"])

    def note_models(document: Document) -> None:
        made.extend(weakref.ref(model) for model in document.models)

    thread = PanelThread(
        {"/page": application(make)},
        check_unused_sessions_milliseconds=50,
        unused_session_lifetime_milliseconds=50,
    )
    thread.start()
    for _ in range(2):
        assert b"200 OK" in asyncio.run(_visit(thread))
        wait_until(lambda: bool(made) and all(each() is None for each in made))
        shared.value += "still there"
    thread.stop()
