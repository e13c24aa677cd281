"""Decoders that the server starts: real processes, over REST."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from sessions import launcher
from sessions.launcher import READ_AT_ONCE, Launched, Launcher, Started
from sessions.logs import Log
from sessions.refusals import Busy
from tests.engine.listening import wait_until
from tests.sessions.serving import Client, serving

DECODERS = "/api/sessions/deck/decoders"
PATIENCE = 30.0


@pytest.fixture
def call() -> Iterator[Client]:
    with serving() as client:
        client.create()
        yield client


def start(call: Client, decoder: str = "passthrough") -> None:
    reply = call("POST", DECODERS, {"decoder": decoder})
    assert reply.status == 200, reply.content


def wait_for(call: Client, state: str) -> Any:
    """The only decoder, once it is in a state."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        (decoder,) = call("GET", DECODERS).json["decoders"]
        if decoder["state"] == state:
            return decoder
    raise AssertionError(decoder)


def test_a_decoder_is_started_runs_and_is_stopped(call: Client) -> None:
    assert call("GET", DECODERS).json == {"decoders": [], "count": 0}
    start(call, "kalman")
    decoder = wait_for(call, "running")
    assert decoder == {
        "name": "kalman",
        "state": "running",
        "line": "Decoding session deck with kalman.",
    }
    while "kalman" not in call("GET", "/api/sessions/deck/scores").json["decoders"]:
        assert wait_for(call, "running")
    started = call.store.get("deck").launched.decoders["kalman"]
    assert call("DELETE", f"{DECODERS}/kalman").json["count"] == 0
    assert not started.alive


def test_all_that_a_decoder_says_stands_in_its_log(call: Client) -> None:
    start(call, "kalman")
    wait_for(call, "running")
    reply = call("GET", f"{DECODERS}/kalman/log")
    assert reply.headers["Content-Type"] == "text/plain; charset=utf-8"
    learns, learned, decoding = reply.content.decode().splitlines()
    assert learns.startswith("kalman learns from 3 trials")
    assert learned.startswith("kalman has learned from 3 trials")
    assert decoding == "Decoding session deck with kalman."
    reply = call("GET", f"{DECODERS}/oracle/log")
    assert (reply.status, reply.json["error"]["code"]) == (404, "unknown_decoder")


def started(launched: Launched, program: str) -> Started:
    """A process of this program in the place of a decoder's."""

    def launch() -> subprocess.Popen[str]:
        command = [sys.executable, "-c", program]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)

    return launched.start("mine", launch, Log(None, "deck", "mine"))


@pytest.mark.parametrize("end", ["", "; input()"], ids=["after it has ended", "while it runs"])
def test_what_a_decoder_leaves_behind_holds_nobody(end: str) -> None:
    launched = Launched(lambda: None)
    program = "import subprocess; subprocess.Popen(['sleep', '600']); print('made', flush=True)"
    mine = started(launched, program + end.replace("input()", "__import__('time').sleep(600)"))
    wait_until(lambda: mine.line == "made" and (end != "" or not mine.alive))
    began = time.monotonic()
    launched.stop("mine")
    assert time.monotonic() - began < PATIENCE / 3
    assert not mine.alive


def test_output_without_an_end_is_read_in_parts() -> None:
    said = []
    launched = Launched(lambda: said.append(len(mine.line)) if mine else None)
    mine: Started | None = None
    mine = started(launched, f"print('x' * {20 * READ_AT_ONCE}, end='')")
    wait_until(lambda: mine.state == "ended")
    assert len(said) >= 20 - 1
    launched.close()


def test_a_session_whose_code_looks_like_an_option_starts_decoders(call: Client) -> None:
    call("POST", "/api/sessions", {"custom_code": "--help"})
    reply = call("POST", "/api/sessions/--help/decoders", {"decoder": "passthrough"})
    assert reply.status == 200
    decoders = call.store.get("--help").launched
    wait_until(lambda: decoders.decoders["passthrough"].state == "running")


def test_decoders_end_with_their_session(call: Client) -> None:
    start(call)
    wait_for(call, "running")
    session = call.store.get("deck")
    started = session.launched.decoders["passthrough"]
    call("DELETE", "/api/sessions/deck?force=true")
    assert started.state == "ended"
    assert session.launched.decoders == {}


def test_one_that_fails_says_why_until_it_is_removed() -> None:
    with serving(launcher=Launcher("ws://127.0.0.1:9")) as call:
        call.create()
        start(call)
        assert wait_for(call, "failed")["line"].startswith("Nobody answers at ws://127.0.0.1:9 ")
        assert call("DELETE", f"{DECODERS}/passthrough").json["count"] == 0


def test_what_cannot_be_started_is_refused(call: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(decoder: str, status: int, words: str) -> None:
        reply = call("POST", DECODERS, {"decoder": decoder})
        assert reply.status == status
        assert words in reply.json["error"]["message"]

    refused("oracle", 422, "Unknown decoder 'oracle'. There are passthrough, ")
    for name in (f"{__file__}:Client", "os:system", "sklearn.linear_model:Ridge", "net.onnx"):
        refused(name, 422, f"Unknown decoder '{name}'"[:80])  # code is not for clients to name
    monkeypatch.setattr(launcher, "PER_SESSION", 1)
    start(call)
    refused("passthrough", 409, "passthrough runs already")
    refused("delayed", 409, "1 decoders were started for this session")
    monkeypatch.setattr(launcher, "PER_SERVER", 1)
    refused("delayed", 503, "This server runs 1 decoders")
    reply = call("DELETE", f"{DECODERS}/oracle")
    assert (reply.status, reply.json["error"]["code"]) == (404, "unknown_decoder")


def test_nothing_starts_when_the_session_has_ended() -> None:
    launched = Launched(lambda: None)
    launched.close()
    with pytest.raises(launcher.NotNow, match="just ended"):
        Launcher("ws://127.0.0.1:9").start(launched, "deck", "passthrough")


def test_starts_at_once_are_never_more_than_the_limit() -> None:
    """24 at once, for a session each, of decoders that go on trying to connect."""
    made = Launcher("ws://127.0.0.1:9")
    of_sessions = [Launched(lambda: None) for _ in range(24)]
    ready, refused = threading.Barrier(24), []

    def ask(launched: Launched) -> None:
        ready.wait()
        try:
            made.start(launched, "deck", "passthrough")
        except Busy:
            refused.append(launched)

    askers = [threading.Thread(target=ask, args=(launched,)) for launched in of_sessions]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    n_started = sum(len(launched.decoders) for launched in of_sessions)
    for launched in of_sessions:
        launched.close()

    assert (n_started, len(refused)) == (launcher.PER_SERVER, 24 - launcher.PER_SERVER)
