"""Lists of trials or targets as people type them: "1-20, 45"."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from engine.errors import BadSetting

SEPARATOR: Final = re.compile("(?<![-\N{EN DASH}\\s])[\\s,;]+(?![-\N{EN DASH}\\s])")
PART: Final = re.compile("(\\d{1,9})(?:\\s*[-\N{EN DASH}]\\s*(\\d{1,9}))?")
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
        quoted = f"\N{LEFT DOUBLE QUOTATION MARK}{part[:80]}\N{RIGHT DOUBLE QUOTATION MARK}"
        if last < first:
            raise BadSetting(f"{quoted} is no number and no range. Write them as in 1-20, 45.")
        if last - first >= LONGEST:
            raise BadSetting(f"{quoted} is too long a range.")
        ids.update(range(first, last + 1))
    return tuple(sorted(ids))


def spell_ids(ids: Iterable[int]) -> str:
    """The shortest text that lists ascending numbers."""
    runs: list[list[int]] = []
    for number in ids:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs)
