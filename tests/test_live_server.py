"""A real server whose sessions play the LSL streams of another one: REST, scores, records, page."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser
from websocket import create_connection

from engine.sinks.record.reading import read_record
from engine.sinks.record.scored import recompute
from tests.benchmarks import Server, server
from tests.engine.listening import PATIENCE, wait_until

CODE = f"up-{uuid.uuid4().hex[:8]}"
NAME = f"PhantomLink-Neural-{CODE}"


@pytest.fixture(scope="module")
def upstream() -> Iterator[ExitStack]:
    """The first server, which plays the default recording; close it to end it."""
    with ExitStack() as stack:
        made = stack.enter_context(server("--no-real-time"))
        made.ask("POST", "/api/sessions", {"custom_code": CODE, "lsl": True})
        made.ask("POST", f"/api/control/{CODE}/resume")
        yield stack


@pytest.fixture(scope="module")
def deck(upstream: ExitStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The second one, and a session of its source that plays."""
    records = tmp_path_factory.mktemp("records")
    with server("--no-lsl", "--no-real-time", "--source", f"lsl:{NAME}", "--records", str(records)) as ours:
        asked = time.monotonic()
        ours.ask("POST", "/api/sessions", {"custom_code": "down"})
        assert time.monotonic() - asked < 2.0
        ours.ask("POST", "/api/control/down/resume")
        wait_until(lambda: ours.get("/api/sessions/down")["packets_sent"] > 40)
        yield ours


def refused(deck: Server, method: str, path: str, body: object = None) -> tuple[int, str]:
    """Status and message of a call that is refused."""
    with pytest.raises(urllib.error.HTTPError) as caught:
        deck.ask(method, path, body)
    return caught.value.code, json.load(caught.value)["detail"]


def fetch(deck: Server, path: str) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{deck.port}{path}", timeout=60) as answer:
        return bytes(answer.read())


def test_it_says_what_it_plays_and_what_it_can(deck: Server) -> None:
    session = deck.get("/api/sessions/down")
    assert (session["source"], session["recording"], session["can"]) == (
        "lsl",
        NAME,
        ["pause", "perturbation"],
    )
    assert (session["stream"]["name"], session["stream"]["state"]) == (NAME, "running")
    for name in ("total_packets", "duration_seconds", "selected_packets"):
        assert session[name] is None
    stream = create_connection(f"ws://127.0.0.1:{deck.port}/stream/down", timeout=PATIENCE)
    told = json.loads(stream.recv())
    packet = json.loads(stream.recv())["data"]
    stream.close()
    for name in ("total_packets", "total_samples", "duration_seconds", "sha256"):
        assert told[name] is None
    assert (told["dataset"], told["num_channels"], told["length_unit"]) == (NAME, 142, "mm")
    assert told["count_dtype"] == "uint16"
    assert packet["packet_id"] == packet["sequence_number"]
    assert deck.get("/api/control/down/position")["duration_seconds"] is None
    assert deck.get("/health")["sources"] == []
    assert b"phantom_source_up" in fetch(deck, "/metrics?format=prometheus")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/control/down/seek", {"packet_id": 3}),
        ("POST", "/api/control/down/seek", {"trial_id": 3}),
        ("POST", "/api/control/down/step", None),
        ("PUT", "/api/sessions/down/selection", {"trial_ids": [1]}),
        ("PUT", "/api/sessions/down/speed", {"speed": 2.0}),
        ("PUT", "/api/sessions/down/speed", {"speed": "max"}),
        ("PUT", "/api/sessions/down/loop", {"loop": True}),
        ("POST", "/api/sessions/down/decoders", {"decoder": "wiener"}),
        ("POST", "/api/sessions", {"custom_code": "other", "speed": 2.0}),
        ("POST", "/api/sessions", {"custom_code": "other", "trial_ids": [1]}),
        ("POST", "/api/sessions", {"custom_code": "down", "source": "recording"}),
    ],
)
def test_what_it_cannot_do_is_409_with_the_reason_and_the_way_out(
    deck: Server, method: str, path: str, body: object
) -> None:
    status, said = refused(deck, method, path, body)
    assert status == 409
    assert "\n" not in said
    assert said.count(".") >= 2  # the reason, and the way out
    assert deck.get("/api/sessions/down")["state"] == "playing"


