"""What pages are made of, without a browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from bokeh.document import Document
from panel.io.state import set_curdoc

from dashboard import theme
from dashboard.documents import Page, Visit
from dashboard.live.application import LivePages, addresses
from dashboard.live.page import Parts
from dashboard.templates import script_json
from engine.bins.source import Source
from engine.errors import NotThere
from plotters import PLOTTERS
from sessions.awaited import StillWaits
from sessions.options import Options
from sessions.rest.context import Context
from sessions.sources import Sources
from sessions.store import Store
from tests.builders import small_recording
from tests.engine.listening import Notebook


@pytest.fixture
def store() -> Iterator[Store]:
    made = Store({"small": small_recording()}, make_sinks={"lsl": lambda _: Notebook()})
    yield made
    made.close()


def live(store: Store, visit: Visit) -> Page:
    with set_curdoc(Document()):
        return LivePages(Parts(Context(store, 8000, 5006), "", PLOTTERS, {}), "Rig3", False)(visit)


@pytest.mark.parametrize(
    ("host", "secure", "address"),
    [
        ("lab.example:5006", False, "ws://lab.example:8000/stream/one"),
        ("lab.example", True, "wss://lab.example:8000/stream/one"),
        ("[::1]:5006", False, "ws://[::1]:8000/stream/one"),
    ],
)
def test_addresses_name_the_host_as_the_visitor_does(
    store: Store, host: str, secure: bool, address: str
) -> None:
    store.create("one")
    page = live(store, Visit(host, secure, {"session": "one"}))
    assert ("WebSocket, JSON", address) in page.variables["addresses"]


def test_lsl_names_are_shown_for_sessions_that_have_outlets(store: Store) -> None:
    store.create("with", Options(lsl=True))
    store.create("without", Options(lsl=False))
    named = {
        code: dict(live(store, Visit("here", False, {"session": code})).variables["addresses"])
        for code in ("with", "without")
    }
    assert named["with"]["LSL, neural"] == "Rig3-Neural-with"
    assert "LSL, neural" not in named["without"]


def test_the_streams_of_voltages_are_shown_for_sessions_that_have_some() -> None:
    assert "voltages" not in str(addresses("ws://here", "one", "Rig3", voltages=False))
    assert ("WebSocket, voltages", "ws://here/stream/raw/one") in addresses("ws://here", "one", None, True)
    assert ("LSL, raw", "Rig3-Raw-one") in addresses("ws://here", "one", "Rig3", voltages=True)


def test_the_page_of_a_session_that_waits_says_for_what_and_looks_again(store: Store) -> None:
    def missing(what: str, _: float) -> Source:
        raise NotThere("It is not there.", what)

    store.sources = Sources({"rig": missing})
    with pytest.raises(StillWaits):
        store.create("deck", Options(source="rig:<one>"))
    page = live(store, Visit("here", False, {"session": "deck"}))
    text = page.template.render({**page.variables, "roots": {}})
    assert page.status == 200
    assert "waits for stream &#39;&lt;one&gt;&#39; since" in text
    assert '<meta http-equiv="refresh" content="2">' in text


def test_what_a_visitor_types_is_never_markup(store: Store) -> None:
    page = live(store, Visit("here", False, {"session": "<script>alert(1)</script>"}))
    assert page.status == 404
    assert "<script>alert" not in page.template.render({**page.variables, "roots": {}})
    assert script_json({"name": "</script>"}) == '{"name":"\\u003c/script>"}'


def luminance(colour: str) -> float:
    """Relative luminance, https://www.w3.org/TR/WCAG21/#dfn-relative-luminance"""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("name", theme.COLOURS)
def test_text_can_be_read_and_counts_differ_in_lightness(name: str) -> None:
    colours = theme.COLOURS[name]
    assert theme.COLOURS["dark"].keys() == colours.keys()
    for text in ("text", "muted", "accent", "good", "bad"):
        assert min(contrast(colours[text], colours[ground]) for ground in ("page", "card")) >= 4.5
    assert contrast(colours["on-key"], colours["key"]) >= 4.5
    _, *ramp = (luminance(colour) for colour in theme.count_palette(name))
    assert ramp == sorted(ramp, reverse=name == "light")
    assert contrast(theme.count_palette(name)[1], colours["plot"]) >= 2
