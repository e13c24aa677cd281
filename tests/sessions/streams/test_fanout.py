"""A slow decoder slows nobody, and always knows what it lost; who cannot be waited for is cut off."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from sessions.options import Options
from sessions.session import Session
from sessions.store import Store
from sessions.streams import fanout
from sessions.streams.fanout import Fanout
from sessions.streams.packets import Encoder
from sessions.streams.packets import Packet as Encoded
from tests.benchmarks.dashboard import wait_until
from tests.builders import replay_of, small_recording
from tests.engine.listening import Keeper
from tests.sessions.frames import parse
from tests.sessions.streaming import PATIENCE, Packet, PlainDecoder, Served, data_of, message, streaming

AT_MAX = Options(speed="max")
"""Paced by whoever reads losslessly: no faster than a test reads, however busy the machine is."""
BUFFERED = 600
"""More packets than the kernel holds for one client."""


@pytest.fixture
def served() -> Iterator[Served]:
    """A stream port whose packets have about a kilobyte in JSON."""
    with streaming(Store({"small": small_recording(n_units=142)})) as made:
        yield made


def dropped(session: Session) -> int:
    return sum(audience.dropped for audience in session.audiences)


def assert_every_loss_is_told(packets: list[Packet]) -> None:
    """What is missing before each packet is what it says is dropped."""
    first = packets[0]["sequence_number"] - packets[0]["dropped"]
    for received, packet in enumerate(packets):
        assert packet["sequence_number"] == first + received + packet["dropped"]


def assert_nothing_lost(packets: list[Packet], first: int = 0) -> None:
    assert [packet["sequence_number"] for packet in packets] == list(range(first, first + len(packets)))
    assert packets[-1]["dropped"] == 0


def reached(number: int) -> Callable[[Packet], bool]:
    return lambda packet: packet["sequence_number"] >= number


def play_out(session: Session, reader: PlainDecoder, number: int) -> int:
    """Pause when the reader has come to this packet; return the last one sent, when it has it."""
    reader.until(reached(number))
    session.replay.pause()
    last = session.ring.head - 1
    if last > number:
        reader.until(reached(last))
    return last


# Slow decoders


@pytest.mark.parametrize(("queue", "limit"), [("latest", 1), ("drop-oldest", 40)])
def test_stalled_decoder_keeps_the_newest_and_is_told_what_it_lost(
    served: Served, queue: str, limit: int
) -> None:
    session = served.store.create("deck", AT_MAX)
    slow = served.slow_decoder(f"/stream/deck?queue={queue}")
    last = play_out(session, served.quick_decoder(), 3000)
    packets = slow.until(reached(last))
    gaps = [i for i, (a, b) in enumerate(pairwise(packets), 1) if b["dropped"] > a["dropped"]]

    assert packets[0]["sequence_number"] == 0
    assert_every_loss_is_told(packets)
    assert packets[-1]["dropped"] > last - BUFFERED
    assert len(packets) - gaps[-1] == limit
    assert dropped(session) == packets[-1]["dropped"]


@pytest.mark.parametrize("layout", ["full", "compact"])
def test_losses_are_told_in_every_layout(served: Served, layout: str) -> None:
    session = served.store.create("deck", AT_MAX)
    slow = served.slow_decoder(f"/stream/binary/deck?queue=latest&layout={layout}")
    last = play_out(session, served.quick_decoder(), 3000)
    number, lost = ("s", "d") if layout == "compact" else ("sequence_number", "dropped")
    received = 0
    for opcode, payload in slow.frames():
        packet = message(opcode, payload)
        if number in packet:
            assert packet[number] == received + packet[lost]
            received += 1
            if packet[number] == last:
                break

    assert packet[lost] > 0


def test_decoder_that_keeps_up_loses_nothing_beside_a_stalled_one(served: Served) -> None:
    session = served.store.create("deck", AT_MAX)
    session.replay.pause()
    quick = served.quick_decoder()
    served.slow_decoder("/stream/deck?queue=latest")
    session.replay.resume()

    assert_nothing_lost(quick.until(reached(6000)))


def test_decoder_that_stalls_again_and_again_always_knows_what_it_lost(served: Served) -> None:
    session = served.store.create("deck", AT_MAX)
    slow = served.slow_decoder("/stream/deck?queue=drop-oldest")
    quick = served.quick_decoder()
    packets = slow.until(reached(10))
    for stall in range(1, 6):
        quick.until(reached(1000 * stall))
        packets += slow.until(reached(packets[-1]["sequence_number"] + 100))
    packets += slow.until(reached(play_out(session, quick, 6000)))

    assert_every_loss_is_told(packets)
    assert packets[-1]["dropped"] == dropped(session) > 0


def test_losses_of_those_who_have_left_stay_in_the_count(served: Served) -> None:
    session = served.store.create("deck", AT_MAX)
    slow = served.slow_decoder("/stream/deck?queue=latest")
    quick = served.quick_decoder()
    last = play_out(session, quick, 3000)
    lost = slow.until(reached(last))[-1]["dropped"]
    slow.close()
    wait_until(lambda: sum(audience.size for audience in session.audiences) == 1, PATIENCE)
    session.replay.resume()  # what was sent before the server has heard of it would be lost too
    quick.until(reached(last + 3000))

    assert dropped(session) == lost > 0


# Lossless decoders


def test_lossless_queue_that_is_full_at_a_pace_is_cut_with_1013(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    session = served.store.create("deck", Options(speed=100.0))
    keeper = Keeper(session.replay)
    slow = served.slow_decoder("/stream/deck?queue=lossless")
    other = served.slow_decoder("/stream/deck?queue=latest")
    keeper.wait_rows(6000)
    packets, code = slow.rest()
    others = other.until(reached(session.ring.head))

    assert code == 1013
    assert 0 < len(packets) < 6000 - 2400
    assert_nothing_lost(packets)
    assert_every_loss_is_told(others)
    assert caplog.records == []


@pytest.mark.parametrize("bin_rate", [40.0, 100.0])
def test_at_max_the_session_waits_for_a_lossless_decoder(bin_rate: float) -> None:
    with streaming(Store({"small": small_recording(n_units=142, bin_rate=bin_rate)})) as served:
        session = served.store.create("deck", AT_MAX)
        keeper = Keeper(session.replay)
        slow = served.slow_decoder()  # lossless is the default there
        capacity = session.ring.capacity
        keeper.wait_rows(capacity - 64)
        assert session.ring.head < capacity + BUFFERED

        assert_nothing_lost(slow.until(reached(2 * capacity)))


def test_at_max_nobody_is_waited_for_too_long(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fanout, "STALLED_AFTER", 2.0)
    session = served.store.create("deck", AT_MAX)
    session.replay.pause()
    slow, quick = served.slow_decoder(), served.quick_decoder()
    (audience,) = session.audiences
    wait_until(lambda: audience.size == 2, PATIENCE)  # the answer to an upgrade comes a moment before
    session.replay.resume()
    assert_nothing_lost(quick.until(reached(2 * session.ring.capacity + BUFFERED)))
    packets, code = slow.rest()

    assert code == 1013
    assert_nothing_lost(packets)


def test_at_max_a_decoder_that_leaves_is_no_longer_waited_for(served: Served) -> None:
    session = served.store.create("deck", AT_MAX)
    keeper = Keeper(session.replay)
    slow = served.slow_decoder()
    quick = served.quick_decoder("/stream/binary/deck?layout=flat&queue=latest")
    keeper.wait_rows(session.ring.capacity - 64)
    slow.close()

    quick.until(reached(3 * session.ring.capacity))


def test_decoder_that_takes_nothing_is_cut_with_1013(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fanout, "STALLED_AFTER", 0.3)
    session = served.store.create("deck", Options(speed=100.0))
    slow = served.slow_decoder("/stream/deck?queue=latest")
    quick = served.quick_decoder()
    (audience,) = session.audiences
    quick.until(lambda _: audience.size == 1)
    packets, code = slow.rest()

    assert code == 1013
    assert_every_loss_is_told(packets)


# What is shared


def test_each_bin_is_encoded_once_per_layout_whatever_the_number_of_decoders(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded: list[int] = []

    class Counting(Encoder):
        def encode(self, raw: bytes | bytearray) -> list[Encoded]:
            packets = super().encode(raw)
            encoded.extend(packet.row for packet in packets)
            return packets

    monkeypatch.setattr(fanout, "Encoder", Counting)
    session = served.store.create("deck", AT_MAX)
    session.replay.pause()
    paths = ("/stream/deck", "/stream/binary/deck")
    decoders = [served.quick_decoder(path) for path in paths for _ in range(3)]
    session.replay.resume()
    for decoder in decoders:
        decoder.until(reached(499))

    assert sorted(encoded)[:1000] == [number for number in range(500) for _ in paths]


def test_time_from_due_to_sent_is_measured_and_bounded(served: Served) -> None:
    session = served.store.create("deck", Options(speed=100.0))
    served.quick_decoder().until(reached(3000))
    (audience,) = session.audiences

    assert 0 < len(audience.latencies) <= 2400
    assert (audience.latencies >= 0).all()


# Without a network


class Taken:
    """A connection whose socket takes everything at once."""

    def __init__(self) -> None:
        self.data = b""
        self.missed: list[tuple[int, int]] = []

    @property
    def stream(self) -> Any:
        return self

    def write_to_fd(self, data: memoryview) -> int:
        self.data += data
        return len(data)

    def writing(self) -> bool:
        return False

    def closed(self) -> bool:
        return False

    def close(self, code: int, reason: str) -> None:
        raise AssertionError(f"Closed with {code}: {reason}")

    def lost(self, first: int, end: int) -> None:
        self.missed.append((first, end))

    @property
    def packets(self) -> list[Packet]:
        return [data_of(message(*frame)) for frame in parse(self.data)[0]]


async def turns(n: int = 100) -> None:
    """Let everything that is ready on the loop have its turn."""
    for _ in range(n):
        await asyncio.sleep(0)


def test_loop_that_the_ring_has_lapped_counts_the_loss_for_every_decoder() -> None:
    replay = replay_of(small_recording())
    replay.pause()
    rows = np.zeros(100, replay.ring.dtype)

    def publish(first: int) -> None:
        rows["sequence_number"] = np.arange(first, first + len(rows))
        replay.ring.publish(rows)  # the replay's own thread rests

    async def lapped() -> list[list[Packet]]:
        fans = Fanout(replay, asyncio.get_running_loop())
        connections = [Taken(), Taken()]
        fans.join(connections[0], "json", "enveloped", None)
        fans.join(connections[1], "json", "flat", None)
        publish(0)
        fans.wake()
        await turns()
        for first in range(100, 3000, 100):
            publish(first)
        fans.wake()
        await turns()
        for connection in connections:
            fans.leave(connection)
            fans.leave(connection)
        assert fans.dropped == 2 * 500
        assert [connection.missed for connection in connections] == [[(100, 600)]] * 2
        return [connection.packets for connection in connections]

    both = asyncio.run(lapped())
    replay.close()

    for packets in both:
        assert [p["sequence_number"] for p in packets] == [*range(100), *range(600, 3000)]
        assert_every_loss_is_told(packets)
