"""A person's hand over its socket: one seat, bad messages that harm nothing, and a run that it steers."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import websocket

from engine.bins import clock
from engine.sinks.record.reading import read_record
from engine.sinks.record.scored import recompute
from tests.engine.listening import wait_until
from tests.sessions.serving import Client
from tests.sessions.test_closed_loop import client, deck

PERIOD = 0.02
"""Seconds between two messages of a hand."""


@pytest.fixture
def ask() -> Iterator[Client]:
    with client(deck()) as made:
        made.create("deck", source="user:person")
        yield made


@contextmanager
def connected(ask: Client, code: str = "deck") -> Iterator[websocket.WebSocket]:
    socket = websocket.create_connection(f"ws://127.0.0.1:{ask.port}/hand/{code}", timeout=20)
    try:
        yield socket
    finally:
        socket.close()
        socket.shutdown()  # which `close` leaves out where the server was first


def closing(socket: websocket.WebSocket) -> tuple[int, str]:
    """Code and reason with which the server closes."""
    opcode, payload = socket.recv_data()
    assert opcode == websocket.ABNF.OPCODE_CLOSE
    return int.from_bytes(payload[:2], "big"), payload[2:].decode()


def test_a_second_hand_is_told_and_gets_the_seat_when_the_first_has_gone(ask: Client) -> None:
    hand = ask.store.get("deck").replay.source.hand
    with connected(ask):
        wait_until(lambda: hand.taken)
        with connected(ask) as second:
            assert closing(second) == (
                4409,
                "Another hand steers this session. Watch, or wait until it has gone.",
            )
        assert ask("GET", "/api/sessions/deck").json["closed_loop"]["hand"]
    wait_until(lambda: not hand.taken)
    with connected(ask):
        wait_until(lambda: hand.taken)


def test_a_hand_without_a_seat_is_told_why(ask: Client) -> None:
    ask.create("replayed")
    ask.create("simulated", source="user")
    for code, said in (
        ("nobody", "Unknown session"),
        ("replayed", "Make one with source user:person"),
        ("simulated", "source user:person"),
    ):
        with connected(ask, code) as socket:
            number, reason = closing(socket)
            assert number == (4404 if code == "nobody" else 4409)
            assert said in reason


@pytest.mark.parametrize(
    "message",
    ["", "{", "[1, 2]", "7", '{"x": 1}', '{"x": "1", "y": 2}', '{"x": 1, "y": NaN}', '{"x": 1e300, "y": 0}',
     '{"x": 1' + 60 * "0" + ', "y": 0}', '{"x": null, "y": null}', '{"x": true, "y": false}'],
)  # fmt: skip
def test_a_message_that_cannot_be_read_gets_one_line_and_harms_nothing(ask: Client, message: str) -> None:
    hand = ask.store.get("deck").replay.source.hand
    with connected(ask) as socket:
        socket.send(message)
        said = json.loads(socket.recv())
        assert said["type"] == "error"
        assert "\n" not in said["message"]
        assert "Send" in said["message"]
        socket.send(json.dumps({"x": 1.0, "y": 2.0, "t": "yesterday"}))
        wait_until(lambda: hand.at(clock.now()).place == (1.0, 2.0))
        socket.send("{}")
        wait_until(lambda: hand.at(clock.now()).place is None)


def steer(ask: Client, until: threading.Event) -> threading.Thread:
    """A hand that points at the target, as the newest packet has it."""

    def run() -> None:
        ring = ask.store.get("deck").ring
        with connected(ask) as socket:
            while not until.is_set():
                rows, _ = ring.since(max(ring.head - 1, 0), 1)
                x, y = rows["intention"][-1, 1:3].tolist() if len(rows) else (0.0, 0.0)
                socket.send(json.dumps({"x": x, "y": y, "t": time.time()}))
                until.wait(PERIOD)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_a_hand_steers_a_decoder_of_another_process_to_its_targets_and_the_record_rescores_equal(
    ask: Client,
) -> None:
    session, done = ask.store.get("deck"), threading.Event()
    record = ask("POST", "/api/sessions/deck/record", {"name": "hand"}).json["name"]
    ask("POST", "/api/sessions/deck/decoders", {"decoder": "wiener"})
    wait_until(lambda: session.launched.decoders["wiener"].state == "running")
    hand = steer(ask, done)
    try:
        wait_until(lambda: len(session.description.trials) > 6)
        scores: dict[str, Any] = {}

        def judged() -> bool:
            scores.update(ask("GET", "/api/sessions/deck/scores").json["decoders"].get("wiener", {}))
            return (scores.get("n_trials") or 0) >= 5

        wait_until(judged)
        way = ask("GET", "/api/sessions/deck").json["closed_loop"]["way"]
    finally:
        done.set()
        hand.join()
    assert scores["success"] > 0.8
    assert set(way) == {"pointer", "neurons", "whole", "decoder", "cursor"}
    assert all(0 < leg["p50"] <= leg["p99"] for leg in way.values())
    ask("DELETE", "/api/sessions/deck/record")
    tape = session.tape
    tape.wait(30)
    read = read_record(Path(tape.file))
    assert record == tape.name
    intended = read.rows["intended"]
    assert (intended != 0).any(axis=1).mean() > 0.5
    kept, again = read.scores["decoders"]["wiener"]["total"], recompute(read)["wiener"].total
    for name in ("success", "acquisition_time", "n_trials", "bit_rate_achieved", "r2_velocity"):
        assert kept[name] == pytest.approx(getattr(again, name), rel=1e-9, nan_ok=True)
