"""Decoders that ask for bins and answer call by call, as curl, R or MATLAB do."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
import websocket
from jsonschema import Draft202012Validator

from engine.answers import callers
from engine.bins.answered import Verdict
from sessions.rest import context
from sessions.store import Store
from tests.builders import small_recording
from tests.engine.listening import PATIENCE, Keeper, wait_until
from tests.sessions.serving import Client, Reply, serving

BINS, PREDICTIONS = "/api/sessions/deck/bins", "/api/sessions/deck/predictions"


@pytest.fixture
def call() -> Iterator[Client]:
    with serving() as client:
        client.create()
        yield client


@pytest.fixture
def later() -> Iterator[Callable[..., Future[Any]]]:
    with ThreadPoolExecutor() as pool:
        yield pool.submit


def step(call: Client, n: int) -> None:
    """Send the next `n` bins, and pause."""
    session = call.store.get("deck")
    for _ in range(n):
        head = session.ring.head
        session.replay.step()
        wait_until(lambda head=head: session.ring.head > head)


def waiting(call: Client, n: int) -> None:
    """Wait until so many requests wait."""
    wait_until(lambda: sum(each.size for each in call.store.get("deck").audiences) == n)


def numbers(reply: Reply) -> list[int]:
    assert reply.status == 200, reply.content
    return [each["sequence_number"] for each in reply.json["bins"]]


def test_bins_from_a_number_on_come_as_the_flat_layout_has_them(call):
    call.store.get("deck").replay.pause()
    stream = websocket.create_connection(f"ws://127.0.0.1:{call.port}/stream/deck?layout=flat", timeout=20)
    stream.recv()
    step(call, 4)
    sent = [json.loads(stream.recv()) for _ in range(4)]
    stream.close()

    reply = call("GET", f"{BINS}?since=1")
    assert reply.json == {"bins": sent[1:], "lost": 0, "next": 4, "decoder": None}
    document = call("GET", "/openapi.json").json
    schema = {"$ref": "#/components/schemas/BinsAnswer", "components": document["components"]}
    Draft202012Validator(schema).validate(reply.json)


def test_at_most_400_bins_come_and_those_that_have_left_the_ring_are_counted(call):
    session = call.store.get("deck")
    session.replay.set_speed("max")
    call("GET", BINS)  # starts it: at this speed it plays for listeners alone
    wait_until(lambda: session.ring.head > session.ring.capacity + 1000)
    session.replay.pause()
    gone = session.ring.head - session.ring.capacity

    first = call("GET", f"{BINS}?since=7")
    assert numbers(first) == [*range(gone, gone + 400)]
    assert (first.json["lost"], first.json["next"]) == (gone - 7, gone + 400)
    assert numbers(call("GET", f"{BINS}?since={first.json['next']}"))[0] == gone + 400


def test_a_request_waits_for_the_next_bin_and_starts_a_session_that_was_never_played(call, later):
    reply = later(call, "GET", BINS).result(PATIENCE)
    assert numbers(reply) == [0]

    session = call.store.get("deck")
    session.replay.pause()
    head = session.ring.head
    waits = later(call, "GET", f"{BINS}?since={head}")
    waiting(call, 1)
    step(call, 1)
    assert numbers(waits.result(PATIENCE)) == [head]


def test_an_answer_without_bins_comes_when_the_time_is_over(call):
    call.store.get("deck").replay.pause()
    assert call("GET", f"{BINS}?wait=0.05").json == {"bins": [], "lost": 0, "next": 0, "decoder": None}


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        ("since=5", "bad_setting", "Bin 5 has not been sent. Ask for bins since 0 at most."),
        ("since=-1", "invalid", "since"),
        ("wait=11", "invalid", "wait"),
        ("decoder=", "invalid", "Decoder name"),
    ],
)
def test_what_cannot_be_asked_is_refused(call, query, code, message):
    call.store.get("deck").replay.pause()
    reply = call("GET", f"{BINS}?{query}")
    assert (reply.status, reply.json["error"]["code"]) == (422, code)
    assert message in reply.json["detail"]


def test_a_request_that_waits_ends_at_once_with_its_session(call, later):
    call.store.get("deck").replay.pause()
    waits = later(call, "GET", BINS)
    waiting(call, 1)
    assert call("DELETE", "/api/sessions/deck").status == 200
    reply = waits.result(PATIENCE)
    assert (reply.status, reply.json["error"]["code"]) == (404, "unknown_session")


def test_a_client_that_goes_waits_no_longer(call):
    call.store.get("deck").replay.pause()
    with socket.create_connection(("127.0.0.1", call.port)) as connection:
        connection.sendall(f"GET {BINS} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        waiting(call, 1)
    waiting(call, 0)


def test_requests_that_wait_hold_no_thread_and_are_bounded_by_address(call, later, monkeypatch):
    monkeypatch.setattr(context, "WAITING_PER_ADDRESS", 8)
    call.store.get("deck").replay.pause()
    wait = [later(call, "GET", f"{BINS}?since=0") for _ in range(4)]
    waiting(call, 4)
    threads = threading.active_count()
    idle = [socket.create_connection(("127.0.0.1", call.port)) for _ in range(4)]
    for connection in idle:
        connection.sendall(f"GET {BINS} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    waiting(call, 8)
    assert threading.active_count() == threads

    refused = call("GET", BINS)
    assert (refused.status, refused.json["error"]["code"]) == (503, "busy")
    assert int(refused.headers["Retry-After"]) > 0
    step(call, 1)
    assert [numbers(each.result(PATIENCE)) for each in wait] == [[0]] * 4
    for connection in idle:
        assert connection.recv(12) == b"HTTP/1.1 200"
        connection.close()
    assert numbers(call("GET", f"{BINS}?since=0")) == [0]


def test_requests_that_wait_are_bounded_in_all(call, monkeypatch):
    monkeypatch.setattr(context, "WAITING", 0)
    assert call("GET", BINS).status == 503


def test_truth_is_withheld_from_who_does_without(call):
    step(call, 2)
    told, withheld = (call("GET", f"{BINS}?since=0&truth={truth}").json["bins"][1] for truth in (1, 0))
    assert told["kinematics"]["x"] is not None
    assert set(withheld["kinematics"].values()) == set(withheld["intention"].values()) == {None}
    assert withheld["spikes"] == told["spikes"]


def test_packets_that_are_lost_on_purpose_do_not_come(call):
    call("PUT", "/api/sessions/deck/perturbation", {"lost_packets": {"enabled": True, "probability": 0.5}})
    step(call, 40)
    got = numbers(call("GET", f"{BINS}?since=0"))
    assert 0 < len(got) < 40


def test_packets_that_are_held_back_come_no_earlier_than_over_a_stream(call):
    call("PUT", "/api/sessions/deck/perturbation", {"jitter": {"enabled": True, "sd": 500, "longest": 500}})
    call.store.get("deck").replay.resume()
    since = 0
    while since < 20:
        reply = call("GET", f"{BINS}?since={since}").json
        rows, _ = call.store.get("deck").ring.since(since, reply["next"] - since)
        assert (rows["due"] + rows["delay"]).max() <= callers.clock.now()
        since = reply["next"]


# Predictions


def test_a_prediction_is_scored_as_one_on_the_websocket(call):
    step(call, 1)
    asked = call("GET", f"{BINS}?since=0&decoder=matlab").json
    assert asked["decoder"] == "matlab"
    answer = {"sequence_number": 0, "decoder": "matlab", "x": 1, "y": 2.5}
    reply = call("POST", PREDICTIONS, answer)
    assert reply.status == 202
    assert (reply.json["decoder"], reply.json["sequence_number"]) == ("matlab", 0)
    assert reply.json["verdict"] in ("on_time", "late")
    assert call("POST", PREDICTIONS, answer).json["verdict"] == "duplicate"
    assert call.store.get("deck").predictions.names == ["matlab"]


def test_a_prediction_may_stand_in_the_query(call):
    step(call, 1)
    reply = call("POST", f"{PREDICTIONS}?sequence_number=0&vx=1.5&vy=-2e1&decoder=curl")
    assert (reply.status, reply.json["decoder"]) == (202, "curl")
    session = call.store.get("deck")
    assert session.predictions.ring.snapshot()[0]["values"].tolist()[2:] == [1.5, -20.0]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "Send one of sequence_number"),
        ({"sequence_number": 0, "lsl": "s"}, "Send one of sequence_number"),
        ({"lsl": "s", "x": 1.0, "y": 1.0}, "A stream brings its own values."),
        ({"sequence_number": 0}, "There are no values."),
        ({"sequence_number": 0, "x": 1.0}, "One of x and y is missing."),
        ({"sequence_number": 0, "x": 1e10, "y": 0.0}, "x is 10000000000.0."),
        ({"sequence_number": 1, "x": 1.0, "y": 1.0}, "Bin 1 has not been sent."),
        ({"sequence_number": 0, "x": 1.0, "y": 1.0, "decoder": "a\nb"}, "Decoder name 'a\\nb'"),
        ({"sequence_number": True, "x": 1.0, "y": 1.0}, "sequence_number"),
    ],
)
def test_what_is_no_prediction_is_refused(call, body, message):
    step(call, 1)
    reply = call("POST", PREDICTIONS, body)
    assert reply.status == 422
    assert message in reply.json["detail"]


def test_a_prediction_for_no_bin_takes_no_name(call):
    assert call("POST", PREDICTIONS, {"sequence_number": 9, "x": 1.0, "y": 1.0}).status == 422
    step(call, 1)
    assert (
        call("POST", PREDICTIONS, {"sequence_number": 0, "x": 1.0, "y": 1.0}).json["decoder"] == "decoder-1"
    )


def test_without_a_number_the_next_bin_comes_first_however_many_were_sent(call):
    replay = call.store.get("deck").replay
    keeper = Keeper(replay)
    replay.set_speed("max")
    replay.resume()
    keeper.wait_rows(600)
    replay.pause()
    head = replay.ring.head
    assert call("GET", f"{BINS}?wait=0").json["next"] == head
    assert numbers(call("GET", f"{BINS}?since={head - 10}")) == list(range(head - 10, head))


def test_who_sends_more_than_the_bins_allow_is_asked_to_wait(call):
    step(call, 1)
    session = call.store.get("deck")
    for _ in range(session.ring.capacity):
        session.predictions.receive("eager", 0, (0.0,) * 4, 0.0)
    reply = call("POST", PREDICTIONS, {"sequence_number": 0, "decoder": "eager", "x": 0, "y": 0})
    assert (reply.status, reply.headers["Retry-After"]) == (429, "1")


# Names


def on_stream(call: Client, name: str) -> tuple[websocket.WebSocket, str]:
    """Connect as a decoder; under which name it answers."""
    stream = websocket.create_connection(
        f"ws://127.0.0.1:{call.port}/stream/deck?decoder={name}", timeout=20
    )
    return stream, json.loads(stream.recv())["session"]["decoder"]


def test_who_asks_holds_a_name_as_a_stream_does(call):
    stream, held = on_stream(call, "mine")
    assert held == "mine"
    step(call, 1)
    assert call("GET", f"{BINS}?since=0&decoder=mine").json["decoder"] == "mine-2"
    answer = {"sequence_number": 0, "decoder": "mine", "x": 0, "y": 0}
    assert call("POST", PREDICTIONS, answer).json["decoder"] == "mine-2"
    stream.close()
    stream, held = on_stream(call, "mine-2")
    assert held == "mine-2-2"
    stream.close()


def test_a_name_is_free_once_its_decoder_was_silent_and_the_decoder_has_left(call, monkeypatch):
    step(call, 2)
    session = call.store.get("deck")
    call("GET", f"{BINS}?since=0&decoder=mine")
    call("POST", PREDICTIONS, {"sequence_number": 1, "decoder": "mine", "x": 0, "y": 0})
    monkeypatch.setattr(callers, "SILENT_AFTER", 0.0)
    wait_until(lambda: Verdict.LEFT in session.predictions.ring.snapshot()["verdict"])
    stream, held = on_stream(call, "mine")
    stream.close()
    assert held == "mine"


def test_a_decoder_without_a_name_gets_one_with_its_first_prediction(call):
    step(call, 1)
    reply = call("POST", PREDICTIONS, {"sequence_number": 0, "x": 0, "y": 0})
    assert reply.json["decoder"] == "decoder-1"
    assert call("GET", f"{BINS}?since=0").json["decoder"] == "decoder-1"


def test_decoders_that_ask_are_bounded(call):
    step(call, 1)
    replies = [call("GET", f"{BINS}?since=0&decoder=d{i}") for i in range(callers.Callers.MOST + 1)]
    assert [each.status for each in replies] == [200] * callers.Callers.MOST + [422]
    assert "the limit. Use one of their names" in replies[-1].json["detail"]


def test_bins_that_a_decoder_skipped_are_not_missing_but_lost_to_it(call):
    step(call, 6)
    session = call.store.get("deck")
    call("GET", f"{BINS}?since=0&decoder=mine")
    call("POST", PREDICTIONS, {"sequence_number": 0, "decoder": "mine", "x": 0, "y": 0})
    step(call, 4)
    call("GET", f"{BINS}?since=9&decoder=mine")
    (decoder,) = (each for audience in session.audiences for each in audience.decoders)
    assert (decoder.name, decoder.dropped) == ("mine", 3)
    dropped = session.predictions.ring.snapshot()["sequence_number"][-3:]
    assert dropped.tolist() == [6, 7, 8]


def test_a_decoder_that_asks_drives_a_closed_loop_in_lockstep() -> None:
    with serving(Store({"small": small_recording()})) as call:
        call.create(source="user", speed="max", lockstep=True)
        since = None
        for _ in range(5):
            query = "" if since is None else f"&since={since}"
            reply = call("GET", f"{BINS}?decoder=mine{query}").json
            (packet,), since = reply["bins"], reply["next"]
            number = packet["sequence_number"]
            answer = {"sequence_number": number, "decoder": "mine", "vx": 1, "vy": 0}
            assert call("POST", PREDICTIONS, answer).status == 202
        assert number == 4
        assert call("GET", "/api/sessions/deck/driver").json == {"driver": "mine"}
