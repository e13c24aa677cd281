"""A decoder may send anything: it gets an error or a close, and nobody else notices."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys

import numpy as np
import pytest
import websocket

from engine.bins.answered import Verdict
from tests.benchmarks import ROOT
from tests.benchmarks.dashboard import wait_until
from tests.faults.messages import TEXT, frame, messages
from tests.sessions.streaming import Decoder, Packet, PlainDecoder, Served, streaming

CODES = {"unreadable", "unknown_message", "bad_prediction"}
CLOSED = (
    websocket.WebSocketConnectionClosedException,
    ConnectionResetError,
    BrokenPipeError,
    AssertionError,
)


@pytest.mark.parametrize("n", [500, pytest.param(10_000, marks=pytest.mark.slow)])
def test_every_message_gets_an_error_or_a_close_as_agreed(n: int, caplog: pytest.LogCaptureFixture) -> None:
    with streaming() as served:
        session = served.store.create("deck")
        witness = served.decoder()
        witness.data(1)
        session.replay.pause()
        decoder = served.decoder()
        closed = refused = 0
        for i, (data, must_close) in enumerate(messages(n)):
            replies = answers(decoder, data, f"mark-{i}")
            if replies is None:
                assert must_close, data[:200]
                closed += 1
                decoder.socket.shutdown()
                decoder = served.decoder()
            else:
                assert not must_close, data[:200]
                assert len(replies) <= 1, (data[:200], replies)
                assert {reply["error"]["code"] for reply in replies} <= CODES, replies
                refused += len(replies)
        session.replay.resume()
        witness.data(3)

    assert closed > 0
    assert refused > n / 2
    assert [record for record in caplog.records if record.exc_info] == []


def answers(decoder: Decoder, data: bytes, mark: str) -> list[Packet] | None:
    """What the server says to bytes, up to its answer to a message of our own; None if it closes."""
    found: list[Packet] = []
    with contextlib.suppress(*CLOSED):
        decoder.socket.sock.sendall(data)
        decoder.socket.sock.sendall(frame(TEXT, json.dumps({"type": mark}).encode()))
        while (reply := decoder.read())["type"] == "error":
            if mark in reply["detail"]:
                return found
            found.append(reply)
        raise RuntimeError(f"A packet of a session that is paused: {reply}")
    return None


def test_flood_of_predictions_is_counted_and_costs_others_nothing(stream_server: Served) -> None:
    session = stream_server.store.create("deck")
    witness = stream_server.decoder()
    witness.data(1)
    command = [sys.executable, "-m", "tests.faults.flood", str(stream_server.port), "deck", "3", "10000"]
    flooded = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    seen = witness.until(lambda packet: packet["sequence_number"] >= 80)
    lines, lost = session.predictions.ring.since(0)
    kept = int(np.count_nonzero(lines["verdict"] != Verdict.DROPPED))  # it reads nothing, so it loses much
    assert lost == 0

    assert [packet["sequence_number"] for packet in seen] == list(range(1, len(seen) + 1))
    assert int(flooded.stdout) > kept
    assert kept <= session.ring.capacity + 4 * session.ring.head
    assert session.predictions.refused["flood"] > 0


def test_server_that_goes_down_in_a_flood_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with streaming() as served:
        session = served.store.create("deck")
        served.decoder().data(1)
        answer = {"type": "prediction", "sequence_number": 0, "x": 1.0, "y": 2.0}
        flooding = PlainDecoder(served.port, "/stream/deck", slow=False)
        flooding.wait_open()
        flooding.socket.sendall(frame(TEXT, json.dumps(answer).encode()) * 4000)
        wait_until(lambda: any(session.predictions.refused.values()), 20.0)
    flooding.close()
    assert any(session.predictions.refused.values())
    assert caplog.records == []
