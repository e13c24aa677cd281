"""The compact layout: the smallest form of a bin, which WebSockets and Kafka carry."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, Final

import msgpack
import numpy as np

from engine.bins.schema import Rows, unpacker

OBSERVED, PERTURBED = 1, 2
"""Bits of the flags."""

Scalars = tuple[Any, ...]
Counts = bytes | bytearray
Body = Callable[[Scalars, Counts], bytes]

_pack: Callable[[Any], bytes] = msgpack.packb

SCALARS, NAMES = unpacker()
"""Takes the values of a row apart, and says of which field each is."""
LOST: Final = NAMES.index("lost")
"""Which of the values it is."""


def compact_body(trial_ids: Sequence[int], counts: np.dtype[Any]) -> Body:
    """The compact map from its first byte to the key ``d``; every field has a fixed size.

    Parameters
    ----------
    trial_ids : sequence of int
        By index of the trial; it may grow.
    counts : dtype
        Of all counts of a bin, with its shape (n_units,).
    """
    packed_ids = {-1: _pack("r") + _pack(None)}
    size = counts.itemsize
    head = struct.Struct(">3sBQ2sBI2sBd")
    before = _pack("c") + (b"\xc4" + bytes([size]) if size < 256 else b"\xc5" + struct.pack(">H", size))
    quad = struct.Struct("<4f")
    numbers = itemgetter(*map(NAMES.index, ("sequence_number", "timestamp", "packet_id", "trial")))
    facts = itemgetter(*map(NAMES.index, ("trial_time_ms", "perturbation", "observed")))
    kinematics, intention = (slice(at, at + 4) for at in map(NAMES.index, ("kinematics", "intention")))
    k, g, last = _pack("k") + b"\xc4\x10", _pack("g") + b"\xc4\x10", _pack("d")

    def packed_id(trial: int) -> bytes:
        packed_ids[trial] = _pack("r") + _pack(trial_ids[trial])
        return packed_ids[trial]

    def body(scalars: Scalars, counts: Counts) -> bytes:
        number, timestamp, packet_id, trial = numbers(scalars)
        trial_ms, mask, observed = facts(scalars)
        flags = OBSERVED * observed | PERTURBED * bool(mask)
        return b"".join(
            (
                head.pack(b"\x8a\xa1s", 0xCF, number, b"\xa1p", 0xCE, packet_id, b"\xa1t", 0xCB, timestamp),
                before,
                counts,
                k,
                quad.pack(*scalars[kinematics]),
                g,
                quad.pack(*scalars[intention]),
                packed_ids.get(trial) or packed_id(trial),
                b"\xa1m\xc0" if trial_ms != trial_ms else b"\xa1m" + _pack(trial_ms),
                b"\xa1f" + bytes((flags,)),
                last,
            )
        )

    return body


def compact(rows: Rows, body: Body) -> list[bytes]:
    """Bins as whole messages, shape (n,), dtype `engine.bins.schema.row_dtype`; none dropped."""
    at = rows.dtype.fields["counts"][1]  # type: ignore[index]
    end = at + rows.dtype["counts"].itemsize
    raw = rows.tobytes()
    return [
        body(SCALARS.unpack_from(raw, start), raw[start + at : start + end]) + b"\x00"
        for start in range(0, len(raw), rows.dtype.itemsize)
    ]
