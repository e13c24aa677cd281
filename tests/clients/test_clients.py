"""Every example client, run as its readers run it, against a real server."""

from __future__ import annotations

import json
import re
import socket
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import pytest
import websocket

from engine.sinks.lsl import LslNames, LslSink
from engine.sources.recordings.recording import Recording
from tests.builders import small_recording
from tests.clients.conftest import CLIENTS, Deck, StartClient, playing

LIBRARIES = ("phantom.py", "phantom.js")
"""What the others are made with."""
FILES = sorted(path for path in CLIENTS.iterdir() if path.suffix in (".py", ".js", ".html", ".m"))
PROGRAMS = [path for path in FILES if path.name not in LIBRARIES]
IMPATIENT = sorted(
    {path.name for path in PROGRAMS} - {"browser.html", "decoder.m", "reconnecting.py", "redis_decoder.py"}
)
"""Those that end where they cannot connect."""
SUBJECTS = {
    ".py": r'"""[A-Z].*',
    ".js": r"// [A-Z].*",
    ".html": r"<!doctype html><!-- [A-Z].*",
    ".m": r"% [A-Z].*",
}


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.name)
def test_a_client_is_short_and_begins_with_what_it_is_for(program: Path) -> None:
    lines = program.read_text().splitlines()
    assert len(lines) < 70
    assert re.fullmatch(SUBJECTS[program.suffix], lines[0])


@pytest.mark.parametrize("program", FILES, ids=lambda path: path.name)
def test_the_readme_lists_a_client(program: Path) -> None:
    assert f"| `{program.name}` |" in (CLIENTS / "README.md").read_text()


