"""Names from files and from clients are text on every page, whatever they look like."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from types import MappingProxyType
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import urlopen

import pytest
import websocket
from playwright.sync_api import Browser, expect

from dashboard import theme
from engine.sources.recordings.recording import Recording
from plotters.pictures import page as pictures
from sessions.studio import Studio
from tests.builders import small_recording
from tests.dashboard.conftest import Deck

SCRIPTS = [
    "<script>ran()</script>",
    "</script><script>ran()</script>",
    "</title><script>ran()</script>",
    "</option></select><script>ran()</script>",
    "</style><script>ran()</script>",
    "</textarea><script>ran()</script>",
    "--><script>ran()</script><!--",
    "]]><script>ran()</script>",
    "<!--<script>ran()</script>",
    "<img src=x onerror=ran()>",
    '"><img src=x onerror=ran()>',
    "'><img src=x onerror=ran()>",
    "<svg/onload=ran()>",
    "<svg><script>ran()</script></svg>",
    "<math><mi xlink:href=javascript:ran()>",
    "<details open ontoggle=ran()>",
    '" autofocus onfocus="ran()',
    "' autofocus onfocus='ran()",
    " autofocus onfocus=ran() ",
    "<iframe srcdoc='<script>parent.ran()</script>'>",
    "<iframe src=javascript:parent.ran()>",
    "<a href=javascript:ran()>name</a>",
    "<base href=//evil.example/>",
    "<meta http-equiv=refresh content=0;url=javascript:ran()>",
    "<object data=javascript:ran()>",
    "<form><button formaction=javascript:ran()>",
    '";ran();//',
    "';ran();//",
    "\\u003cscript\\u003eran()\\u003c/script\\u003e",
    "\u2028ran()//",
    "${ran()}",
    "{{ran()}}",
    "{% raw ran() %}",
    "{{ ''.__class__.__mro__ }}",
    "&lt;script&gt;ran()&lt;/script&gt;",
    "&#60;script&#62;ran()&#60;/script&#62;",
    "%3Cscript%3Eran()%3C/script%3E",
    "\uff1cscript\uff1eran()\uff1c/script\uff1e",
    "<noscript><p title='</noscript><img src=x onerror=ran()>'>",
    "$\\frac{<script>ran()</script>}$",
]
HARMLESS = "a harmless name"


def hostile(name: str, names: list[str]) -> Recording:
    """A recording in whose every name stands one of `names`."""
    made = small_recording(len(names), name=name)
    columns = MappingProxyType({f"column {each}": each for each in names})
    series = {what: {"name": name, "path": name, "how": name} for what in ("position", "velocity")}
    passed = [{"name": each, "path": each, "reason": each} for each in names]
    return replace(
        made,
        channel_names=tuple(names),
        length_unit=names[0],
        trials=tuple(replace(trial, columns=columns) for trial in made.trials),
        series=MappingProxyType({**series, "passed_over": passed}),
    )


@pytest.fixture(scope="module")
def deck() -> Iterator[Deck]:
    """Replays a recording of every hostile name, and one of harmless names to compare with."""
    studio = Studio(pictures.draw, theme.roles, starting=60.0)
    recordings = [hostile(each, SCRIPTS) for each in SCRIPTS]
    harmless = hostile(HARMLESS, [f"{HARMLESS} {i}" for i in range(len(SCRIPTS))])
    made = Deck(recordings[0], others=[*recordings[1:], harmless], studio=studio)
    yield made
    made.stop()
    studio.close()


class Skeleton(HTMLParser):
    """Elements and the names of their attributes: what a page is made of, without its texts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.parts: list[tuple[str, ...]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.parts.append((tag, *(name for name, _ in attrs)))

    def handle_comment(self, data: str) -> None:
        self.parts.append(("comment", data))


def fetch(deck: Deck, path: str) -> tuple[str, str, str]:
    """Content type, sniffing policy and content of whatever is answered."""
    try:
        answer = urlopen(deck.url + path, timeout=30)
    except HTTPError as refusal:
        answer = refusal
    with answer:
        kind, sniffing = answer.headers["Content-Type"], answer.headers.get("X-Content-Type-Options", "")
        return kind, sniffing, answer.read().decode()


def skeleton(deck: Deck, path: str) -> list[tuple[str, ...]]:
    kind, _, content = fetch(deck, path)
    assert kind.startswith("text/html")
    return Skeleton(content).parts


@pytest.mark.parametrize("address", ["/live?session={}", "/explore?recording={}"])
def test_what_a_page_does_not_know_is_text(deck: Deck, address: str) -> None:
    expected = skeleton(deck, address.format("no+such"))
    for script in SCRIPTS:
        if script in deck.store.recordings and "recording" in address:
            script += " no more"
        assert skeleton(deck, address.format(quote(script, safe=""))) == expected, script


def test_names_of_a_recording_are_text_on_its_pages(deck: Deck) -> None:
    def sessions_page(name: str, code: str) -> list[tuple[str, ...]]:
        deck.api("POST", "/api/sessions", {"custom_code": code, "recording": name})
        return skeleton(deck, f"/live?session={code}")

    expected = sessions_page(HARMLESS, "harmless")
    for i, script in enumerate(SCRIPTS[::10]):  # each holds all of them as names of units
        assert sessions_page(script, f"s{i}") == expected, script
        deck.store.delete(f"s{i}")
    deck.store.delete("harmless")


@pytest.mark.parametrize(
    "address",
    [
        "/api/sessions/{}",
        "/api/sessions/{}/report.html",
        "/api/metadata?recording={}",
        "/api/trials?{}=1",
        "/api/trials?recording={}",
        "/api/{}",
        "/stream/deck?decoder={}",
        "/api/records/{}.nwb",
    ],
)
def test_errors_repeat_names_as_json_alone(deck: Deck, address: str) -> None:
    for script in SCRIPTS:
        kind, sniffing, content = fetch(deck, address.format(quote(script, safe="")))
        assert kind.partition(";")[0] == "application/json", script
        assert sniffing == "nosniff" or address.startswith("/stream"), script
        json.loads(content)


def test_a_report_and_its_pictures_show_names_as_text(deck: Deck) -> None:
    deck.api("POST", "/api/sessions", {"custom_code": "report", "recording": SCRIPTS[0]})
    kind, _, report = fetch(deck, "/api/sessions/report/report.html?seconds=1")
    assert kind.startswith("text/html"), report
    parts = Skeleton(report).parts
    assert not [part for part in parts if part[0] in ("script", "iframe", "img", "object", "base")]
    assert not [part for part in parts if any(name.startswith("on") for name in part[1:])]


def test_no_script_runs_in_a_browser(deck: Deck, browser: Browser) -> None:
    """With the pages' own policy off, which would hide a fault of theirs."""
    script = SCRIPTS[10]
    code = deck.api("POST", "/api/sessions", {"custom_code": "shown", "recording": script})["session_code"]
    named = f"ws://127.0.0.1:{deck.port}/stream/{code}?decoder={quote(script, safe='')}"
    decoder = websocket.create_connection(named, timeout=20)
    decoder.recv()  # metadata
    for _ in range(40):
        number = json.loads(decoder.recv())["data"]["sequence_number"]
        answer = {"type": "prediction", "sequence_number": number, "x": 0.0, "y": 0.0}
        decoder.send(json.dumps(answer))
    with browser.new_context(bypass_csp=True) as context:
        context.add_init_script("window.ran = () => { window.hasRun = true; }")
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("dialog", lambda dialog: dialog.dismiss())
        page.goto(deck.live(code))
        page.wait_for_selector("body[data-connection=open][data-state]")
        page.wait_for_function("() => window.deckStats?.painted >= 5")
        assert script in page.inner_text("h1, main")
        expect(
            page.get_by_role("rowheader", name=script).or_(page.get_by_role("cell", name=script)).first
        ).to_be_visible()  # the decoder's name among the scores
        assert page.evaluate("window.hasRun") is None
        addresses = [
            "/",
            f"/explore?recording={quote(script, safe='')}",
            "/live?session=" + quote(script, safe=""),
        ]
        for address in [*addresses, f"/api/sessions/{code}/report.html?seconds=1"]:
            page.goto(deck.url + address)
            page.wait_for_load_state("load")
            assert page.evaluate("window.hasRun") is None, address
        page.goto(deck.url + addresses[1])
        page.wait_for_selector("body[data-controls=ready]")
        assert page.evaluate("window.hasRun") is None
    decoder.close()


def test_the_corpus_is_large_and_has_no_two_alike() -> None:
    assert len(set(SCRIPTS)) == len(SCRIPTS) == 40
