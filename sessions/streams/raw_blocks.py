"""How blocks of voltages look on the wire, and which of their channels a client wants."""

from __future__ import annotations

import re
import struct
from typing import Any, Final

import numpy as np

from engine.bins.voltages import Voltages
from engine.broadband import BLOCK, SAMPLING_RATE
from engine.errors import BadSetting
from sessions.session import Session
from sessions.streams.packets import BINARY, frame_head

MAGIC: Final = b"PDRW"
VERSION: Final = 1
LOST_BEFORE: Final = 1
"""Flag of a block before which others were lost to this client."""
FIELDS: Final = (
    ("magic", "4s"),
    ("version", "H"),
    ("n_channels", "H"),
    ("sampling_rate_hz", "I"),
    ("first_sample", "Q"),
    ("timestamp", "d"),
    ("flags", "I"),
)
"""Of a block's header, little-endian and without gaps, as `struct` spells them."""
HEADER: Final = struct.Struct("<" + "".join(kind for _, kind in FIELDS))
RANGE: Final = re.compile(r"(\d{1,6})(?:-(\d{1,6}))?", re.ASCII)
Channels = tuple[int, ...]


def read_channels(asked: str, n_channels: int) -> Channels:
    """Channels as they are asked for, such as ``0-31`` or ``8,0-3``, in that order.

    Raises
    ------
    BadSetting
        If it cannot be read, or a channel is not there or stands twice.
    """
    found: list[int] = []
    for part in asked.split(","):
        match = RANGE.fullmatch(part.strip())
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, -1)
        if not first <= last < n_channels:
            found = []
            break
        found += range(first, last + 1)
    if not found or len(set(found)) < len(found):
        raise BadSetting(
            f"Parameter channels is {asked[:80]!r}. Send numbers and ranges within 0 to {n_channels - 1}, "
            "each channel once, such as 0-3,8."
        )
    return tuple(found)


def raw_metadata(session: Session, asked: Channels | None) -> dict[str, Any]:
    """What a client is told first: all that it needs to read blocks; of all channels if None."""
    voltages, names = session.replay.voltages, session.description.channel_names
    assert voltages is not None
    channels = range(voltages.n_channels) if asked is None else asked
    offsets = [struct.calcsize("<" + "".join(kind for _, kind in FIELDS[:i])) for i in range(len(FIELDS))]
    return {
        "type": "metadata",
        "session_code": session.code,
        "n_channels": len(channels),
        "channels": list(channels),
        "channel_names": [names[channel] for channel in channels],
        "sampling_rate_hz": SAMPLING_RATE,
        "block_samples": BLOCK,
        "microvolts_per_count": voltages.microvolts_per_count,
        "dtype": "int16",
        "byte_order": "little",
        "order": "sample-major",
        "header": {
            "magic": MAGIC.decode(),
            "version": VERSION,
            "bytes": HEADER.size,
            "struct": HEADER.format,
            "fields": [
                {"name": name, "offset": at, "bytes": struct.calcsize(f"<{kind}")}
                for (name, kind), at in zip(FIELDS, offsets, strict=True)
            ],
            "flags": {"lost_before": LOST_BEFORE},
        },
        "start_time": session.created,
    }


def raw_message(block: Voltages, channels: Channels | None, lost_before: bool) -> bytes:
    """A block as a whole WebSocket message; with all channels if None."""
    samples = block.samples if channels is None else block.samples[:, channels]
    n_channels, flags = samples.shape[1], LOST_BEFORE if lost_before else 0
    header = HEADER.pack(MAGIC, VERSION, n_channels, SAMPLING_RATE, block.first, block.unix, flags)
    size = HEADER.size + samples.nbytes
    return b"".join((frame_head(BINARY, size), header, np.ascontiguousarray(samples, "<i2").data))
