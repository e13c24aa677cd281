"""Servers that share a Redis: who is there, whose sessions are shown, and whose decoders are heard."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from engine.answers.intake import Intake
from engine.brokers.redis import PARTS, SESSIONS, server_key, stream_key
from sessions.brokers import redis as module
from sessions.brokers.elsewhere import Addresses, Elsewhere
from sessions.brokers.redis import RedisBroker
from sessions.store import Store
from tests.brokers import RedisServer
from tests.builders import small_recording
from tests.engine.listening import wait_until
from tests.sessions.serving import serving


@dataclass
class Deck:
    """A server without ports."""

    store: Store
    broker: RedisBroker

    def play(self, code: str) -> Any:
        session = self.store.create(code)
        assert session.sinks["redis"].made.wait(10)
        session.replay.resume()
        wait_until(lambda: session.ring.head > 3)
        return session


MakeDeck = Callable[[str], Deck]


@pytest.fixture
def deck(redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeDeck]:
    """Makes servers by the host at which they say they are."""
    monkeypatch.setattr(module, "ROUND", 0.1)
    with ExitStack() as ending:

        def make(host: str) -> Deck:
            broker = RedisBroker(redis_server.url, at(host))
            store = Store({"small": small_recording()}, make_sinks={"redis": broker.sink})
            broker.start(store)
            ending.callback(broker.close)
            ending.callback(store.close)
            return Deck(store, broker)

        yield make


def at(host: str) -> Addresses:
    """Where a server says that it is."""
    return Addresses(
        stream_url=f"ws://{host}:8000/stream",
        api_url=f"http://{host}:8000",
        dashboard_url=f"http://{host}:5006",
    )


def answer(server: RedisServer, code: str, **fields: Any) -> None:
    with server.client as client:
        client.xadd(stream_key(code, "predictions"), fields, nomkstream=True)


# The registry


def test_registry_tells_of_sessions_and_of_the_server_that_has_them(
    redis_server: RedisServer, deck: MakeDeck
) -> None:
    one = deck("rig1")
    one.play("demo")
    with redis_server.client as client:
        told = json.loads(client.hget(SESSIONS, "demo"))
        card = json.loads(client.get(server_key(told["server"])))
        assert 0 < client.ttl(server_key(told["server"])) <= 10

    assert told["server"] == one.broker.server
    assert (told["dataset"], told["num_channels"], told["count_dtype"]) == ("small", 5, "uint8")
    assert card["stream_url"] == "ws://rig1:8000/stream"
    assert card["dashboard_url"] == "http://rig1:5006"


def test_session_that_ends_takes_its_keys_with_it(redis_server: RedisServer, deck: MakeDeck) -> None:
    one = deck("rig1")
    one.play("demo")
    with redis_server.client as client:
        keys = [stream_key("demo", part) for part in PARTS]
        wait_until(lambda: client.exists(*keys) == 3)
        one.store.delete("demo")
        wait_until(lambda: client.exists(*keys) == 0 and not client.hexists(SESSIONS, "demo"))


def test_session_made_anew_under_its_code_begins_with_empty_streams(
    redis_server: RedisServer, deck: MakeDeck
) -> None:
    one = deck("rig1")
    one.play("demo")
    with redis_server.client as client:
        wait_until(lambda: client.xlen(stream_key("demo", "bins")) > 3)
        one.store.delete("demo")
        one.play("demo")
        wait_until(lambda: client.xlen(stream_key("demo", "bins")) > 0)
        numbers = [int(fields[b"n"]) for _, fields in client.xrange(stream_key("demo", "bins"))]

    assert numbers == list(range(len(numbers)))


def test_server_that_closes_leaves_nothing(redis_server: RedisServer, deck: MakeDeck) -> None:
    one = deck("rig1")
    one.play("demo")
    one.store.close()
    one.broker.close()

    with redis_server.client as client:
        assert client.keys("*") == []


def test_servers_list_the_sessions_of_each_other_with_their_addresses(deck: MakeDeck) -> None:
    one, two = deck("rig1"), deck("rig2")
    one.play("a")
    two.play("b")
    wait_until(lambda: bool(one.broker.others and two.broker.others))
    (far,) = one.broker.others
    (near,) = two.broker.others

    assert (far.code, far.recording, far.server) == ("b", "small", two.broker.server)
    assert far.binary_url == "ws://rig2:8000/stream/binary/b"
    assert near.dashboard_url == "http://rig1:5006/live?session=a"


def test_rest_lists_what_is_elsewhere(redis_server: RedisServer, deck: MakeDeck) -> None:
    one, two = deck("rig1"), deck("rig2")
    two.play("b")
    wait_until(lambda: bool(one.broker.others))
    with serving(one.store, brokers=[one.broker]) as client:
        listed = client("GET", "/api/sessions").json["elsewhere"]
        assert client("GET", "/health").json["sinks"] == []
        redis_server.kill()
        wait_until(lambda: client("GET", "/health").json["sinks"] == ["redis"])

    assert [(each["code"], each["stream_url"]) for each in listed] == [("b", "ws://rig2:8000/stream/b")]


def test_sessions_of_a_dead_server_go_and_those_of_living_ones_stay(
    redis_server: RedisServer, deck: MakeDeck
) -> None:
    one, two = deck("rig1"), deck("rig2")
    one.play("mine")
    two.play("b")
    dead = {"server": "dead-1", "created": 1.0, "dataset": "gone"}
    with redis_server.client as client:
        client.set(server_key("dead-1"), at("rig3").model_dump_json(), px=500)
        client.hset(SESSIONS, "old", json.dumps(dead))
        client.xadd(stream_key("old", "bins"), {"n": 1})
        wait_until(lambda: "old" in [each.code for each in one.broker.others])
        wait_until(lambda: not client.hexists(SESSIONS, "old"))
        assert not client.exists(stream_key("old", "bins"))
        assert {name.decode() for name in client.hkeys(SESSIONS)} == {"mine", "b"}


def test_code_that_another_server_has_is_refused_in_words_until_it_is_free(
    redis_server: RedisServer, deck: MakeDeck
) -> None:
    one, two = deck("rig1"), deck("rig2")
    one.play("demo")
    taken = two.store.create("demo").sinks["redis"]
    assert taken.made.wait(10)
    assert f"has a session demo of the server {one.broker.server}. Choose another" in str(
        taken.status.error
    )
    one.store.delete("demo")
    with redis_server.client as client:
        wait_until(lambda: two.broker.server.encode() in (client.hget(SESSIONS, "demo") or b""))


@pytest.mark.parametrize(
    "entry",
    ["", "null", "[" * 100_000, '{"server": 7}', '{"server": "x"}', '{"server": "x", "created": "?"}'],
)
def test_entry_of_the_registry_that_makes_no_sense_is_passed_over(
    redis_server: RedisServer, deck: MakeDeck, entry: str
) -> None:
    one, two = deck("rig1"), deck("rig2")
    with redis_server.client as client:
        client.set(server_key("x"), '{"stream_url": "javascript:alert(1)"}')
        client.hset(SESSIONS, "odd", entry)
        client.hset(
            SESSIONS, "../x", json.dumps({"server": two.broker.server, "created": 1, "dataset": ""})
        )
    two.play("b")
    wait_until(lambda: bool(one.broker.others))

    assert [each.code for each in one.broker.others] == ["b"]
    assert one.broker.fault is None


def test_registry_is_whole_again_after_redis_was_killed(redis_server: RedisServer, deck: MakeDeck) -> None:
    one = deck("rig1")
    session = one.play("demo")
    redis_server.kill()
    wait_until(lambda: one.broker.fault is not None)
    assert "cannot be reached" in str(one.broker.fault)
    assert session.replay.state == "playing"
    redis_server.start()
    with redis_server.client as client:
        wait_until(lambda: client.hexists(SESSIONS, "demo") and client.xlen(stream_key("demo", "bins")) > 0)
    wait_until(lambda: one.broker.fault is None)


# Predictions


def test_predictions_are_those_of_a_session_and_a_name(redis_server: RedisServer, deck: MakeDeck) -> None:
    one = deck("rig1")
    session, other = one.play("demo"), one.play("other")
    answer(redis_server, "demo", n=1, decoder="kalman", x="1.5", y="-3")
    answer(redis_server, "demo", n=2, decoder="kalman", vx="nan", vy="", x="0", y="0")
    answer(redis_server, "other", n=3, decoder="kalman", vx="7", vy="8e1")
    wait_until(lambda: session.predictions.ring.head == 2 and other.predictions.ring.head == 1)
    mine, theirs = session.predictions.ring.snapshot(), other.predictions.ring.snapshot()

    assert session.predictions.names == other.predictions.names == ["kalman"]
    assert mine["sequence_number"].tolist() == [1, 2]
    assert mine["values"][0][:2].tolist() == [1.5, -3.0]
    assert theirs["values"][0][2:].tolist() == [7.0, 80.0]


def test_name_that_is_held_is_not_shared(redis_server: RedisServer, deck: MakeDeck) -> None:
    session = deck("rig1").play("demo")
    hold = session.predictions.holds.take("kalman")
    answer(redis_server, "demo", n=1, decoder="kalman", x=1, y=1)
    answer(redis_server, "demo", n=1, x=1, y=1)
    wait_until(lambda: len(session.predictions.names) == 2)

    assert session.predictions.names == ["kalman-2", "decoder-1"]
    session.predictions.holds.free(hold)


BAD = {
    "no number": {"x": 1, "y": 1},
    "a word": {"n": "seven", "x": 1, "y": 1},
    "half": {"n": "1.5", "x": 1, "y": 1},
    "unsent": {"n": 10**9, "x": 1, "y": 1},
    "endless": {"n": "9" * 6000, "x": 1, "y": 1},
    "nothing": {"n": 1},
    "one of two": {"n": 1, "x": 1},
    "text": {"n": 1, "x": "left", "y": 1},
    "infinite": {"n": 1, "x": "inf", "y": 1},
    "bytes": {"n": 1, "decoder": b"\xff\x00", "x": 1, "y": 1},
    "long name": {"n": 1, "decoder": "a" * 65, "x": 1, "y": 1},
}


def test_bad_entries_are_counted_and_told_in_one_line_and_the_next_works(
    redis_server: RedisServer, deck: MakeDeck, caplog: pytest.LogCaptureFixture
) -> None:
    one = deck("rig1")
    session = one.play("demo")
    for fields in BAD.values():
        answer(redis_server, "demo", **{"decoder": "bad", **fields})
    answer(redis_server, "demo", n=1, decoder="good", x=1, y=1)
    wait_until(lambda: session.predictions.names == ["good"])

    assert one.broker.refused == {"demo": len(BAD)}
    (line,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert line.startswith("Redis brought a bad prediction for demo (1 so far): sequence_number is None.")


def test_predictions_keep_a_session_alive_as_use_does(redis_server: RedisServer, deck: MakeDeck) -> None:
    session = deck("rig1").play("demo")
    wait_until(lambda: session.idle > 0.3)
    answer(redis_server, "demo", n=1, decoder="good", x=1, y=1)
    wait_until(lambda: session.idle < 0.3)


def test_stream_of_predictions_is_kept_short(redis_server: RedisServer, deck: MakeDeck) -> None:
    deck("rig1").play("demo")
    with redis_server.client as client:
        pipeline = client.pipeline(transaction=False)
        for _ in range(10_000):
            pipeline.xadd(stream_key("demo", "predictions"), {"n": 1, "decoder": "flood", "x": 1, "y": 1})
        pipeline.execute()
        wait_until(lambda: client.xlen(stream_key("demo", "predictions")) < 3000)


def test_a_fault_that_nobody_foresaw_is_told_and_the_registry_goes_on(
    deck: MakeDeck, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    one, other = deck("10.0.0.1"), deck("10.0.0.2")
    one.play("first")
    wait_until(lambda: [each.code for each in other.broker.others] == ["first"])
    with monkeypatch.context() as broken:
        broken.setattr(Elsewhere, "at", lambda *_: 1 / 0)
        with serving(other.store, brokers=[other.broker]) as call:
            wait_until(lambda: call("GET", "/health").json["sinks"] == ["redis"])
        assert other.broker.fault == (
            "The registry of sessions: It has failed (ZeroDivisionError), and is tried again. "
            "The server's log says why."
        )
        assert other.broker.others == ()
    wait_until(lambda: [each.code for each in other.broker.others] == ["first"])
    assert other.broker.fault is None
    assert sum(record.exc_info is not None for record in caplog.records) == 1


def test_predictions_go_on_after_a_fault_that_nobody_foresaw(
    deck: MakeDeck, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = deck("10.0.0.1")
    session = made.play("first")
    key = stream_key("first", "predictions")
    with redis_server.client as client:
        with monkeypatch.context() as broken:
            broken.setattr(Intake, "take", lambda *_: 1 / 0)
            client.xadd(key, {"n": 1, "x": 1, "y": 1}, nomkstream=True)
            wait_until(lambda: made.broker.fault is not None)
            assert "Predictions: It has failed (ZeroDivisionError)" in str(made.broker.fault)
        client.xadd(key, {"n": 2, "x": 1, "y": 1}, nomkstream=True)
        wait_until(lambda: session.predictions.ring.head >= 1)
    wait_until(lambda: made.broker.fault is None)
