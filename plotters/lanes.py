"""Which decoder has which colour and marker: the same in all plots and in the table of scores."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from bokeh.core.property.vectorization import Field
from bokeh.models import LinearColorMapper
from bokeh.transform import transform

from plotters.drawing import paint

LANES: Final = (
    ("decoder-1", "square"),
    ("decoder-2", "triangle"),
    ("decoder-3", "diamond"),
    ("decoder-4", "inverted_triangle"),
)
"""Role of the colour, and marker for those who see none; as many decoders as plots show."""


def marks(n: int = 1) -> dict[str, list[Any]]:
    """Columns of a source with `n` rows for each lane, one lane after the other: its number and marker."""
    rows = [(lane, marker) for lane, (_, marker) in enumerate(LANES, start=1) for _ in range(n)]
    return {"lane": [lane for lane, _ in rows], "marker": [marker for _, marker in rows]}


def lane_colour() -> Field:
    """The colour of a glyph's row by its ``lane``; 0 is for what belongs to no decoder."""
    mapper = LinearColorMapper(palette=["gray"] * (len(LANES) + 1), low=-0.5, high=len(LANES) + 0.5)
    paint(mapper, palette="lanes")
    return transform("lane", mapper)


class Lanes:
    """Keeps decoders in their lanes, first come, first served.

    One that has fallen silent keeps its own until another needs it.
    """

    def __init__(self) -> None:
        self._owners = [""] * len(LANES)

    def assign(self, present: Collection[str]) -> tuple[str, ...]:
        """The decoder in each lane, "" for nobody, given those that answer now."""
        for name in present:
            if name not in self._owners:
                free = [lane for lane, owner in enumerate(self._owners) if owner not in present]
                if free:
                    self._owners[min(free, key=lambda lane: self._owners[lane] != "")] = name
        return tuple(self._owners)
