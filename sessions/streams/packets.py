"""Bins as the wire carries them: encoded once per layout, whatever the number of clients."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final, Literal

import msgpack
import numpy as np

from engine.bins.compact import LOST, NAMES, SCALARS, Body, Counts, Scalars, compact_body
from engine.bins.description import Description
from engine.bins.schema import BIN, SENT, Field, row_dtype
from engine.stages.perturb import model_names

Format = Literal["json", "msgpack"]
Layout = Literal["full", "flat", "enveloped", "compact"]

TEXT, BINARY, PING = 0x1, 0x2, 0x9

_pack: Callable[[Any], bytes] = msgpack.packb


def frame_head(opcode: int, size: int) -> bytes:
    """What stands before so many bytes of a message from a server (RFC 6455, section 5.2: one frame, not
    masked)."""
    if size < 126:
        return struct.pack("!BB", 0x80 | opcode, size)
    if size < 65536:
        return struct.pack("!BBH", 0x80 | opcode, 126, size)
    return struct.pack("!BBQ", 0x80 | opcode, 127, size)


def as_message(opcode: int, payload: bytes) -> bytes:
    """A whole WebSocket message from a server."""
    return frame_head(opcode, len(payload)) + payload


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

    def payload(self, dropped: int) -> bytes:
        """The packet without what WebSocket puts around it."""
        return self._number(dropped).join(self._pieces)

    def message(self, dropped: int) -> bytes:
        """The packet as it goes into a socket."""
        if dropped:
            return as_message(self._opcode, self.payload(dropped))
        if self._whole is None:
            self._whole = as_message(self._opcode, self.payload(0))
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
        self._prefixes, self._suffix = _JSON_WRAPS[layout] if text else _packed_wraps(description)[layout]
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
    wire = wire_of(description)
    template = ", ".join(map(_json_template, wire))
    sent = itemgetter(*(place + i for field, place in wire.items() for i in range(field.n)))
    before = f', "spikes": {{"channel_ids": {list(range(description.n_units))}, "spike_counts": ['
    after = f'], "bin_size_ms": {1000.0 / description.bin_rate!r}}}, "dropped": '
    spell_counts = _count_speller(description.count_dtype)
    meanings = [(place, _speller(meant)) for place, meant in _meanings(description).items()]
    meanings += [(place, _BOOLEANS.__getitem__) for field, place in wire.items() if field.kind == "?"]

    def body(scalars: Scalars, counts: Counts) -> bytes:
        values = list(scalars)
        for place, spelled in meanings:
            values[place] = spelled(values[place])
        text: str = template % sent(values)
        return (text.replace(": nan", ": null") + before + spell_counts(counts) + after).encode()

    return body


def msgpack_body(description: Description) -> Body:
    """The fields of ``data`` as MessagePack, from the first key to the key ``dropped``."""
    n_units, wide = description.n_units, description.count_dtype
    array = msgpack.Packer().pack_array_header(n_units)
    ids = _pack("channel_ids") + _pack(list(range(n_units)))
    before = _pack("spikes") + b"\x83" + ids + _pack("spike_counts")
    after = _pack("bin_size_ms") + _pack(1000.0 / description.bin_rate)
    last = _pack("dropped")
    pack: Callable[[Any], bytes] = msgpack.Packer().pack  # a buffer of its own, for one thread
    meanings = _meanings(description)
    wire = wire_of(description)
    fields: Callable[[list[Any]], dict[str, Any]] = eval(  # a display, not a loop: 2 us of 6
        f"lambda values: {{{', '.join(_item(field, place) for field, place in wire.items())}}}"
    )
    header = len(msgpack.Packer().pack_map_header(len(wire)))  # written outside, with other fields

    def body(scalars: Scalars, counts: Counts) -> bytes:
        values: list[Any] = [None if v != v else v for v in scalars]
        for place in _WHOLE:
            values[place] = None if values[place] is None else int(values[place])
        for place, meant in meanings.items():
            values[place] = meant(values[place])
        # Counts below 128 are their own encoding.
        small = wide.itemsize == 1 and counts.isascii()
        packed = array + counts if small else _pack(np.frombuffer(counts, wide).tolist())
        return b"".join((before, packed, after, pack(fields(values))[header:], last))

    return body


def _item(field: Field, place: int) -> str:
    """An item of a dict of all fields."""
    if field.n == 1:
        return f"{field.wire!r}: values[{place}]"
    parts = (f"{part.lstrip('#')!r}: values[{place + i}]" for i, part in enumerate(field.parts))
    return f"{field.wire!r}: {{{', '.join(parts)}}}"


WIRE: Final[dict[Field, int]] = {field: NAMES.index(field.name) for field in (*SENT, *BIN) if field.wire}
"""The fields of packets, beside ``spikes`` and ``dropped``, and where a row's values have them."""
_WHOLE: Final = [
    place + i for field, place in WIRE.items() for i, part in enumerate(field.parts) if part[0] == "#"
]


