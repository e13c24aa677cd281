"""Looking at many sessions without delaying any of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

Entry = TypeVar("Entry")
Answer = TypeVar("Answer")

REST: Final = 0.0005
"""Seconds between two sessions. A thread that never sleeps is given the interpreter after each packet that
the stream loop hands to the kernel, and the loop has it back a switch interval later."""


def in_turns(entries: Mapping[str, Entry], look: Callable[[Entry], Answer]) -> dict[str, Answer]:
    """What `look` finds at each, by code. Not for the loop's own thread, which goes first in between."""
    found = {}
    for code, entry in entries.items():
        found[code] = look(entry)
        time.sleep(REST)
    return found