def test_an_unknown_source_is_refused_and_a_recording_can_still_be_asked_for(deck: Server) -> None:
    status, said = refused(deck, "POST", "/api/sessions", {"source": "tape"})
    assert (status, said) == (
        422,
        "Unknown source 'tape'. There are recording, user, user:skilled, user:naive, user:noisy, "
        "user:person, user:PRESET:electrodes, electrodes, electrodes:CHANNELS, lsl:NAME.",
    )
    deck.ask("POST", "/api/sessions", {"custom_code": "file", "source": "recording"})
    assert deck.get("/api/sessions/file")["source"] == "recording"
    deck.ask("POST", "/api/sessions", {"custom_code": "bare", "source": "lsl"})
    assert deck.get("/api/sessions/bare")["stream"]["name"] == NAME
    deck.ask("DELETE", "/api/sessions/file")
    deck.ask("DELETE", "/api/sessions/bare")


def test_speed_one_pause_and_resume_are_fine(deck: Server) -> None:
    deck.ask("PUT", "/api/sessions/down/speed", {"speed": 1})
    deck.ask("POST", "/api/control/down/pause")
    sent = deck.get("/api/sessions/down")["packets_sent"]
    assert deck.get("/api/sessions/down")["packets_sent"] == sent
    deck.ask("POST", "/api/control/down/resume")
    wait_until(lambda: deck.get("/api/sessions/down")["packets_sent"] > sent + 10)


def test_a_decoder_is_scored_and_all_is_recorded_with_the_trials(deck: Server, tmp_path: Path) -> None:
    deck.ask("POST", "/api/sessions/down/record")
    stream = create_connection(f"ws://127.0.0.1:{deck.port}/stream/down?decoder=true", timeout=PATIENCE)
    trials: list[int] = []
    until = time.monotonic() + 2 * PATIENCE
    while len(dict.fromkeys(trials)) < 4:
        assert time.monotonic() < until
        message = json.loads(stream.recv())
        if message["type"] != "data" or message["data"]["kinematics"]["x"] is None:
            continue
        packet = message["data"]
        trials += [] if packet["trial_id"] is None else [packet["trial_id"]]
        answer = {"sequence_number": packet["sequence_number"], **packet["kinematics"]}
        stream.send(json.dumps({"type": "prediction", **answer}))
    wait_until(lambda: len(deck.get("/api/sessions/down/scores")["decoders"]["true"]["trials"]) >= 2)
    stream.close()
    deck.ask("DELETE", "/api/sessions/down/record")
    wait_until(lambda: deck.get("/api/sessions/down/record")["state"] != "finishing")
    told = deck.get("/api/sessions/down/record")
    assert told["state"] == "finished", told
    scores = deck.get("/api/sessions/down/scores")["decoders"]["true"]
    assert scores["r2_position"] > 0.99
    assert any(trial["hit"] is not None for trial in scores["trials"])  # its go cue was told
    path = tmp_path / "record.nwb"
    path.write_bytes(fetch(deck, f"/api/records/{told['name']}.nwb"))
    record = read_record(path)
    ids = [trial.trial_id for trial in record.header.trials]
    assert list(dict.fromkeys(trials))[:3] == [each for each in ids if each in trials][:3]
    whole = record.header.trials[-2]
    assert whole.start_time <= whole.target_on_time <= whole.go_cue_time < whole.stop_time
    assert recompute(record)["true"].total.r2_position == pytest.approx(1.0, abs=1e-6)
    rows = record.rows
    row = rows[rows["trial"] == len(ids) - 2]
    assert np.diff(row["sequence_number"]).tolist() == [1] * (len(row) - 1)
    assert len(row) / 40 == pytest.approx(whole.stop_time - whole.start_time)
    with server("--no-lsl", "--data", str(path)) as replayed:  # a record is a recording
        known = [trial["trial_id"] for trial in replayed.get("/api/trials")["trials"]]
        whole_ones = list(dict.fromkeys(trials))[1:3]
        assert [each for each in known if each in whole_ones] == whole_ones


