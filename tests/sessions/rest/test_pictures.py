"""Pictures, the report and events over REST: a real server, and a real process that draws."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from typing import get_args

import numpy as np
import pytest
from PIL import Image

from dashboard.theme import roles
from engine.moment import Plot
from plotters.pictures import PANELS, raster
from plotters.pictures.page import Kind as DrawnKind
from plotters.pictures.page import draw
from sessions import studio as sessions_studio
from sessions.refusals import Busy
from sessions.rest.requests import Theme
from sessions.store import Store
from sessions.studio import Studio
from tests.builders import small_recording
from tests.engine.listening import Keeper
from tests.sessions.serving import Client, Reply, serving

BINS = 120
DOUBT = "20 trials have no stop."


@pytest.fixture(scope="module")
def call() -> Iterator[Client]:
    """A paused session that has sent 120 disturbed bins."""
    studio = Studio(draw, roles, starting=60.0)
    recording = replace(small_recording(12, 4000, n_trials=80, gaps=True), warnings=(DOUBT,))
    with serving(Store({"small": recording}), studio) as client:
        client.create(seed=3, speed=100.0, perturbation={"preset": "moderate"})
        replay = client.store.get("deck").replay
        keeper = Keeper(replay)
        replay.start()
        keeper.wait_rows(BINS)
        replay.pause()
        yield client
        studio.close()


def refused(reply: Reply, status: int, code: str) -> str:
    assert (reply.status, reply.json["error"]["code"]) == (status, code)
    return str(reply.json["detail"])


def texts(svg: bytes) -> str:
    return " ".join(re.findall(r"<text[^>]*>([^<]*)</text>", svg.decode()))


def test_names_are_the_same_on_both_sides_of_the_process() -> None:
    assert set(get_args(Plot)) == set(PANELS)
    assert set(get_args(Theme)) == set(roles())
    assert get_args(sessions_studio.Kind) == get_args(DrawnKind)


@pytest.mark.parametrize(
    ("name", "content_type", "begins"),
    [
        (
            "snapshot.png?plots=raster,arena&seconds=2&theme=dark&width=640",
            "image/png",
            b"\x89PNG\r\n\x1a\n",
        ),
        ("snapshot.svg?plots=timing", "image/svg+xml", b"<?xml"),
        ("snapshot.pdf?plots=units", "application/pdf", b"%PDF-1."),
    ],
)
def test_each_kind_of_file(call: Client, name: str, content_type: str, begins: bytes) -> None:
    reply = call("GET", f"/api/sessions/deck/{name}")
    assert (reply.status, reply.headers["Content-Type"]) == (200, content_type)
    assert reply.content.startswith(begins)
    if "png" in name:
        assert Image.open(io.BytesIO(reply.content)).width == 640


def test_all_plots_are_drawn_with_a_caption(call: Client) -> None:
    drawn = texts(call("GET", "/api/sessions/deck/snapshot.svg").content)
    assert all(panel.title in drawn for panel in PANELS.values())
    newest = call.store.get("deck").ring.snapshot()[-1]
    for part in (
        "Session deck, recording small",
        f"at {newest['packet_id'] / 40:.2f} s of the recording, at 100 times real time.",
        "Perturbation: noise (sd 0.5), drift (amplitude 0.3, period 60); seed 3.",
    ):
        assert part in drawn


def test_the_counts_drawn_are_those_that_were_sent(call: Client) -> None:
    svg = call("GET", "/api/sessions/deck/snapshot.svg?plots=raster&seconds=2").content.decode()
    encoded = re.search(r'<image [^>]*"data:image/png;base64,\s*([^"]+)"', svg)
    assert encoded
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded[1]))).convert("RGBA"))
    sent = call.store.get("deck").ring.snapshot(2.0)
    original = call.store.recording.counts[sent["packet_id"]]
    assert (sent["counts"] != original).any()
    top = raster.top_count(sent["counts"])
    assert pixels.shape[:2] == (12, 80)
    shown: dict[int, tuple[int, ...]] = {}
    for row, column in np.ndindex(12, 80):  # the last unit is at the top
        count = min(int(sent["counts"][column, 11 - row]), top)
        assert shown.setdefault(count, tuple(pixels[row, column])) == tuple(pixels[row, column])
    assert len(set(shown.values())) == len(shown) > 2
    assert shown[0][3] == 0


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("plots=rastr,arena", "'raster', 'rate', 'arena', 'position', 'velocity', 'units' or 'timing'"),
        ("theme=pink", "'light' or 'dark'"),
        ("width=299", "greater than or equal to 300"),
        ("width=4001", "less than or equal to 4000"),
        ("seconds=0.9", "greater than or equal to 1"),
        ("seconds=61", "less than or equal to 60"),
        ("dpi=300", "There are seconds, plots, theme, width."),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_what_can(call: Client, query: str, told: str) -> None:
    assert told in refused(call("GET", f"/api/sessions/deck/snapshot.png?{query}"), 422, "invalid")


def test_unknown_sessions_and_files(call: Client) -> None:
    refused(call("GET", "/api/sessions/nobody/snapshot.png"), 404, "unknown_session")
    refused(call("GET", "/api/sessions/nobody/report.html"), 404, "unknown_session")
    refused(call("GET", "/api/sessions/deck/snapshot.gif"), 404, "not_found")


def test_when_there_is_no_room_clients_are_told_when_to_ask_again() -> None:
    class Full:
        def draw(self, *_: object) -> bytes:
            raise Busy("Too many pictures are being drawn.")

    with serving(studio=Full()) as call:
        call.create()
        reply = call("GET", "/api/sessions/deck/snapshot.png")
        refused(reply, 503, "busy")
        assert int(reply.headers["Retry-After"]) > 0


# The report


class Page(HTMLParser):
    """Text of a page, and every attribute that would fetch something."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text: list[str] = []
        self.fetched: list[str] = []
        self.tags: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        names = ("src", "href", "xlink:href", "action", "srcset")
        self.fetched += [value or "" for name, value in attrs if name in names]

    def handle_data(self, data: str) -> None:
        self.text.append(data.strip())


