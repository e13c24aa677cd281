"""Bins as the wire carries them: encoded once per layout, whatever the number of clients."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import Any, Literal

import msgpack
import numpy as np

from engine.bins.compact import LOST, SCALARS, Body, Counts, Scalars, compact_body
from engine.bins.description import Description
from engine.bins.schema import row_dtype
from engine.stages.perturb import model_names

Format = Literal["json", "msgpack"]
Layout = Literal["full", "flat", "enveloped", "compact"]

TEXT, BINARY, PING = 0x1, 0x2, 0x9

_pack: Callable[[Any], bytes] = msgpack.packb


def as_message(opcode: int, payload: bytes) -> bytes:
    """A whole WebSocket message from a server (RFC 6455, section 5.2: one frame, not masked)."""
    size = len(payload)
    if size < 126:
        return struct.pack("!BB", 0x80 | opcode, size) + payload
    if size < 65536:
        return struct.pack("!BBH", 0x80 | opcode, 126, size) + payload
    return struct.pack("!BBQ", 0x80 | opcode, 127, size) + payload


Wrap = tuple[tuple[bytes, ...], bytes]
"""What stands before each copy of the body, and after the last."""


class Packet:
    """One encoded bin. Only what a client has lost so far differs from client to client.

    Parameters
    ----------
    row : int
        Of the ring, which is its sequence number.
    opcode : int
        Of the WebSocket frame.
    pieces : tuple of bytes
        The message, cut where the count of dropped packets stands.
    number : function
        Encodes that count.
    """

    __slots__ = ("_number", "_opcode", "_pieces", "_whole", "row")

    def __init__(
        self, row: int, opcode: int, pieces: tuple[bytes, ...], number: Callable[[int], bytes]
    ) -> None:
        self.row = row
        self._opcode = opcode
        self._pieces = pieces
        self._number = number
        self._whole: bytes | None = None

    def message(self, dropped: int) -> bytes:
        """The packet as it goes into a socket."""
        if dropped:
            return as_message(self._opcode, self._number(dropped).join(self._pieces))
        if self._whole is None:
            self._whole = as_message(self._opcode, self._number(0).join(self._pieces))
        return self._whole


class Encoder:
    """Turns rows of a ring into packets of one format and layout.

    Parameters
    ----------
    description : Description
        Of the bins.
    format : "json" or "msgpack"
    layout : "full", "flat", "enveloped" or "compact"
        The last for MessagePack only.
    """

    def __init__(self, description: Description, format: Format, layout: Layout) -> None:  # noqa: A002
        text = format == "json"
        dtype = row_dtype(description.n_units, description.count_dtype)
        self._row_size = dtype.itemsize
        self._counts_at: int = dtype.fields["counts"][1]  # type: ignore[index]
        self._counts_end = self._counts_at + dtype["counts"].itemsize
        self._opcode = TEXT if text else BINARY
        self._number: Callable[[int], bytes] = _json_number if text else _pack
        self._prefixes, self._suffix = (_JSON_WRAPS if text else _PACKED_WRAPS)[layout]
        self._body: Body
        if layout == "compact":
            self._body = compact_body(description.trial_ids, dtype["counts"])
        else:
            self._body = json_body(description) if text else msgpack_body(description)

    def encode(self, raw: bytes | bytearray) -> list[Packet]:
        """Packets of rows of `engine.bins.schema.row_dtype`, without those that are lost."""
        packets = []
        for start in range(0, len(raw), self._row_size):
            scalars = SCALARS.unpack_from(raw, start)
            if scalars[LOST]:
                continue
            counts = raw[start + self._counts_at : start + self._counts_end]
            body = self._body(scalars, counts)
            pieces = (*(prefix + body for prefix in self._prefixes), self._suffix)
            packets.append(Packet(scalars[0], self._opcode, pieces, self._number))
        return packets


def json_body(description: Description) -> Body:
    """The fields of ``data`` as JSON, from the first to the colon after ``dropped``."""
    trial_ids = description.trial_ids
    spell_counts = _count_speller(description.count_dtype)
    before = f', "spikes": {{"channel_ids": {list(range(description.n_units))}, "spike_counts": ['
    after = f'], "bin_size_ms": {1000.0 / description.bin_rate!r}}}, "kinematics": {{"vx": '

    def body(scalars: Scalars, counts: Counts) -> bytes:
        number, timestamp, _, mask, _, trial_ms, coverage, packet_id, trial, *floats, observed = scalars
        x, y, vx, vy, target, tx, ty, distance = floats
        start = f'"timestamp": {timestamp!r}, "sequence_number": {number}, "packet_id": {packet_id}'
        rest = (
            f'{vx!r}, "vy": {vy!r}, "x": {x!r}, "y": {y!r}}}, "intention": {{"target_id": {target:.0f}, '
            f'"target_x": {tx!r}, "target_y": {ty!r}, "distance_to_target": {distance!r}}}, '
            f'"trial_id": {trial_ids[trial] if trial >= 0 else "null"}, "trial_time_ms": {trial_ms!r}'
        )
        end = (
            f', "observed": {"true" if observed else "false"}, "coverage": {coverage!r}, '
            f'"perturbation": {json.dumps(model_names(mask)) if mask else "[]"}, "dropped": '
        )
        return (start + before + spell_counts(counts) + after + _without_nan(rest) + end).encode()

    return body


def msgpack_body(description: Description) -> Body:
    """The fields of ``data`` as MessagePack, from the first key to the key ``dropped``."""
    trial_ids = description.trial_ids
    n_units = description.n_units
    wide = description.count_dtype
    array = msgpack.Packer().pack_array_header(n_units)
    ids = _pack("channel_ids") + _pack(list(range(n_units)))
    before = _pack("spikes") + b"\x83" + ids + _pack("spike_counts")
    after = _pack("bin_size_ms") + _pack(1000.0 / description.bin_rate)
    last = _pack("dropped")
    pack: Callable[[Any], bytes] = msgpack.Packer().pack  # a buffer of its own, for one thread

    def body(scalars: Scalars, counts: Counts) -> bytes:
        number, timestamp, _, mask, _, trial_ms, coverage, packet_id, trial, *floats, observed = scalars
        x, y, vx, vy, target, tx, ty, distance = (None if v != v else v for v in floats)
        rest = {
            "timestamp": timestamp,
            "sequence_number": number,
            "packet_id": packet_id,
            "kinematics": {"vx": vx, "vy": vy, "x": x, "y": y},
            "intention": {
                "target_id": None if target is None else int(target),
                "target_x": tx,
                "target_y": ty,
                "distance_to_target": distance,
            },
            "trial_id": trial_ids[trial] if trial >= 0 else None,
            "trial_time_ms": None if trial_ms != trial_ms else trial_ms,
            "observed": observed,
            "coverage": coverage,
            "perturbation": model_names(mask) if mask else [],
        }
        # Counts below 128 are their own encoding; the map's first byte has been written outside.
        small = wide.itemsize == 1 and counts.isascii()
        packed = array + counts if small else _pack(np.frombuffer(counts, wide).tolist())
        return b"".join((before, packed, after, pack(rest)[1:], last))

    return body


_JSON_WRAPS: dict[str, Wrap] = {
    "enveloped": ((b'{"type": "data", "data": {',), b"}}"),
    "flat": ((b'{"type": "data", ',), b"}"),
    "full": ((b'{"type": "data", ', b', "data": {'), b"}}"),
}
_TYPE = _pack("type") + _pack("data")
_ENVELOPE = _pack("data") + b"\x8c"  # 12 fields
_PACKED_WRAPS: dict[str, Wrap] = {
    "enveloped": ((b"\x82" + _TYPE + _ENVELOPE,), b""),
    "flat": ((b"\x8d" + _TYPE,), b""),
    "full": ((b"\x8e" + _TYPE, _ENVELOPE), b""),
    "compact": ((b"",), b""),
}
_DIGITS = bytes(48 + i if i < 10 else 255 for i in range(256))


def _json_number(number: int) -> bytes:
    return b"%d" % number


def _without_nan(numbers: str) -> str:
    """Missing numbers as JSON spells them."""
    return numbers.replace("nan", "null")


def _count_speller(dtype: np.dtype[Any]) -> Callable[[Counts], str]:
    """Counts as JSON spells them, without the brackets."""

    def spell(counts: Counts) -> str:
        if dtype.itemsize == 1:
            digits = counts.translate(_DIGITS)
            if digits.isascii():  # every count has one digit, as nearly always
                return ", ".join(digits.decode())
        return str(np.frombuffer(counts, dtype).tolist())[1:-1]

    return spell
