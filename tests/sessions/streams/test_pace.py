"""Who reads slowly finds fresh packets: few lie on the way, with credit none beyond it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import websocket

from engine.deck.replay import Replay
from sessions.options import Options
from sessions.streams import fanout
from tests.benchmarks.dashboard import wait_until
from tests.engine.listening import Keeper
from tests.sessions.streaming import PATIENCE, Decoder, PlainDecoder, Served, data_of, message


def sent(replay: Replay, n: int) -> None:
    """Wait until so many more bins have been sent."""
    head = replay.ring.head
    wait_until(lambda: replay.ring.head >= head + n, PATIENCE)


def numbered(decoder: PlainDecoder) -> Iterator[tuple[int, int]]:
    """The ``sequence_number`` and ``dropped`` of packets in any layout."""
    for opcode, payload in decoder.frames():
        packet = message(opcode, payload)
        if "s" in packet:
            yield packet["s"], packet["d"]
        elif packet["type"] == "data":
            yield packet["data"]["sequence_number"], packet["data"]["dropped"]


def say(decoder: Decoder, kind: str, number: int, **values: Any) -> None:
    decoder.socket.send(json.dumps({"type": kind, "sequence_number": number, **values}))


@pytest.mark.parametrize("path", ["/stream/deck?", "/stream/binary/deck?layout=compact&"])
@pytest.mark.parametrize("bins", [60, pytest.param(8 * 40, marks=pytest.mark.slow)])
def test_who_sleeps_with_queue_latest_finds_at_most_half_a_second(
    stream_server: Served, path: str, bins: int
) -> None:
    session = stream_server.store.create("deck")
    decoder = stream_server.quick_decoder(f"{path}queue=latest")
    packets = numbered(decoder)
    begun = [next(packets) for _ in range(10)][-1][0]
    sent(session.replay, bins)
    head = session.ring.head
    found = [next(packets)]
    while found[-1][0] < head - 1:
        found.append(next(packets))
    made_good = session.replay.late_ticks  # bins that came in one go, as the machine was busy
    assert sum(number < head - 1 for number, _ in found) <= 20 + made_good
    assert found[-1][0] - begun == len(found) + found[-1][1]  # every gap is told
    assert found[-1][1] > bins // 2


@pytest.mark.parametrize("bins", [60, pytest.param(14 * 40, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", ["ready", "prediction"])
def test_with_credit_of_one_a_sleeper_gets_the_newest_bin_next(
    stream_server: Served, kind: str, bins: int
) -> None:
    session = stream_server.store.create("deck")
    decoder = stream_server.decoder(queue="latest", credit=1)
    for _ in range(3):
        (packet,) = decoder.data(1)
        sent(session.replay, bins // 3)
        say(decoder, kind, packet["sequence_number"], x=1.0, y=2.0)
        (following,) = decoder.data(1)
        assert time.time() - following["timestamp"] <= 0.1
        assert following["sequence_number"] - packet["sequence_number"] == (
            1 + following["dropped"] - packet["dropped"]
        )
        say(decoder, kind, following["sequence_number"], x=1.0, y=2.0)


def test_no_more_packets_are_out_than_the_credit_says_and_an_answer_counts_for_all_before(
    stream_server: Served,
) -> None:
    session = stream_server.store.create("deck", Options(speed=10.0))
    decoder = stream_server.decoder(queue="lossless", credit=3)
    first = decoder.data(3)
    keeper = Keeper(session.replay)
    keeper.wait_more(40)
    decoder.socket.settimeout(0.05)
    with pytest.raises(websocket.WebSocketTimeoutException):
        decoder.socket.recv()
    decoder.socket.settimeout(PATIENCE)
    say(decoder, "ready", first[-1]["sequence_number"])
    assert [p["sequence_number"] for p in decoder.data(3)] == [
        first[-1]["sequence_number"] + i for i in (1, 2, 3)
    ]
    say(decoder, "ready", first[-1]["sequence_number"] + 1)
    assert len(decoder.data(1)) == 1


def test_an_answer_that_is_refused_for_its_values_gives_the_credit_back(stream_server: Served) -> None:
    stream_server.store.create("deck")
    decoder = stream_server.decoder(credit=1)
    (packet,) = decoder.data(1)
    say(decoder, "prediction", packet["sequence_number"], x="one", y=2.0)
    said = [decoder.read(), decoder.read()]
    assert {each["type"] for each in said} == {"error", "data"}


@pytest.mark.parametrize("number", [None, 1.5, -1, 10**6])
def test_a_ready_for_no_packet_is_told(stream_server: Served, number: Any) -> None:
    stream_server.store.create("deck")
    decoder = stream_server.decoder(credit=1)
    decoder.data(1)
    say(decoder, "ready", number)
    assert decoder.read()["error"]["code"] == "bad_ready"


def test_who_has_credit_is_not_cut_off_for_taking_its_time(
    stream_server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fanout, "STALLED_AFTER", 0.1)
    session = stream_server.store.create("deck")
    decoder = stream_server.decoder(queue="latest", credit=1)
    (packet,) = decoder.data(1)
    sent(session.replay, 100)  # 2.5 s: it was looked at twice
    say(decoder, "ready", packet["sequence_number"])
    assert data_of(decoder.read())["dropped"] > 90


def test_at_max_the_session_waits_for_credit_and_then_no_longer(
    stream_server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fanout, "STALLED_AFTER", 2.0)
    session = stream_server.store.create("deck", Options(speed="max"))
    decoder = stream_server.decoder(credit=5)
    packets = decoder.data(5)
    for _ in range(20):
        say(decoder, "ready", packets[-1]["sequence_number"])
        packets += decoder.data(5)
    assert [p["sequence_number"] for p in packets] == list(range(len(packets)))
    assert session.ring.head <= len(packets) + session.ring.capacity
    assert decoder.closed() == 1013
