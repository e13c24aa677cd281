"""Lists as people type them: of trials or channels "1-20, 45", of pairs "4-5, 8-9", of levels "3: -60"."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from engine.errors import BadSetting

SEPARATOR: Final = re.compile("(?<![-\N{EN DASH}\\s])[\\s,;]+(?![-\N{EN DASH}\\s])")
PART: Final = re.compile("(\\d{1,9})(?:\\s*[-\N{EN DASH}]\\s*(\\d{1,9}))?")
LEVEL: Final = re.compile("(\\d{1,9})\\s*:\\s*([-\N{MINUS SIGN}]?\\d{1,5}(?:\\.\\d{1,9})?)")
LONGEST: Final = 100_000


def parse_ids(text: str) -> tuple[int, ...]:
    """The numbers that a text lists, ascending.

    Raises
    ------
    BadSetting
        If it cannot be read.
    """
    ids: set[int] = set()
    for part in filter(None, SEPARATOR.split(text)):
        found = PART.fullmatch(part)
        first = int(found[1]) if found else 1
        last = int(found[2] or found[1]) if found else 0
        quoted = _quoted(part)
        if last < first:
            raise BadSetting(f"{quoted} is no number and no range. Write them as in 1-20, 45.")
        if last - first >= LONGEST:
            raise BadSetting(f"{quoted} is too long a range.")
        ids.update(range(first, last + 1))
    return tuple(sorted(ids))


def parse_pairs(text: str) -> list[tuple[int, int]]:
    """The pairs that a text lists.

    Raises
    ------
    BadSetting
        If it cannot be read.
    """
    pairs = []
    for part in filter(None, SEPARATOR.split(text)):
        found = PART.fullmatch(part)
        if found is None or found[2] is None:
            raise BadSetting(f"{_quoted(part)} is no pair. Write them as in 4-5, 8-9.")
        pairs.append((int(found[1]), int(found[2])))
    return pairs


def spell_pairs(pairs: Iterable[tuple[int, int]]) -> str:
    """A text that lists pairs."""
    return ", ".join(f"{one}-{other}" for one, other in pairs)


def parse_levels(text: str) -> list[tuple[int, float]]:
    """The channels that a text lists, each with a number.

    Raises
    ------
    BadSetting
        If it cannot be read.
    """
    levels = []
    for part in filter(None, map(str.strip, re.split("[,;]", text))):
        found = LEVEL.fullmatch(part)
        if found is None:
            raise BadSetting(
                f"{_quoted(part)} is no channel with a number. Write them as in 3: -60, 8: -52.5."
            )
        levels.append((int(found[1]), float(found[2].replace("\N{MINUS SIGN}", "-"))))
    return levels


def spell_levels(levels: Iterable[tuple[int, float]]) -> str:
    """A text that lists channels, each with a number."""
    return ", ".join(f"{channel}: {level:g}" for channel, level in levels)


def _quoted(part: str) -> str:
    return f"\N{LEFT DOUBLE QUOTATION MARK}{part[:80]}\N{RIGHT DOUBLE QUOTATION MARK}"


def spell_ids(ids: Iterable[int]) -> str:
    """The shortest text that lists ascending numbers."""
    runs: list[list[int]] = []
    for number in ids:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs)