@pytest.fixture(scope="module")
def report(call: Client) -> Reply:
    call("PUT", "/api/sessions/deck/loop", {"loop": False})
    return call("GET", "/api/sessions/deck/report.html?seconds=5")


def test_a_report_has_settings_plots_events_and_timing(report: Reply) -> None:
    page = Page(report.content.decode())
    text = " ".join(page.text)
    for part in (
        "Session deck",
        "Recording small, which is synthetic.",
        "on (amplitude 0.3, period 60)",
        "every bin",
        "From due to sent",
        "The newest 5 s, as they were sent",
        "loop off",
        "pause",
        DOUBT,
        *(panel.title for panel in PANELS.values()),
    ):
        assert part in text
    assert page.tags.count("svg") == 2
    assert "Scores" not in text


def test_a_report_names_no_outside_address_and_runs_nothing(report: Reply) -> None:
    html = report.content.decode()
    assert not re.findall(r'(?<!xmlns=")(?<!xmlns:xlink=")https?://[^"\s]*', html)
    page = Page(html)
    assert all(each.startswith(("#", "data:image/png;base64,")) for each in page.fetched)
    assert not {"script", "link", "iframe", "object"} & set(page.tags)
    assert "img-src data:" in report.headers["Content-Security-Policy"]


def test_a_report_takes_its_colours_from_the_readers_theme(report: Reply) -> None:
    html = report.content.decode()
    drawn = html[html.index("<svg") :]
    assert "var(--good)" in drawn
    assert not [
        colour for role, colour in roles()["light"].items() if role in ("text", "good") and colour in drawn
    ]
    assert "@media screen and (prefers-color-scheme: dark)" in html
    assert "@page" in html


# Events


def test_events_tell_what_was_asked_and_when() -> None:
    with serving() as call:
        made = call.create()
        begun = call.store.get(made).created
        call("POST", "/api/control/deck/seek", {"packet_id": 7})
        call("PUT", "/api/sessions/deck/perturbation", {"preset": "light"})
        events = call("GET", "/api/sessions/deck/events").json
        assert [event["text"] for event in events["events"]] == ["seek 7", "perturbation noise drift"]
        times = [event["timestamp"] for event in events["events"]]
        assert begun <= times[0] <= times[1]
        assert events["count"] == 2
