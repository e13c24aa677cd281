"""Packets say what the wire contract says, in every layout, as plain encoders would spell it."""

from __future__ import annotations

import json
import math
import struct
from dataclasses import replace
from typing import Any

import msgpack
import numpy as np
import numpy.typing as npt
import pytest

from engine.bins.description import Goal
from engine.bins.schema import Rows, bin_dtype
from engine.sources.recordings.recording import Recording
from sessions.streams.packets import Encoder, Format, Layout, as_message
from tests.builders import play, small_recording
from tests.sessions.frames import BINARY, TEXT, parse

LAYOUTS: list[tuple[Format, Layout]] = [
    ("json", "enveloped"),
    ("json", "flat"),
    ("json", "full"),
    ("msgpack", "enveloped"),
    ("msgpack", "flat"),
    ("msgpack", "full"),
]
NOISE, DRIFT = 1, 2


def with_counts(counts: npt.NDArray[Any]) -> Recording:
    """A recording with these counts, shape (n_bins, n_units), in trials with gaps between them."""
    n_bins, n_units = counts.shape
    recording = small_recording(n_units, n_bins, gaps=True)
    bins = np.zeros(n_bins, bin_dtype(n_units, counts.dtype))
    for name in bins.dtype.names or ():
        bins[name] = counts if name == "counts" else recording.bins[name]
    bins["coverage"][:3] = 0.6, 0.123456, 0.0
    return replace(recording, bins=bins)


def sent(recording: Recording, mask: int = 0, first: int = 41) -> Rows:
    """The whole recording as a replay puts it into its ring."""
    rows = play(recording, range(recording.n_bins))
    rows["sequence_number"] = np.arange(first, first + len(rows))
    rows["timestamp"] = 1673625600.123 + np.arange(len(rows)) * 0.025
    rows["perturbation"] = mask
    return rows


def number(value: Any) -> float | None:
    return None if math.isnan(value) else float(value)


def expected(recording: Recording, row: np.void, dropped: int, models: list[str]) -> dict[str, Any]:
    """The contract's fields of ``data``."""
    x, y, vx, vy = map(number, row["kinematics"])
    target, target_x, target_y, distance = map(number, row["intention"])
    trial = int(row["trial"])
    return {
        "timestamp": float(row["timestamp"]),
        "sequence_number": int(row["sequence_number"]),
        "packet_id": int(row["packet_id"]),
        "spikes": {
            "channel_ids": list(range(recording.n_units)),
            "spike_counts": [int(count) for count in row["counts"]],
            "bin_size_ms": 1000.0 / recording.bin_rate,
        },
        "kinematics": {"vx": vx, "vy": vy, "x": x, "y": y},
        "intention": {
            "target_id": target if target is None else int(target),
            "target_x": target_x,
            "target_y": target_y,
            "distance_to_target": distance,
        },
        "trial_id": recording.trials[trial].trial_id if trial >= 0 else None,
        "trial_time_ms": number(row["trial_time_ms"]),
        "observed": bool(row["observed"]),
        "coverage": float(row["coverage"]),
        "perturbation": models,
        "dropped": dropped,
    }


def wrapped(data: dict[str, Any], layout: Layout) -> dict[str, Any]:
    top = {} if layout == "enveloped" else data
    return {"type": "data", **top, **({} if layout == "flat" else {"data": data})}


def payload(framed: bytes, opcode: int) -> bytes:
    """Of the only frame."""
    [(found, content)], rest = parse(framed)
    assert (found, rest) == (opcode, b"")
    return content


def decoded(framed: bytes, format: Format) -> Any:  # noqa: A002
    if format == "json":
        return json.loads(payload(framed, TEXT), parse_constant=pytest.fail)
    return msgpack.unpackb(payload(framed, BINARY))


def random_counts(top: int, n_units: int = 5, dtype: npt.DTypeLike = np.uint8) -> npt.NDArray[Any]:
    return np.random.default_rng(0).integers(0, top + 1, (40, n_units)).astype(dtype)


