"""What any client of Redis reads of a session, and what becomes of a session whose Redis is in trouble."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.bins import clock
from engine.bins.schema import BIN, SENT
from engine.brokers.redis import KEPT, RedisPlace, stream_key
from engine.deck.replay import Replay
from engine.errors import BadSetting
from engine.sinks.base import Subject
from engine.sinks.feeder import Feeder
from engine.sinks.redis import LETTERS, RedisSink
from tests.brokers import RedisServer
from tests.builders import play, replay_of, small_recording
from tests.certificates import self_signed
from tests.engine.deck.test_replay import assert_unbroken
from tests.engine.listening import Keeper, wait_until

BACK_WITHIN = 5.0

Publish = Callable[..., tuple[Replay, Keeper, Feeder]]


@pytest.fixture
def publish() -> Iterator[Publish]:
    """Makes a session `deck` with its stream in Redis."""
    made: list[tuple[Feeder, Replay]] = []

    def make(url: str, recording: Any = None, **options: Any) -> tuple[Replay, Keeper, Feeder]:
        recording = recording or small_recording()
        replay = replay_of(recording, **options)
        place, subject = RedisPlace(url), Subject("deck", recording, recording.bin_rate)
        feeder = Feeder("redis of deck", lambda: RedisSink(subject, place), replay)
        made.append((feeder, replay))
        return replay, Keeper(replay), feeder

    yield make
    for feeder, replay in made:
        feeder.close(within=2.0)
        replay.close()


def newest(server: RedisServer) -> int:
    """The number of the newest bin in Redis."""
    with server.client as client:
        found = client.xrevrange(stream_key("deck", "bins"), count=1)
    return int(found[0][1][b"n"]) if found else -1


def test_entry_has_every_field_that_the_contract_names(redis_server: RedisServer, publish: Publish) -> None:
    recording = small_recording(gaps=True)
    replay, keeper, feeder = publish(
        redis_server.url, recording, speed=8.0, perturbation={"preset": "light"}
    )
    assert feeder.made.wait(10)
    replay.start()
    rows = keeper.wait_rows(60)
    wait_until(lambda: newest(redis_server) >= 59)
    entries = redis_server.entries(stream_key("deck", "bins"))[:60]

    for row, entry in zip(rows, entries, strict=True):
        assert set(entry) == {b"n", b"p", b"t", b"c", b"k", b"g", b"r", b"f", b"v"}
        assert int(entry[b"n"]) == row["sequence_number"]
        assert int(entry[b"p"]) == row["packet_id"]
        assert float(entry[b"t"]) == row["timestamp"]
        assert entry[b"c"] == row["counts"].tobytes()
        assert np.array_equal(np.frombuffer(entry[b"k"], "<f4"), row["kinematics"], equal_nan=True)
        assert np.array_equal(np.frombuffer(entry[b"g"], "<f4"), row["intention"], equal_nan=True)
        assert entry[b"r"] == (b"%d" % row["trial"] if row["trial"] >= 0 else b"")
        assert int(entry[b"f"]) == int(row["observed"]) | 2
        assert entry[b"v"] == b"1"
    assert {entry[b"r"] for entry in entries} == {b"0", b"", b"1"}


def test_letters_stand_for_fields_of_the_schema() -> None:
    assert set(LETTERS.values()) <= {field.name for field in (*SENT, *BIN)} | {"counts"}


def test_wide_counts_are_two_bytes_little_endian(redis_server: RedisServer) -> None:
    recording = small_recording()
    rows = play(recording, [3])
    wide = rows.astype(
        [(n, "<u2" if n == "counts" else rows.dtype[n], rows.dtype[n].shape) for n in rows.dtype.names]
    )
    wide["counts"] = [[300, 1, 2, 3, 4]]
    sink = RedisSink(Subject("deck", recording, 40.0), RedisPlace(redis_server.url))
    sink.push(wide)
    sink.close()
    (entry,) = redis_server.entries(stream_key("deck", "bins"))

    assert np.frombuffer(entry[b"c"], "<u2").tolist() == [300, 1, 2, 3, 4]


def test_events_are_text_with_their_time(redis_server: RedisServer, publish: Publish) -> None:
    replay, _, feeder = publish(redis_server.url)
    assert feeder.made.wait(10)
    before = clock.unix(clock.now())
    replay.pause()
    wait_until(lambda: bool(redis_server.entries(stream_key("deck", "events"))))
    (entry,) = redis_server.entries(stream_key("deck", "events"))

    assert entry[b"event"] == b"pause"
    assert entry[b"v"] == b"1"
    assert before - 0.01 <= float(entry[b"t"]) <= clock.unix(clock.now())


def test_stream_is_bounded(redis_server: RedisServer) -> None:
    recording = small_recording()
    sink = RedisSink(Subject("deck", recording, 40.0), RedisPlace(redis_server.url))
    for _ in range(50):
        sink.push(play(recording, range(100)))
    sink.close()

    assert KEPT <= len(redis_server.entries(stream_key("deck", "bins"))) <= 1.1 * KEPT


def test_stream_that_was_deleted_comes_back_only_by_a_sink_that_is_made(redis_server: RedisServer) -> None:
    recording = small_recording()
    place, subject = RedisPlace(redis_server.url), Subject("deck", recording, 40.0)
    sink = RedisSink(subject, place)
    with redis_server.client as client:
        client.delete(stream_key("deck", "bins"))
        with pytest.raises(Exception, match="has lost the stream"):
            sink.push(play(recording, [1]))
        assert not client.exists(stream_key("deck", "bins"))
        RedisSink(subject, place).push(play(recording, [2]))
        assert client.xlen(stream_key("deck", "bins")) == 1


def test_address_that_cannot_be_read_is_refused_without_its_password() -> None:
    with pytest.raises(BadSetting) as refused:
        RedisPlace("http://:s3cret@rig/0")

    assert "s3cret" not in str(refused.value)
    assert "redis://" in str(refused.value)


# Trouble


def fill(server: RedisServer) -> None:
    with server.client as client:
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", 1)


def empty(server: RedisServer) -> None:
    with server.client as client:
        client.config_set("maxmemory", 0)


def lock(server: RedisServer) -> None:
    with server.client as client:
        client.config_set("requirepass", "another")
        client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")


def unlock(server: RedisServer) -> None:
    server.password = "another"
    with server.client as client:
        client.config_set("requirepass", "")
    server.password = None


def slow(server: RedisServer) -> None:
    with server.client as client:
        client.execute_command("CLIENT", "PAUSE", 600_000, "WRITE")


def let_go(server: RedisServer) -> None:
    with server.client as client:
        client.execute_command("CLIENT", "UNPAUSE")


TROUBLE = {
    "killed": (RedisServer.kill, RedisServer.start, "cannot be reached. Start it, or give its address"),
    "full": (fill, empty, "is full. Raise its maxmemory, or let it evict keys."),
    "slow": (slow, let_go, "has not answered within 1 s."),
    "locked": (lock, unlock, "refuses the password. Give the right one in PHANTOM_REDIS."),
}


@pytest.mark.parametrize("kind", TROUBLE)
def test_redis_in_trouble_moves_nobody_and_is_used_again_within_seconds(
    redis_server: RedisServer, publish: Publish, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    begin, end, meaning = TROUBLE[kind]
    replay, keeper, feeder = publish(redis_server.url, speed=4.0)
    assert feeder.made.wait(10)
    replay.start()
    keeper.wait_rows(20)
    wait_until(lambda: newest(redis_server) >= 0)
    assert feeder.status.lost == 0

    begin(redis_server)
    wait_until(lambda: feeder.status.state == "failed" and meaning in str(feeder.status.error))
    at = len(keeper.rows)
    rows = keeper.wait_rows(at + 80)[at:]
    arrivals = np.array(keeper.arrivals[at : at + 80])
    asked = clock.now()
    replay.pause()
    replay.resume()
    took = clock.now() - asked
    lost = feeder.status.lost
    end(redis_server)
    ended, mark = clock.now(), keeper.rows["sequence_number"][-1]
    wait_until(lambda: newest(redis_server) > mark)
    back = clock.now() - ended
    wait_until(lambda: feeder.status.state == "running")
    replay.pause()
    sent = keeper.rows
    wait_until(lambda: newest(redis_server) == len(sent) - 1)

    assert back < BACK_WITHIN
    assert took < 0.1
    assert np.median(arrivals - rows["due"]) < 0.025
    assert_unbroken(sent)
    assert feeder.status.lost >= lost >= 80
    if kind != "killed":  # that one has forgotten what it had
        here = {int(entry[b"n"]) for entry in redis_server.entries(stream_key("deck", "bins"))}
        assert len(sent) - len(here) <= feeder.status.lost
    lines = [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]
    assert sum(meaning in line for line in lines) == 1
    assert "Traceback" not in caplog.text


def test_wrong_password_is_told_in_one_line_that_does_not_show_it(
    redis_server: RedisServer, publish: Publish, caplog: pytest.LogCaptureFixture
) -> None:
    with redis_server.client as client:
        client.config_set("requirepass", "right")
    replay, keeper, feeder = publish(redis_server.url.replace("//", "//:s3cret@"))
    assert feeder.made.wait(10)
    replay.start()
    keeper.wait_rows(5)

    assert feeder.status.state == "failed"
    assert "refuses the password" in str(feeder.status.error)
    assert feeder.status.lost > 0
    assert "s3cret" not in caplog.text + str(feeder.status.error)
    (line,) = [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]
    assert "\n" not in line


def test_redis_that_speaks_tls_is_written_to_if_its_authority_is_named(
    tmp_path: Path, publish: Publish
) -> None:
    certificate = self_signed(tmp_path, "127.0.0.1")
    with RedisServer("s3cret", certificate=certificate).running() as server:
        replay, keeper, feeder = publish(server.url)
        assert feeder.made.wait(10)
        replay.start()
        keeper.wait_rows(5)
        wait_until(lambda: newest(server) >= 4)

        assert feeder.status.error is None
        untrusting, _, stranger = publish(server.url.partition("?")[0])
        assert stranger.made.wait(10)
        assert str(stranger.status.error) == (
            f"Redis at 127.0.0.1:{server.port} has a certificate that is not trusted. "
            "Name its authority: rediss://...?ssl_ca_certs=FILE."
        )
        untrusting.close()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("redis://rig1:6379/0?speed=9", "The address of Redis cannot be read"),
        (
            "rediss://rig1:6379/0?ssl_ca_certs=/no/such.crt",
            "no file /no/such.crt, which ssl_ca",
        ),
    ],
)
def test_options_that_cannot_be_are_refused_at_once(url: str, told: str) -> None:
    with pytest.raises(BadSetting, match=told):
        RedisPlace(url)