def test_pictures_and_the_report_can_be_had(deck: Server) -> None:
    assert fetch(deck, "/api/sessions/down/snapshot.png?seconds=2").startswith(b"\x89PNG")
    assert NAME.encode() in fetch(deck, "/api/sessions/down/report.html?seconds=2")
    assert fetch(deck, "/api/sessions/down/drift")


def test_the_page_lacks_the_controls_that_it_cannot_serve(deck: Server, browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    faults: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.goto(f"http://127.0.0.1:{deck.dashboard_port}/live?session=down")
    page.wait_for_function(
        """() => Bokeh.documents.some((each) => {
            const source = each.get_model_by_name("position/trace");
            return source && source.data.x.filter(Number.isFinite).length > 40;
        })""",
        timeout=30_000,
    )
    page.get_by_role("button", name="Pause", exact=True).wait_for(timeout=30_000)
    for name in ("Step", "Next trial"):
        assert page.get_by_role("button", name=name, exact=True).count() == 0, name
    assert page.get_by_role("textbox", name="Speed", exact=True).count() == 0
    assert page.get_by_role("switch", name="Loop").count() == 0
    assert page.locator("#selection").count() == 0
    assert not page.locator(".tape:has(.counter)").is_visible()
    ends = page.evaluate(
        """() => Bokeh.documents.map((each) => each.get_model_by_name("position/range"))
            .filter(Boolean).map((range) => [range.start, range.end])[0]"""
    )
    assert ends[0] < -20  # it has made room for what has come
    assert ends[1] > 20
    page.close()
    assert faults == []


def test_home_lists_it_without_a_length(deck: Server, browser: Browser) -> None:
    page = browser.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.goto(f"http://127.0.0.1:{deck.dashboard_port}/")
    position = page.locator("tr[data-key] [data-label=Position]", has_text=":").first
    position.wait_for(timeout=30_000)
    assert "/" not in position.inner_text()
    assert not page.locator("tr[data-key] progress").first.is_visible()
    page.close()
    assert faults == []


def test_a_stream_that_goes_is_told_everywhere(deck: Server, upstream: ExitStack, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(f"http://127.0.0.1:{deck.dashboard_port}/live?session=down")
    upstream.close()
    page.locator("[data-value=sinks]", has_text=f"The stream {NAME} is gone since").wait_for(timeout=30_000)
    page.close()
    wait_until(lambda: deck.get("/api/sessions/down")["stream"]["state"] == "gone")
    session = deck.get("/api/sessions/down")
    assert session["stream"]["since"] == pytest.approx(time.time(), abs=PATIENCE)
    assert deck.get("/health")["sources"] == [f"{NAME} of down"]
    assert b'phantom_source_up{session="down"} 0.0' in fetch(deck, "/metrics?format=prometheus")
    stream = create_connection(f"ws://127.0.0.1:{deck.port}/stream/down", timeout=PATIENCE)
    packets = [json.loads(stream.recv())["data"] for _ in range(121)][1:]
    stream.close()
    assert not packets[-1]["observed"]
    assert set(packets[-1]["spikes"]["spike_counts"]) == {0}
    assert packets[-1]["kinematics"]["x"] is None
    numbers = [packet["sequence_number"] for packet in packets]
    assert numbers == list(range(numbers[0], numbers[0] + 120))
