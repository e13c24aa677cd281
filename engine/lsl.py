"""What all that speaks LSL shares: liblsl set up, its clock against ours, and streams found by name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pylsl

from engine.bins import clock

CONFIGURATIONS = (
    os.environ.get("LSLAPICFG", ""),
    "lsl_api.cfg",
    "~/lsl_api/lsl_api.cfg",
    "/etc/lsl_api/lsl_api.cfg",
)
"""Where liblsl looks for one."""

if not any(Path(path).expanduser().is_file() for path in CONFIGURATIONS):
    # Once, and before liblsl is used: warnings stay, its greetings on standard error do not. Its default,
    # room for 5 s of samples, would be 600 MB for 1,024 channels of voltages that nobody listens to.
    pylsl.set_config_content("[log]\nlevel = -1\n[tuning]\nOutletBufferReserveMs = 100\n")

LOOK_FOR: Final = 0.5
"""Seconds for which the network is searched before whoever searches looks whether to end."""


def clock_offset() -> float:
    """What liblsl's clock is ahead of the engine's, s: zero on Linux; elsewhere they may begin apart."""
    return float(pylsl.local_clock() - clock.now())


def quoted(text: str) -> str:
    """A text as liblsl's queries have it: XPath 1.0 knows no escape for a quote, but two kinds of them."""
    if "'" not in text:
        return f"'{text}'"
    if '"' not in text:
        return f'"{text}"'
    parts = ', "\'", '.join(f"'{part}'" for part in text.split("'"))
    return f"concat({parts})"


def found(name: str, within: float = LOOK_FOR) -> list[pylsl.StreamInfo]:
    """The streams of a name on the network, after a search of so many seconds at most."""
    return list(pylsl.resolve_bypred(f"name={quoted(name)}", timeout=within))
