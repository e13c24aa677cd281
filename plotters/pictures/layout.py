"""Where panels go: those over time in one column on a common axis, square ones beside or below it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from plotters.pictures.panel import Panel

NARROW, SQUARE, MIDDLE, WIDE = 5.0, 7.0, 8.0, 12.0
"""Inches of the figure; what a picture has in pixels decides which, so that text stays readable."""
MIDDLE_FROM, WIDE_FROM = 600, 900
"""Pixels."""
BESIDE = 0.34
"""Share of the width for square panels beside the others."""

LEFT, RIGHT, SQUARE_RIGHT = 0.85, 0.55, 0.25
TITLE, AXIS, STRIP = 0.36, 0.6, 0.22


@dataclass(frozen=True)
class Box:
    """Inches from the left and from the top."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Arrangement:
    """All in inches; `strip` is the place of the trials' strip above panels over time."""

    width: float
    height: float
    boxes: Mapping[str, Box]
    strip: Box | None


def arrange(panels: Mapping[str, Panel], pixels: int) -> Arrangement:
    """Find a place for each panel, from a top at 0.

    Parameters
    ----------
    panels : mapping
        By name, in their order.
    pixels : int
        Width of the picture.
    """
    timed = {name: panel.height for name, panel in panels.items() if panel.height is not None}
    squares = [name for name in panels if name not in timed]
    inches = WIDE if pixels >= WIDE_FROM else MIDDLE if pixels >= MIDDLE_FROM else NARROW
    if len(squares) < 2 and not (timed and squares):
        inches = min(inches, MIDDLE if timed else SQUARE)
    if timed and squares and inches == WIDE:
        at = inches * (1 - BESIDE)
        beside = _squares(squares, at, 0.0, inches - at, per_row=1)
        stack = _stack(timed, at, at_least=beside.height)
        return Arrangement(
            inches, max(stack.height, beside.height), stack.boxes | beside.boxes, stack.strip
        )
    stack = _stack(timed, inches) if timed else _Column({}, 0.0)
    below = _squares(squares, 0.0, stack.height, inches, per_row=1 if inches == NARROW else 2)
    return Arrangement(inches, stack.height + below.height, stack.boxes | below.boxes, stack.strip)


@dataclass(frozen=True)
class _Column:
    boxes: dict[str, Box]
    height: float
    strip: Box | None = None


def _stack(heights: Mapping[str, float], width: float, at_least: float = 0.0) -> _Column:
    fixed = STRIP + TITLE * len(heights) + AXIS
    total = sum(heights.values())
    scale = max(1.0, (at_least - fixed) / total)
    inner = width - LEFT - RIGHT
    y, boxes = STRIP, {}
    for name, height in heights.items():
        boxes[name] = Box(LEFT, y + TITLE, inner, scale * height)
        y += TITLE + scale * height
    return _Column(boxes, fixed + scale * total, Box(LEFT, 0.0, inner, STRIP))


def _squares(names: Sequence[str], x: float, y: float, width: float, per_row: int) -> _Column:
    boxes: dict[str, Box] = {}
    cell = width / min(per_row, max(len(names), 1))
    side = cell - LEFT - SQUARE_RIGHT
    for i, name in enumerate(names):
        row, column = divmod(i, per_row)
        boxes[name] = Box(x + column * cell + LEFT, y + row * (TITLE + side + AXIS) + TITLE, side, side)
    n_rows = -(-len(names) // per_row)
    return _Column(boxes, n_rows * (TITLE + side + AXIS))