@pytest.fixture(scope="module")
def silent_port() -> Iterator[int]:
    """A port at which nobody answers."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture(scope="module")
def guarded() -> Iterator[Deck]:
    with playing(token="a secret") as deck:
        yield deck


@pytest.mark.parametrize("name", IMPATIENT)
def test_a_client_says_in_one_line_that_there_is_no_server(
    start_client: StartClient, node_modules: Path, silent_port: int, name: str
) -> None:
    client = start_client(name, "--url", f"ws://127.0.0.1:{silent_port}", NODE_PATH=str(node_modules))
    said = client.complaint()
    assert said.startswith("Nobody answers ")
    assert said.count("\n") == 1


@pytest.mark.parametrize("name", IMPATIENT)
def test_a_client_looks_for_the_server_at_the_port_of_the_environment(
    start_client: StartClient, node_modules: Path, guarded: Deck, name: str
) -> None:
    port = guarded.url.rpartition(":")[2]
    client = start_client(name, NODE_PATH=str(node_modules), PHANTOM_PORT=port, PHANTOM_TOKEN="another")
    assert client.complaint().startswith("That is not this server's token.")


@pytest.mark.parametrize("name", IMPATIENT)
def test_a_client_says_in_one_line_why_it_is_refused(
    start_client: StartClient, node_modules: Path, guarded: Deck, name: str
) -> None:
    environment = {"NODE_PATH": str(node_modules), "PHANTOM_TOKEN": "another"}
    said = start_client(name, "--url", guarded.url, **environment).complaint()
    assert said.startswith("That is not this server's token.")
    assert said.count("\n") == 1


def test_the_client_of_redis_says_in_one_line_that_there_is_none(
    start_client: StartClient, silent_port: int
) -> None:
    client = start_client("redis_decoder.py", PHANTOM_REDIS=f"redis://127.0.0.1:{silent_port}/0")
    said = client.complaint()
    assert said.startswith("Redis does not answer ")
    assert said.count("\n") == 1


def test_a_session_that_exists_is_not_for_the_ridge_decoder(deck: Deck, start_client: StartClient) -> None:
    deck.store.create("demo")
    said = start_client("ridge_decoder.py", "--url", deck.url, "--session", "demo").complaint()
    assert said.startswith("Session demo was made with another ")


def test_the_python_client_receives_messagepack(deck: Deck, start_client: StartClient) -> None:
    printed = start_client("python_msgpack.py", "--url", deck.url, "--packets", 40).end()
    assert "small: 5 units, 40 bins per second\n" in printed
    assert re.search(
        r"packet 39: [\d.]+ Hz, 0 missed, 300 spikes, trial 0, cursor at \(79.0, 0.0\) mm\n", printed
    )
    assert printed.endswith("40 packets\n")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("python_msgpack.py", ["--packets", 5]),
        ("answering.py", ["--packets", 5]),
        ("reconnecting.py", ["--packets", 5]),
        ("compare_formats.py", ["--packets", 5]),
        ("ridge_decoder.py", []),
        ("node_deck.js", ["--packets", 5]),
    ],
)
def test_clients_show_the_token_of_the_environment(
    start_client: StartClient, node_modules: Path, name: str, options: list[str | int]
) -> None:
    with playing(small_recording(n_bins=2000), token="a secret") as deck:
        arguments = (name, "--url", deck.url, "--session", "demo", *options)
        printed = start_client(*arguments, PHANTOM_TOKEN="a secret", NODE_PATH=str(node_modules)).end()
    assert re.search(r"\b(5 packets|2000 bins streamed)", printed)


def test_the_answers_of_a_client_are_scored(deck: Deck, start_client: StartClient) -> None:
    client = start_client("answering.py", "--url", deck.url, "--packets", 40)
    assert client.end() == "40 packets, 39 answered\n"
    with urlopen(f"http://127.0.0.1:{deck.port}/api/sessions/demo/scores") as answer:
        scores = json.load(answer)["decoders"]
    assert list(scores) == ["my-decoder"]
    assert scores["my-decoder"]["on_time"] + scores["my-decoder"]["late"] > 0


def test_the_python_client_says_when_nothing_was_observed(start_client: StartClient) -> None:
    with playing(small_recording(gaps=True, n_bins=200, n_trials=5)) as deck:
        printed = start_client("python_msgpack.py", "--url", deck.url, "--packets", 40).end()
    assert "trial None, cursor not observed\n" in printed


def test_the_node_client_receives_messagepack(
    deck: Deck, start_client: StartClient, node_modules: Path
) -> None:
    client = start_client("node_deck.js", "--url", deck.url, "--packets", 40, NODE_PATH=str(node_modules))
    printed = client.end()
    assert "small: 5 units, 40 bins per second\n" in printed
    assert re.search(
        r"packet 39: [\d.]+ Hz, 0 missed, 300 spikes, trial 0, cursor at \(79.0, 0.0\)\n", printed
    )
    assert printed.endswith("40 packets\n")


def test_the_formats_are_compared_on_the_same_bins(deck: Deck, start_client: StartClient) -> None:
    printed = start_client("compare_formats.py", "--url", deck.url, "--packets", 20).end()
    sizes = {
        name: int(size) for name, size in re.findall(r"^(\S.*?) +(\d+) +\d+% +[\d.]+ us$", printed, re.M)
    }
    assert list(sizes) == ["JSON", "MessagePack full", "MessagePack flat", "MessagePack compact"]
    assert sizes["JSON"] > sizes["MessagePack flat"] > sizes["MessagePack compact"]


def test_the_lsl_client_makes_its_session_and_finds_its_stream(start_client: StartClient) -> None:
    code = f"test-{uuid.uuid4().hex[:12]}"  # others on this network may have a session too
    with playing(make_sinks={"lsl": lambda subject: LslSink(subject, LslNames())}) as deck:
        printed = start_client("lsl_inlet.py", "--url", deck.url, "--session", code, "--packets", 40).end()
    assert f"PhantomLink-Neural-{code}: 5 channels (EEG) at 40 Hz" in printed
    assert "40.00 Hz, 300 spikes" in printed
    assert printed.endswith("40 packets\n")


def test_the_reconnecting_client_survives_what_may_happen(start_client: StartClient) -> None:
    with playing() as deck:
        client = start_client("reconnecting.py", "--url", deck.url)
        client.until("Connected")
        witness = websocket.create_connection(f"{deck.url}/stream/demo", timeout=20)
        for _ in range(5):
            witness.recv()  # the client, which was there before, has the same packets
        for audience in deck.store.get("demo").audiences:
            audience.close(1013, "Too slow.")
        witness.close()
        assert "Too slow." in client.until("Disconnected")
        assert int(re.search(r": (\d+) missed$", client.until("missed"))[1]) > 0
    assert "The server is going down." in client.until("Disconnected")
    with playing(port=deck.port) as deck:
        assert "packet 0 came after" in client.until("a new session")
        deck.store.delete("demo")
        assert client.end().endswith(" packets\n")


def test_the_reconnecting_client_waits_for_a_server(deck: Deck, start_client: StartClient) -> None:
    with playing() as other:
        port = other.port
    client = start_client("reconnecting.py", "--url", f"ws://127.0.0.1:{port}", "--packets", 10)
    client.until("Disconnected")
    with playing(port=port):
        client.until("Connected")
        assert client.end().endswith("10 packets\n")


def tuned_recording() -> Recording:
    """30 cosine-tuned units in 100 trials of 40 bins, of which the last 8 are not observed."""
    recording = small_recording(30, 4000, n_trials=100, gaps=True)
    bins = recording.bins.copy()
    preferred = np.linspace(0, 2 * np.pi, 30, endpoint=False)
    tuned = (
        np.nan_to_num(bins["kinematics"][:, 2:]) @ np.stack([np.cos(preferred), np.sin(preferred)]) / 125
    )
    bins["counts"] = np.random.default_rng(0).poisson(1 + tuned.clip(-1, 1))
    bins.flags.writeable = False
    return replace(recording, bins=bins)


def test_the_ridge_decoder_uses_unbroken_history_alone_and_tidies_up(start_client: StartClient) -> None:
    with playing(tuned_recording()) as deck:
        printed = start_client("ridge_decoder.py", "--url", deck.url).end()
        assert deck.store.total_created == 1
        assert not deck.store.sessions
    # Each trial has 32 observed bins; the first nine of them have too little history.
    assert "4000 bins streamed, 2300 of them with 10 observed bins of history\n" in printed
    velocity, position = map(float, re.search(r"velocity (\S+), of position (\S+)", printed).groups())
    assert 0.8 < velocity < 1
    assert position < velocity
