"""Which sessions a wall or a sheet of cards shows: those whose codes begin with a prefix."""

from __future__ import annotations

from collections.abc import Iterable


def fits(code: str, prefix: str) -> bool:
    """Whether a code begins with a prefix, and with all of its last word.

    ``class`` fits ``class-01``, and neither ``class2-01`` nor ``classroom``.
    """
    if not code.startswith(prefix):
        return False
    return not (prefix[-1:].isalnum() and code[len(prefix) : len(prefix) + 1].isalnum())


def chosen(codes: Iterable[str], prefix: str) -> list[str]:
    """Those that fit, sorted."""
    return sorted(code for code in codes if fits(code, prefix))
