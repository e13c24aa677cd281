"""WebSocket frames taken apart by hand, independently of the code under test."""

from __future__ import annotations

import struct

TEXT, BINARY, CLOSE, PING = 0x1, 0x2, 0x8, 0x9

Frame = tuple[int, bytes]
"""Opcode and payload."""


def parse(data: bytes) -> tuple[list[Frame], bytes]:
    """Whole, unfragmented and unmasked frames, and what is left over."""
    frames = []
    while len(data) >= 2:
        first, size = data[0], data[1]
        assert first & 0xF0 == 0x80
        assert not size & 0x80
        begin = 2
        if size == 126:
            begin = 4
            size = struct.unpack_from("!H", data.ljust(4, b"\0"), 2)[0]
        elif size == 127:
            begin = 10
            size = struct.unpack_from("!Q", data.ljust(10, b"\0"), 2)[0]
        if len(data) < begin + size:
            break
        frames.append((first & 0x0F, data[begin : begin + size]))
        data = data[begin + size :]
    return frames, data