def wire_of(description: Description) -> dict[Field, int]:
    """Those of `WIRE` that the packets of such bins have."""
    return {
        field: place for field, place in WIRE.items() if not field.only or getattr(description, field.only)
    }


_BOOLEANS = {False: "false", True: "true"}


def _meanings(description: Description) -> dict[int, Callable[[Any], Any]]:
    """What stands in packets for values that mean something else, by their place."""
    trial_ids = description.trial_ids

    def trial_id(row: int) -> int | None:
        return trial_ids[row] if row >= 0 else None

    return {
        NAMES.index("trial"): trial_id,
        NAMES.index("perturbation"): lambda mask: model_names(mask) if mask else [],
    }


def _speller(meant: Callable[[Any], Any]) -> Callable[[Any], str]:
    """The same as JSON spells it, remembering what it was for the newest values."""
    return lru_cache(maxsize=64)(lambda value: json.dumps(meant(value)))


def _json_template(field: Field) -> str:
    """How JSON spells one field."""
    if field.n == 1:
        return f'"{field.wire}": {"%r" if field.kind in "df" else "%s"}'
    parts = (f'"{part[1:]}": %.0f' if part[0] == "#" else f'"{part}": %r' for part in field.parts)
    return f'"{field.wire}": {{{", ".join(parts)}}}'


def _map(n: int) -> bytes:
    return msgpack.Packer().pack_map_header(n)  # type: ignore[no-any-return]


_JSON_WRAPS: dict[str, Wrap] = {
    "enveloped": ((b'{"type": "data", "data": {',), b"}}"),
    "flat": ((b'{"type": "data", ',), b"}"),
    "full": ((b'{"type": "data", ', b', "data": {'), b"}}"),
}


def _packed_wraps(description: Description) -> dict[str, Wrap]:
    n = len(wire_of(description)) + 2
    kind = _pack("type") + _pack("data")
    envelope = _pack("data") + _map(n)
    return {
        "enveloped": ((_map(2) + kind + envelope,), b""),
        "flat": ((_map(1 + n) + kind,), b""),
        "full": ((_map(2 + n) + kind, envelope), b""),
        "compact": ((b"",), b""),
    }


_DIGITS = bytes(48 + i if i < 10 else 255 for i in range(256))


def _json_number(number: int) -> bytes:
    return b"%d" % number


def _count_speller(dtype: np.dtype[Any]) -> Callable[[Counts], str]:
    """Counts as JSON spells them, without the brackets."""

    def spell(counts: Counts) -> str:
        if dtype.itemsize == 1:
            digits = counts.translate(_DIGITS)
            if digits.isascii():  # every count has one digit, as nearly always
                return ", ".join(digits.decode())
        return str(np.frombuffer(counts, dtype).tolist())[1:-1]

    return spell
