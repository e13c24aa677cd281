"""Which channels of a kinematics stream are position and velocity."""

from __future__ import annotations

from typing import Final

from engine.sources.live_lsl.header import StreamHeader

Columns = tuple[int | None, ...]
"""Of x, y, vx and vy; None of what is not there."""

WANTED: Final = ("x", "y", "vx", "vy")
OURS: Final = (2, 3, 0, 1)
"""Of a stream of four channels without labels, which is taken for one of PhantomDeck's."""
UNKNOWN: Final = "units"


def kinematics_columns(header: StreamHeader) -> Columns:
    """By its labels; of a stream without any, position is in its first two channels."""
    labels = [label.lower() for label in header.labels]
    if set(labels) & set(WANTED):
        return tuple(labels.index(name) if name in labels else None for name in WANTED)
    return OURS if header.n_channels == len(OURS) else (0, 1, None, None)


def length_unit(header: StreamHeader | None) -> str:
    """That of the position, as its stream says."""
    if header is None or not header.units:
        return UNKNOWN
    column = kinematics_columns(header)[0]
    return (header.units[column] if column is not None else "") or UNKNOWN
