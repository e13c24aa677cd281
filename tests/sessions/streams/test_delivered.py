"""What decoders get of a disturbed session, and those that ask for it clean or without the truth."""

from __future__ import annotations

import math
import struct
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from engine.stages.perturb import MODELS
from sessions.options import Options
from sessions.store import Store
from sessions.streams import fanout
from sessions.streams.packets import Encoder
from sessions.streams.packets import Packet as Encoded
from tests.builders import small_recording
from tests.sessions.streaming import Packet, Served, data_of, streaming

RECORDING = small_recording(n_units=20)
EVERY_MODEL = {model.key: {"enabled": True} for model in MODELS}
LOSSY = {"lost_packets": {"enabled": True, "probability": 0.4, "burst": 3.0}}
N = 100

WIRES: list[dict[str, str]] = [
    {"format": "json", "layout": "enveloped"},
    {"format": "json", "layout": "flat"},
    {"format": "json", "layout": "full"},
    {"format": "msgpack", "layout": "enveloped"},
    {"format": "msgpack", "layout": "flat"},
    {"format": "msgpack", "layout": "full"},
    {"format": "msgpack", "layout": "compact"},
]
TRUTH = ("kinematics", "intention")


@pytest.fixture
def served() -> Iterator[Served]:
    with streaming(Store({"small": RECORDING})) as made:
        yield made


def fields(packet: Packet) -> Packet:
    """The fields of a packet of any layout, by the names of the full one."""
    if "s" not in packet:
        return data_of(packet)
    x, y, vx, vy = (missing_as_none(value) for value in struct.unpack("<4f", packet["k"]))
    target, target_x, target_y, distance = (
        missing_as_none(value) for value in struct.unpack("<4f", packet["g"])
    )
    return {
        "sequence_number": packet["s"],
        "packet_id": packet["p"],
        "timestamp": packet["t"],
        "spikes": {"spike_counts": list(packet["c"])},
        "kinematics": {"x": x, "y": y, "vx": vx, "vy": vy},
        "intention": {
            "target_id": target,
            "target_x": target_x,
            "target_y": target_y,
            "distance_to_target": distance,
        },
        "trial_id": packet["r"],
        "trial_time_ms": packet["m"],
        "observed": bool(packet["f"] & 1),
        "perturbation": ["some"] if packet["f"] & 2 else [],
        "dropped": packet["d"],
    }


def missing_as_none(value: float) -> float | None:
    return None if math.isnan(value) else value


def pull(served: Served, perturbation: dict[str, Any], n: int = N, **query: str) -> list[Packet]:
    """The first packets of a session of its own."""
    session = served.store.create(options=Options(speed=50.0, seed=5, perturbation=perturbation))
    decoder = served.decoder(f"/stream/{session.code}", **query)
    packets = [fields(decoder.read()) for _ in range(n)]
    session.replay.pause()
    return packets


# Clean


@pytest.mark.parametrize("wire", WIRES, ids=lambda wire: "-".join(wire.values()))
def test_clean_stream_is_the_recording_bit_for_bit(served: Served, wire: dict[str, str]) -> None:
    disturbed = pull(served, EVERY_MODEL, **wire)
    clean = pull(served, EVERY_MODEL, clean="1", **wire)
    undisturbed = pull(served, {}, **wire)

    assert all(packet["perturbation"] for packet in disturbed)
    assert [packet["sequence_number"] for packet in clean] == list(range(N))
    for packet, other in zip(clean, undisturbed, strict=True):
        assert {**packet, "timestamp": 0} == {**other, "timestamp": 0}
        assert packet["perturbation"] == []
        assert packet["spikes"]["spike_counts"] == RECORDING.counts[packet["packet_id"]].tolist()