def same_types(a: Any, b: Any) -> bool:
    """Whether 3 is 3 and not 3.0, throughout."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same_types(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same_types, a, b))
    return type(a) is type(b)


@pytest.mark.parametrize(("format", "layout"), LAYOUTS)
@pytest.mark.parametrize(
    "counts",
    [
        random_counts(9),
        random_counts(10),
        random_counts(127),
        random_counts(128),
        random_counts(255),
        random_counts(9, dtype=np.uint16),
        random_counts(65535, dtype=np.uint16),
        random_counts(3, n_units=1),
        random_counts(30, n_units=142),
    ],
    ids=["0-9", "0-10", "0-127", "0-128", "0-255", "uint16 small", "uint16", "one unit", "142 units"],
)
def test_packet_decodes_to_the_fields_of_the_contract(
    format: Format,  # noqa: A002
    layout: Layout,
    counts: npt.NDArray[Any],
) -> None:
    recording = with_counts(counts)
    rows = sent(recording)
    packets = Encoder(recording, format, layout).encode(rows.tobytes())

    assert len(packets) == len(rows)
    for row, packet in zip(rows, packets, strict=True):
        found = decoded(packet.message(0), format)
        wanted = wrapped(expected(recording, row, 0, []), layout)
        assert found == wanted
        assert same_types(found, wanted)


@pytest.mark.parametrize(("format", "layout"), LAYOUTS)
@pytest.mark.parametrize(
    ("mask", "models"), [(NOISE, ["noise"]), (DRIFT, ["drift"]), (NOISE | DRIFT, ["noise", "drift"])]
)
def test_packet_names_the_perturbations_that_are_on(
    format: Format,  # noqa: A002
    layout: Layout,
    mask: int,
    models: list[str],
) -> None:
    recording = small_recording()
    rows = sent(recording, mask)
    packet = Encoder(recording, format, layout).encode(rows[:1].tobytes())[0]

    assert decoded(packet.message(0), format) == wrapped(expected(recording, rows[0], 0, models), layout)


@pytest.mark.parametrize(("format", "layout"), LAYOUTS)
def test_each_client_is_told_what_it_lost_itself(format: Format, layout: Layout) -> None:  # noqa: A002
    recording = small_recording()
    rows = sent(recording)
    packet = Encoder(recording, format, layout).encode(rows[:1].tobytes())[0]

    for dropped in (0, 5, 127, 128, 70_000, 0, 2**33):
        found = decoded(packet.message(dropped), format)
        assert found == wrapped(expected(recording, rows[0], dropped, []), layout)


@pytest.mark.parametrize(("format", "layout"), LAYOUTS)
def test_missing_numbers_are_null(format: Format, layout: Layout) -> None:  # noqa: A002
    recording = small_recording(gaps=True)
    rows = sent(recording)
    outside = int(np.argmax(rows["trial"] < 0))
    packet = Encoder(recording, format, layout).encode(rows[outside : outside + 1].tobytes())[0]
    found = decoded(packet.message(0), format)
    data = found.get("data", found)

    assert set(data["kinematics"].values()) == set(data["intention"].values()) == {None}
    assert data["trial_id"] is data["trial_time_ms"] is None
    assert data["observed"] is False


@pytest.mark.parametrize(("format", "layout"), LAYOUTS)
def test_part_of_the_numbers_may_be_missing(format: Format, layout: Layout) -> None:  # noqa: A002
    recording = small_recording()
    rows = sent(recording)[:1]
    rows["kinematics"][:, 2:] = np.nan
    rows["intention"][:, 0] = np.nan
    found = decoded(Encoder(recording, format, layout).encode(rows.tobytes())[0].message(0), format)

    assert found == wrapped(expected(recording, rows[0], 0, []), layout)


# Compact


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("n_units", [1, 5, 128, 142, 300])
@pytest.mark.parametrize("mask", [0, NOISE])
def test_compact_packet_carries_numbers_as_bytes(dtype: npt.DTypeLike, n_units: int, mask: int) -> None:
    recording = with_counts(random_counts(250, n_units, dtype))
    rows = sent(recording, mask)
    for row, packet in zip(
        rows, Encoder(recording, "msgpack", "compact").encode(rows.tobytes()), strict=True
    ):
        found = decoded(packet.message(3), "msgpack")
        data = expected(recording, row, 3, [])
        kinematics, intention = struct.unpack("<4f", found.pop("k")), struct.unpack("<4f", found.pop("g"))

        np.testing.assert_array_equal(kinematics, row["kinematics"])
        np.testing.assert_array_equal(intention, row["intention"])
        assert found == {
            "s": data["sequence_number"],
            "p": data["packet_id"],
            "t": data["timestamp"],
            "c": row["counts"].astype(np.dtype(dtype).newbyteorder("<")).tobytes(),
            "r": data["trial_id"],
            "m": data["trial_time_ms"],
            "f": int(data["observed"]) + 2 * bool(mask),
            "d": 3,
        }


def test_compact_packet_takes_at_most_35_percent_of_json() -> None:
    recording = with_counts(random_counts(3, 142))
    rows = sent(recording)
    json_packets = Encoder(recording, "json", "enveloped").encode(rows.tobytes())
    compact_packets = Encoder(recording, "msgpack", "compact").encode(rows.tobytes())

    for compact, full in zip(compact_packets, json_packets, strict=True):
        assert len(compact.message(0)) <= 0.35 * len(full.message(0))


@pytest.mark.parametrize(("format", "layout"), LAYOUTS)
def test_large_sequence_numbers_and_negative_trial_ids_survive(
    format: Format,  # noqa: A002
    layout: Layout,
) -> None:
    recording = small_recording()
    trials = tuple(replace(trial, trial_id=-5 - trial.trial_id) for trial in recording.trials)
    renamed = replace(recording, trials=trials)
    rows = sent(renamed, first=2**40)[:1]
    found = decoded(Encoder(renamed, format, layout).encode(rows.tobytes())[0].message(0), format)
    compact = decoded(
        Encoder(renamed, "msgpack", "compact").encode(rows.tobytes())[0].message(0), "msgpack"
    )

    assert found == wrapped(expected(renamed, rows[0], 0, []), layout)
    assert (compact["s"], compact["r"]) == (2**40, -5)


# Frames


@pytest.mark.parametrize(
    ("n_units", "layout", "header"), [(1, "compact", 2), (100, "compact", 4), (40_000, "enveloped", 10)]
)
def test_frames_of_all_three_length_classes_are_whole_messages(
    n_units: int, layout: Layout, header: int
) -> None:
    recording = with_counts(random_counts(9, n_units)[:4])
    framed = Encoder(recording, "msgpack", layout).encode(sent(recording)[:1].tobytes())[0].message(0)

    assert len(payload(framed, BINARY)) == len(framed) - header


@pytest.mark.parametrize("size", [0, 125, 126, 65535, 65536])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_frame_lengths_are_right_at_the_edges_of_their_classes(size: int, opcode: int) -> None:
    assert payload(as_message(opcode, bytes(size)), opcode) == bytes(size)


class Intending(Recording):
    """One whose bins say what the user wanted, whether they know it or not."""

    goal = Goal(10.0, 0.5, 8)


@pytest.mark.parametrize(("format", "layout"), LAYOUTS)
def test_what_a_user_intended_stands_in_packets_of_those_that_know_it_alone(
    format: Format,  # noqa: A002
    layout: Layout,
) -> None:
    recording = with_counts(random_counts(9))
    rows = sent(recording)
    rows["intended"][0] = 1.5, -2.0
    raw = rows[:2].tobytes()
    closed = Intending(**vars(recording))
    told, unknown = (
        decoded(packet.message(0), format) for packet in Encoder(closed, format, layout).encode(raw)
    )
    plain = decoded(Encoder(recording, format, layout).encode(raw)[0].message(0), format)
    for data in (each for each in (told, told.get("data", {})) if "spikes" in each):
        assert data.pop("intended") == {"vx": 1.5, "vy": -2.0}
    assert told == plain
    assert unknown.get("data", unknown)["intended"] == {"vx": None, "vy": None}


def test_the_compact_layout_is_the_same_for_all() -> None:
    recording = with_counts(random_counts(9))
    raw = sent(recording)[:1].tobytes()
    closed = Intending(**vars(recording))
    one, other = (Encoder(each, "msgpack", "compact").encode(raw)[0] for each in (recording, closed))
    assert one.message(0) == other.message(0)
