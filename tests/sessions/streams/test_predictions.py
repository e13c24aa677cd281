"""Predictions over a real stream: what is taken, what is refused, and how it is scored."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

import msgpack
import numpy as np
import pytest

from engine.answers.predictions import MAX_DECODERS
from engine.answers.scores.offline import rescore
from engine.answers.scores.sent import Reference
from engine.answers.scores.sums import Measures
from sessions.options import Options
from sessions.session import Session
from sessions.streams.stream import MAX_NAMES
from tests.benchmarks.dashboard import wait_until
from tests.engine.listening import Keeper
from tests.sessions.streaming import PATIENCE, Decoder, Packet, Served

ROOT = Path(__file__).parents[3]
FAST = Options(speed=5.0)
BOTH = ("/stream/deck", "/stream/binary/deck")
GOOD = {"type": "prediction", "sequence_number": 0, "x": 1.0, "y": 2.0}


@contextmanager
def outside(served: Served, *decoders: tuple[str, str, float], n: int) -> Iterator[None]:
    """Decoder processes that answer `n` packets each."""
    url = f"ws://127.0.0.1:{served.port}/stream/deck"
    command = [sys.executable, "-m", "tests.sessions.answering", url]
    processes = [
        subprocess.Popen([*command, name, what, str(offset), str(n)], cwd=ROOT)
        for name, what, offset in decoders
    ]
    try:
        yield
        for process in processes:
            assert process.wait(PATIENCE) == 0
    finally:
        for process in processes:
            process.kill()
            process.wait()


def reply_to(decoder: Decoder, message: str | bytes) -> Packet:
    """The first message that is no packet; a compact packet has no type."""
    if isinstance(message, str):
        decoder.socket.send(message)
    else:
        decoder.socket.send_binary(message)
    while (read := decoder.read()).get("type", "data") == "data":
        pass
    return read


def answered(session: Session, decoder: Decoder, n: int, /, **more: Any) -> None:
    """Answer the next `n` packets, and wait until they are scored."""
    for packet in decoder.data(n):
        values = {"sequence_number": packet["sequence_number"], "x": 1.0, "y": 2.0, **more}
        decoder.socket.send(json.dumps({"type": "prediction", **values}))
    reply_to(decoder, "so far")  # messages are read in order


def assert_equal(one: Measures, other: Measures) -> None:
    for field in fields(Measures):
        a, b = getattr(one, field.name), getattr(other, field.name)
        assert a == pytest.approx(b, rel=1e-9, abs=1e-9, nan_ok=True), field.name


# Scores


def test_live_scores_of_outside_decoders_equal_the_record(stream_server: Served) -> None:
    session = stream_server.store.create("deck", FAST)
    keeper = Keeper(session.replay)
    decoders = (("exact", "both", 0.0), ("shifted", "both", 20.0), ("moving", "velocity", 1.0))
    with outside(stream_server, *decoders, n=600):
        pass
    session.replay.pause()
    board = session.scores.settle(PATIENCE)
    rows, lines = keeper.rows, session.predictions.ring.since(0)[0]
    facts = Reference.of(session.recording)
    radius = session.view.hit_radius
    recomputed = rescore(rows, lines, session.predictions.names, facts, radius, until=board.at)

    assert set(board.decoders) == set(recomputed) == {"exact", "shifted", "moving"}
    for name, live in board.decoders.items():
        offline = recomputed[name]
        assert_equal(live.total, offline.total)
        assert len(live.trials) == len(offline.trials) > 5
        for a, b in zip(live.trials, offline.trials, strict=True):
            assert (a.trial_id, a.sequence_number, a.hit) == (b.trial_id, b.sequence_number, b.hit)
            assert_equal(a.measures, b.measures)
    assert board.decoders["exact"].total.r2_position == 1.0
    assert board.decoders["exact"].total.coverage == 1.0
    assert board.decoders["shifted"].total.rmse_position == pytest.approx(np.hypot(20, 20), rel=1e-6)
    assert board.decoders["moving"].total.r2_velocity > 0.9


def test_competing_decoders_are_ranked(stream_server: Served) -> None:
    session = stream_server.store.create("deck", FAST)
    decoder = stream_server.decoder()
    for packet in decoder.data(100):
        for name, offset in (("worse", 30.0), ("better", 3.0)):
            values = {axis: packet["kinematics"][axis] + offset for axis in ("x", "y")}
            answer = {"sequence_number": packet["sequence_number"], "decoder": name, **values}
            decoder.socket.send(json.dumps({"type": "prediction", **answer}))
    reply_to(decoder, "so far")
    assert list(session.scores.settle(PATIENCE).decoders) == ["better", "worse"]


def test_trials_become_notes_that_change_no_setting(stream_server: Served) -> None:
    session = stream_server.store.create("deck", FAST)
    changes = session.replay.changes
    answered(session, stream_server.decoder(decoder="mine"), 120)
    session.scores.settle(PATIENCE)
    told = [note.text for note in session.replay.notes if not note.asked]
    assert [text.split(" r2")[0] for text in told] == ["score mine trial 0 miss", "score mine trial 1 miss"]
    assert session.replay.changes == changes


def test_decoder_that_leaves_misses_nothing_more(stream_server: Served) -> None:
    session = stream_server.store.create("deck", FAST)
    keeper = Keeper(session.replay)
    decoder = stream_server.decoder(decoder="mine")
    answered(session, decoder, 20)
    decoder.close()
    keeper.wait_more(10 * 40)
    lines = session.predictions.ring.since(0)[0]
    until = float(keeper.rows["due"][-1]) + 60.0
    found = rescore(keeper.rows, lines, ["mine"], Reference.of(session.recording), 10.0, until)["mine"]
    assert lines["sequence_number"][-1] < keeper.rows["sequence_number"][-1]
    assert found.total.missing == lines["sequence_number"][-1] - 20


# Names


def test_decoders_without_a_name_get_one_each(stream_server: Served) -> None:
    session = stream_server.store.create("deck", FAST)
    for query in ({}, {}, {"decoder": "mine"}):
        answered(session, stream_server.decoder(**query), 2)
    answered(session, stream_server.decoder(decoder="yours"), 2, decoder="other")
    assert session.predictions.names == ["decoder-1", "decoder-2", "mine", "other"]


def test_second_connection_of_a_name_gets_another_and_is_told(stream_server: Served) -> None:
    session = stream_server.store.create("deck", FAST)
    silent = stream_server.decoder(decoder="mine")  # it never answers
    second, packed = (stream_server.decoder(path, decoder="mine") for path in BOTH)
    told = [each.metadata["session"]["decoder"] for each in (silent, second, packed)]
    assert told == ["mine", "mine-2", "mine-3"]
    assert stream_server.decoder().metadata["session"]["decoder"] is None
    answered(session, second, 2, decoder="mine")
    answered(session, second, 2, decoder="mine-2")
    answered(session, second, 2)
    assert session.predictions.names == ["mine-2"]
    silent.close()
    assert stream_server.decoder(decoder="mine").metadata["session"]["decoder"] == "mine"


def test_name_in_a_message_counts_as_well(stream_server: Served) -> None:
    session = stream_server.store.create("deck", FAST)
    first, second = stream_server.decoder(), stream_server.decoder()
    answered(session, first, 1, decoder="mine")
    (packet,) = second.data(1)
    answer = {**GOOD, "sequence_number": packet["sequence_number"], "decoder": "mine"}
    told = reply_to(second, json.dumps(answer))
    assert told["error"]["code"] == "name_taken"
    assert "'mine-2'" in told["detail"]
    answered(session, second, 3, decoder="mine")
    assert session.predictions.names == ["mine", "mine-2"]
    assert stream_server.decoder(decoder="mine").metadata["session"]["decoder"] == "mine-3"


def test_connection_that_misses_its_ping_holds_nothing(
    stream_server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sessions.streams.stream.PING_INTERVAL", 0.1)
    session = stream_server.store.create("deck")
    dead = stream_server.quick_decoder("/stream/deck?decoder=mine")  # reads nothing, so it answers no ping
    wait_until(lambda: session.predictions.holds.take("mine").name == "mine", PATIENCE)
    assert dead.socket.fileno() >= 0


def test_nameless_decoder_that_reconnects_is_always_welcome(stream_server: Served) -> None:
    session = stream_server.store.create("deck", Options(speed=20.0))
    for _ in range(MAX_DECODERS + 3):
        decoder = stream_server.decoder()
        answered(session, decoder, 1)
        decoder.close()
        wait_until(lambda: session.decoders == 0, PATIENCE)
    assert session.predictions.names == ["decoder-1"]
    assert session.scores.settle(PATIENCE).decoders["decoder-1"].total.n_bins == MAX_DECODERS + 3


def test_name_that_cannot_be_one_refuses_the_upgrade(stream_server: Served) -> None:
    status, body = stream_server.refused(decoder="x" * 65)
    assert (status, body["error"]["code"]) == (422, "bad_prediction")


# Faults


@pytest.mark.parametrize(
    "fault",
    [
        {"sequence_number": None},
        {"sequence_number": True},
        {"sequence_number": 0.5},
        {"sequence_number": "0"},
        {"sequence_number": -1},
        {"sequence_number": 10**6},
        {"x": "1"},
        {"x": None},
        {"x": [1]},
        {"x": False},
        {"y": {}},
        {"x": float("nan")},
        {"x": 1e300},
        {"vx": 1.0},
        {"decoder": ""},
        {"decoder": 7},
        {"decoder": "a\tb"},
    ],
)
def test_faults_are_told_and_the_stream_goes_on(stream_server: Served, fault: dict[str, Any]) -> None:
    session = stream_server.store.create("deck", FAST)
    text, packed = stream_server.decoder(), stream_server.decoder("/stream/binary/deck")
    for decoder, message in (
        (text, json.dumps({**GOOD, **fault})),
        (packed, msgpack.packb({**GOOD, **fault})),
    ):
        decoder.data(1)
        error = reply_to(decoder, message)
        assert (error["type"], error["error"]["code"]) == ("error", "bad_prediction")
        assert error["detail"].endswith(".")
        decoder.data(1)
    assert session.predictions.ring.head == 0


def test_numbers_beyond_floating_point_are_told(stream_server: Served) -> None:
    decoder = stream_server.decoder()
    decoder.data(1)
    message = '{"type": "prediction", "sequence_number": 0, "x": 1e999, "y": 0}'
    assert "x is inf" in reply_to(decoder, message)["detail"]
    assert "no values" in reply_to(decoder, '{"type": "prediction", "sequence_number": 0}')["detail"]


def test_messagepack_predictions_count_like_json_ones(stream_server: Served) -> None:
    session = stream_server.store.create("deck", FAST)
    decoder = stream_server.decoder("/stream/binary/deck", layout="compact")
    packet = decoder.read()
    message = {"type": "prediction", "sequence_number": packet["s"], "vx": 1, "vy": 2.5, "decoder": "m"}
    decoder.socket.send_binary(msgpack.packb(message))
    reply_to(decoder, msgpack.packb({"type": "so far"}))
    (line,) = session.predictions.ring.since(0)[0]
    np.testing.assert_array_equal(line["values"], [np.nan, np.nan, 1.0, 2.5])


# Floods


def test_flood_is_counted_and_slowed_and_nobody_else_notices(stream_server: Served) -> None:
    session = stream_server.store.create("deck")
    flood, other = stream_server.quick_decoder(), stream_server.decoder(decoder="other")
    flood.until(lambda packet: packet["sequence_number"] > 0)
    budget = session.ring.capacity
    message = json.dumps({**GOOD, "decoder": "flood"})
    for _ in range(budget + 500):
        flood.send(message)
    answered(session, other, 40)
    seen = session.scores.settle(PATIENCE).decoders
    assert session.predictions.refused["flood"] > 0
    assert (seen["other"].total.n_bins, seen["other"].total.coverage) == (40, 1.0)
    assert seen["flood"].total.duplicate <= budget + 4 * session.ring.head


def test_one_connection_predicts_for_a_few_decoders_and_leaves_room_for_others(
    stream_server: Served,
) -> None:
    session = stream_server.store.create("deck", FAST)
    greedy, other = stream_server.decoder("/stream/deck"), stream_server.decoder("/stream/deck")
    number = greedy.data(1)[0]["sequence_number"]
    for i in range(MAX_NAMES):
        greedy.socket.send(json.dumps({**GOOD, "sequence_number": number, "decoder": f"name-{i}"}))
    refused = reply_to(greedy, json.dumps({**GOOD, "sequence_number": number, "decoder": "one more"}))
    assert refused["error"]["code"] == "bad_prediction"
    assert "predicts for 4 decoders already" in refused["detail"]
    answered(session, other, 1, decoder="another")
    assert len(session.predictions.names) == MAX_NAMES + 1