def test_clean_and_disturbed_streams_of_one_session_have_the_same_numbers(served: Served) -> None:
    session = served.store.create("deck", Options(speed="max", perturbation=EVERY_MODEL))
    session.replay.pause()
    clean, disturbed = served.decoder(clean=1), served.decoder()
    session.replay.resume()
    twins = {packet["sequence_number"]: packet for packet in clean.data(1000)}
    packets = [packet for packet in disturbed.data(900) if packet["sequence_number"] < 1000]

    assert list(twins) == list(range(1000))
    assert len(packets) > 800
    for packet in packets:
        twin = twins[packet["sequence_number"]]
        for name in ("packet_id", "timestamp", *TRUTH, "trial_id", "trial_time_ms", "observed"):
            assert packet[name] == twin[name]
        assert packet["perturbation"] == [model.key for model in MODELS]
        assert packet["spikes"] != twin["spikes"]


def test_clean_stream_follows_selection_and_seek(served: Served) -> None:
    session = served.store.create("deck", Options(perturbation=EVERY_MODEL))
    clean = served.decoder(clean=1, trial_id=2)
    session.replay.pause()
    session.replay.seek(120)
    session.replay.set_speed(100.0)
    session.replay.resume()
    for packet in clean.until(lambda packet: packet["packet_id"] == 149):
        assert packet["trial_id"] == 2
        assert packet["spikes"]["spike_counts"] == RECORDING.counts[packet["packet_id"]].tolist()


# Without the truth


@pytest.mark.parametrize("clean", ["0", "1"])
@pytest.mark.parametrize("wire", WIRES, ids=lambda wire: "-".join(wire.values()))
def test_without_truth_kinematics_and_intention_are_missing_and_nothing_else(
    served: Served, wire: dict[str, str], clean: str
) -> None:
    told = pull(served, {"preset": "light"}, 20, **wire, clean=clean)
    blind = pull(served, {"preset": "light"}, 20, **wire, clean=clean, truth="0")

    for packet, other in zip(blind, told, strict=True):
        for name in TRUTH:
            assert packet[name] == dict.fromkeys(other[name])
            assert set(other[name].values()) != {None}
        same = {name: value for name, value in packet.items() if name not in (*TRUTH, "timestamp")}
        assert same == {name: other[name] for name in same}


def test_streams_of_one_session_differ_in_what_they_asked_for_alone(served: Served) -> None:
    session = served.store.create("deck", Options(speed=100.0, perturbation={"preset": "extreme"}))
    session.replay.pause()
    asked = [{}, {"clean": 1}, {"truth": 0}, {"clean": 1, "truth": 0}]
    decoders = [served.decoder(**query) for query in asked]
    session.replay.resume()
    plain, clean, blind, both = (decoder.data(100) for decoder in decoders)

    for a, b, c, d in zip(plain, clean, blind, both, strict=True):
        assert a["sequence_number"] == b["sequence_number"] == c["sequence_number"] == d["sequence_number"]
        assert a["spikes"] == c["spikes"]
        assert b["spikes"] == d["spikes"]
        assert a["kinematics"] == b["kinematics"]
        assert c["kinematics"] == d["kinematics"] == dict.fromkeys(a["kinematics"])
    listed = {decoder.layout for audience in session.audiences for decoder in audience.decoders}
    told = ("", ", clean", ", no truth", ", clean, no truth")
    assert listed == {f"json, enveloped{more}" for more in told}


@pytest.mark.parametrize("name", ["clean", "truth"])
def test_other_values_are_refused_by_name(served: Served, name: str) -> None:
    status, body = served.refused(**{name: "maybe"})

    assert (status, body["error"]["message"]) == (422, f"Unknown {name} 'maybe'. There are 0, 1.")


