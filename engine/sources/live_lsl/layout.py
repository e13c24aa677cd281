"""Which channels of a kinematics stream are position and velocity."""

from __future__ import annotations

from typing import Final

from engine.sources.live_lsl.facts import Facts

Columns = tuple[int | None, ...]
"""Of x, y, vx and vy; None of what is not there."""

WANTED: Final = ("x", "y", "vx", "vy")
OURS: Final = (2, 3, 0, 1)
"""Of a stream of four channels without labels, which is taken for one of PhantomDeck's."""
UNKNOWN: Final = "units"


def kinematics_columns(facts: Facts) -> Columns:
    """By its labels; of a stream without any, position is in its first two channels."""
    labels = [label.lower() for label in facts.labels]
    if set(labels) & set(WANTED):
        return tuple(labels.index(name) if name in labels else None for name in WANTED)
    return OURS if facts.n_channels == len(OURS) else (0, 1, None, None)


def length_unit(facts: Facts | None) -> str:
    """That of the position, as its stream says."""
    if facts is None or not facts.units:
        return UNKNOWN
    column = kinematics_columns(facts)[0]
    return (facts.units[column] if column is not None else "") or UNKNOWN
