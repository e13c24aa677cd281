"""Which decoder has which colour and marker: the same in all plots and in the table of scores."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Sequence
from typing import Any, Final

from bokeh.core.property.vectorization import Field
from bokeh.models import LinearColorMapper
from bokeh.transform import transform

from plotters.drawing import paint

MARKS: Final = (
    ("decoder-1", "square"),
    ("decoder-2", "triangle"),
    ("decoder-3", "diamond"),
    ("decoder-4", "inverted_triangle"),
)
"""Role of the colour, and marker for those who see none; as many decoders as plots show."""


def mark_columns(n: int = 1) -> dict[str, list[Any]]:
    """Columns of a source with `n` rows for each mark, one mark after the other: its number and marker."""
    rows = [(mark, marker) for mark, (_, marker) in enumerate(MARKS, start=1) for _ in range(n)]
    return {"mark": [mark for mark, _ in rows], "marker": [marker for _, marker in rows]}


def mark_colour() -> Field:
    """The colour of a glyph's row by its ``mark``; 0 is for what belongs to no decoder."""
    mapper = LinearColorMapper(palette=["gray"] * (len(MARKS) + 1), low=-0.5, high=len(MARKS) + 0.5)
    paint(mapper, palette="marks")
    return transform("mark", mapper)


def marked(names: Sequence[str], present: Collection[str]) -> tuple[str, ...]:
    """The decoder that has each mark, "" for nobody.

    A name has a mark of its own, the same in every session, unless another took it before. Whoever finds
    none free gets that of one who is not present.

    Parameters
    ----------
    names : sequence of str
        All decoders of the session, in the order of their first prediction.
    present : collection of str
        Those that answer now.
    """
    owners, waiting = [""] * len(MARKS), []
    for name in names:
        free = [mark for mark in preferred(name) if not owners[mark]]
        if free:
            owners[free[0]] = name
        elif name in present:
            waiting.append(name)
    for name in waiting:
        silent = [mark for mark in preferred(name) if owners[mark] not in present]
        if silent:
            owners[silent[0]] = name
    return tuple(owners)


def preferred(name: str) -> list[int]:
    """Marks as a name would have them, its own first."""
    own = zlib.crc32(name.encode()) % len(MARKS)
    return [(own + step) % len(MARKS) for step in range(len(MARKS))]
