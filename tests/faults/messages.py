"""Messages that no decoder should send: the same every time, each with what may come of it."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Callable, Iterator
from typing import Any

import msgpack

TEXT, BINARY = 0x1, 0x2
MAX_MESSAGE = 64 * 1024

Message = tuple[bytes, bool]
"""Bytes for the socket, and whether the server must close."""

VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 3, 2**31, 2**63 - 1, -(2**63), 1.5, -0.0, 1e300, float("nan"), float("inf"),
    "", "3", "x" * 300, "\0", "\u202e", [], [1], {}, {"x": 1},
)  # fmt: skip
NUMERALS = ("1e999", "-1e999", "NaN", "-Infinity", "9" * 400, "9" * 5000, "1" + "0" * 60_000, "0x10", "01")


def frame(opcode: int, payload: bytes, *, first: int = 0x80, masked: bool = True) -> bytes:
    """A frame as a client sends it, its mask all zeros."""
    size, bit = len(payload), 0x80 if masked else 0
    head = bytes((first | opcode,))
    if size < 126:
        head += bytes((bit | size,))
    elif size < 65536:
        head += struct.pack("!BH", bit | 126, size)
    else:
        head += struct.pack("!BQ", bit | 127, size)
    return head + (bytes(4) if masked else b"") + payload


def prediction(chance: random.Random) -> dict[Any, Any]:
    """One with a few wrong values."""
    made: dict[Any, Any] = {"type": "prediction", "sequence_number": 0, "x": 1.0, "y": 2.0}
    for _ in range(chance.randrange(1, 4)):
        key = chance.choice(("type", "sequence_number", "x", "y", "vx", "vy", "decoder", "other", ""))
        made[key] = chance.choice(VALUES)
    return made


def wrong_types(chance: random.Random) -> Message:
    if chance.random() < 0.5:
        return frame(TEXT, json.dumps(prediction(chance)).encode()), False
    return frame(BINARY, msgpack.packb(prediction(chance))), False


def numerals(chance: random.Random) -> Message:
    key = chance.choice(("x", "sequence_number", "type"))
    text = f'{{"type": "prediction", "sequence_number": 0, "y": 0, "{key}": {chance.choice(NUMERALS)}}}'
    return frame(TEXT, text.encode()), False


def nesting(chance: random.Random) -> Message:
    depth = chance.choice((10, 500, 511, 512, 900, 980, 990, 1000, 30_000))
    if chance.random() < 0.5:
        inner = "[" * depth + "]" * depth if chance.random() < 0.5 else '{"a":' * depth + "0" + "}" * depth
        return frame(TEXT, f'{{"type": {inner}}}'.encode()[:MAX_MESSAGE]), False
    return frame(BINARY, b"\x81\xa4type" + b"\x91" * depth + b"\x00"), False


def garbled(chance: random.Random) -> Message:
    """A good message with some bytes changed; text stays UTF-8."""
    text = chance.random() < 0.5
    good = prediction(chance)
    data = bytearray(json.dumps(good).encode() if text else msgpack.packb(good))
    for _ in range(chance.randrange(1, 6)):
        data[chance.randrange(len(data))] = chance.randrange(128 if text else 256)
    return frame(TEXT if text else BINARY, bytes(data)), False


def noise(chance: random.Random) -> Message:
    return frame(BINARY, chance.randbytes(chance.choice((0, 1, 16, 1000)))), False


def large(chance: random.Random) -> Message:
    size = MAX_MESSAGE + chance.choice((-1, 0, 1, 1000, 200_000))
    return frame(chance.choice((TEXT, BINARY)), b"1" * size), size > MAX_MESSAGE


def bad_utf_8(chance: random.Random) -> Message:
    return frame(TEXT, b'{"type": "' + chance.choice((b"\xff", b"\xc0\x80", b"\xed\xa0\x80")) + b'"}'), True


def bad_frame(chance: random.Random) -> Message:
    """What RFC 6455 forbids in a frame."""
    return chance.choice(
        (
            frame(TEXT, b"{}", first=0xC0),
            frame(0x3, b"{}"),
            frame(0x0, b"{}"),
            frame(0x9, b"x" * 126),
            frame(0x9, b"x", first=0),
            b"\x81\xff" + b"\xff" * 8 + bytes(4),
            frame(TEXT, b"{", first=0) + frame(TEXT, b"}"),
        )
    ), True


def pieces(chance: random.Random) -> Message:
    """A message in several frames, with a ping between them."""
    return (
        frame(TEXT, b'{"type":', first=0) + frame(0x9, b"still there?") + frame(0x0, b'"dance"}')
    ), False


KINDS: tuple[tuple[Callable[[random.Random], Message], float], ...] = (
    (wrong_types, 40), (numerals, 10), (nesting, 10), (garbled, 20), (noise, 10), (large, 3),
    (bad_utf_8, 2), (bad_frame, 3), (pieces, 2),
)  # fmt: skip


def messages(n: int, seed: int = 11) -> Iterator[Message]:
    """So many, of every kind."""
    chance = random.Random(seed)
    makers, weights = zip(*KINDS, strict=True)
    for _ in range(n):
        yield chance.choices(makers, weights)[0](chance)
