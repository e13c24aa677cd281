"""Spellings of length units: metric ones become millimetres, others stay what they are."""

from __future__ import annotations

import re
from dataclasses import dataclass

MILLIMETRES = {
    spelling: millimetres
    for millimetres, spellings in (
        (1e6, ("km", "kilometer", "kilometre")),
        (1e3, ("m", "meter", "metre")),
        (1e1, ("cm", "centimeter", "centimetre")),
        (1e0, ("mm", "millimeter", "millimetre")),
        (1e-3, ("um", "\u00b5m", "\u03bcm", "micrometer", "micrometre", "micron")),
    )
    for spelling in spellings
}
PER_SECOND = {
    "s": 1.0,
    "sec": 1.0,
    "second": 1.0,
    "ms": 1e3,
    "msec": 1e3,
    "millisecond": 1e3,
    "min": 1 / 60,
}

UNKNOWN = "unknown"

SPEED = re.compile(
    r"(?P<length>.+?)\s*(?:/|\bper\b|[ .*])\s*(?P<time>[a-z]+)(?:\^?-1|\*\*-1|\u207b\u00b9)?"
)


@dataclass(frozen=True)
class LengthUnit:
    """What a unit such as 'cm' or 'm/s' means.

    Attributes
    ----------
    name : str
        'mm' where it is metric; else as spelled, without the time; 'unknown' where there is none.
    scale : float
        Factor to that unit, and to seconds.
    per_second : bool
        Whether it is a unit of velocity.
    """

    name: str
    scale: float = 1.0
    per_second: bool = False

    @property
    def metric(self) -> bool:
        return self.name == "mm"

    @property
    def known(self) -> bool:
        return self.name != UNKNOWN


def length_unit(spelling: str) -> LengthUnit:
    """Read a unit: 'meters', 'mm/s', 'cm per second', 'm s^-1', 'px'."""
    length, scale, per_second = spelling.strip(), 1.0, False
    speed = SPEED.fullmatch(length.lower())
    if speed and _singular(speed["time"]) in PER_SECOND:
        length, scale, per_second = (
            length[: speed.end("length")],
            PER_SECOND[_singular(speed["time"])],
            True,
        )
    if _singular(length.lower()) in MILLIMETRES:
        return LengthUnit("mm", scale * MILLIMETRES[_singular(length.lower())], per_second)
    if length.lower() in ("", "n/a", "na", "none", "unspecified", UNKNOWN):
        length = UNKNOWN
    return LengthUnit(length, scale, per_second)


def _singular(word: str) -> str:
    return word.removesuffix("s") if len(word) > 2 else word