def test_a_bin_is_encoded_once_per_layout_and_variant(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded: list[int] = []

    class Counting(Encoder):
        def encode(self, raw: bytes | bytearray) -> list[Encoded]:
            packets = super().encode(raw)
            encoded.extend(packet.row for packet in packets)
            return packets

    monkeypatch.setattr(fanout, "Encoder", Counting)
    session = served.store.create("deck", Options(speed="max"))
    session.replay.pause()
    decoders = [served.decoder(clean=clean) for clean in (0, 1) for _ in range(3)]
    session.replay.resume()
    for decoder in decoders:
        decoder.data(200)

    assert sorted(encoded)[:400] == [number for number in range(200) for _ in (0, 1)]


# Lost packets


@pytest.mark.parametrize("queue", ["lossless", "drop-oldest"])
@pytest.mark.parametrize("path", ["/stream/deck", "/stream/binary/deck"])
def test_lost_packets_are_gaps_that_the_client_did_not_make(served: Served, path: str, queue: str) -> None:
    session = served.store.create("deck", Options(speed=20.0, perturbation=LOSSY))
    packets = served.decoder(path, queue=queue).data(N)
    rows, _ = session.ring.since(0)
    arriving = rows["sequence_number"][~rows["lost"]]

    assert [packet["sequence_number"] for packet in packets] == arriving[:N].tolist()
    assert arriving[N - 1] > 1.2 * N
    assert {packet["dropped"] for packet in packets} == {0}
    assert sum(audience.dropped for audience in session.audiences) == 0


def test_at_max_lost_packets_do_not_stop_a_lossless_decoder(served: Served) -> None:
    nearly_all = {"lost_packets": {"enabled": True, "probability": 0.9, "burst": 30.0}}
    session = served.store.create("deck", Options(speed="max", perturbation=nearly_all))
    quick = served.quick_decoder()
    packets = quick.until(lambda packet: packet["sequence_number"] > 3 * session.ring.capacity)

    assert {packet["dropped"] for packet in packets} == {0}


# Jitter


def test_jitter_delays_packets_in_order_but_not_clean_ones(served: Served) -> None:
    jitter = {"jitter": {"enabled": True, "sd": 200.0, "longest": 300.0}}
    session = served.store.create("deck", Options(speed=5.0, perturbation=jitter))
    session.replay.pause()
    held, clean = served.decoder(), served.decoder(clean=1)
    session.replay.resume()
    first_clean = clean.data(1)[0]
    packets, arrivals = [], []
    for _ in range(100):
        packets.append(held.data(1)[0])
        arrivals.append(time.time())
    rows, _ = session.ring.since(0)
    rows = rows[:100]
    earliest = np.maximum.accumulate(rows["timestamp"] + rows["delay"])

    assert [packet["sequence_number"] for packet in packets] == list(range(100))
    assert [packet["timestamp"] for packet in packets] == rows["timestamp"].tolist()
    # A wall clock that is corrected meanwhile may be off by a little.
    assert (np.array(arrivals) >= earliest - 0.005).all()
    assert rows["delay"].max() <= 0.3 + 1e-6
    assert first_clean["perturbation"] == []


def test_injected_delay_counts_neither_as_lateness_nor_as_latency(served: Served) -> None:
    jitter = {"jitter": {"enabled": True, "sd": 500.0, "longest": 500.0}}
    session = served.store.create("deck", Options(speed=5.0, perturbation=jitter))
    served.decoder().data(150)
    session.replay.pause()
    rows, _ = session.ring.since(0)
    (audience,) = session.audiences

    assert np.median(rows["delay"]) > 0.2
    assert np.median(audience.latencies) < 0.1
    assert np.median(rows["lateness"]) < 0.1
    assert session.replay.late_ticks == np.count_nonzero(rows["lateness"] >= RECORDING.bin_width / 5.0)


def test_what_is_held_back_arrives_though_the_session_is_paused(served: Served) -> None:
    jitter = {"jitter": {"enabled": True, "sd": 500.0, "longest": 500.0}}
    session = served.store.create("deck", Options(perturbation=jitter))
    decoder = served.decoder()
    decoder.data(5)
    session.replay.pause()
    last = session.ring.head - 1

    assert decoder.until(lambda packet: packet["sequence_number"] == last)[-1]["dropped"] == 0
