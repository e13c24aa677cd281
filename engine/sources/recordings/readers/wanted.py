"""What a person knows better than the reader of a file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.errors import BadSetting

SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6}
SPELLED = "s, ms, us, or samples:RATE such as samples:30000"


@dataclass(frozen=True)
class Wanted:
    """Choices that are not left to the reader.

    Attributes
    ----------
    series : mapping
        ``"position"`` and ``"velocity"`` to the name or path of a series.
    trials : str, optional
        Name or path of the table of trials.
    spike_times_in : str, optional
        Unit of the spike times, as `seconds_in` reads it.
    """

    series: Mapping[str, str] = field(default_factory=dict)
    trials: str | None = None
    spike_times_in: str | None = None


def seconds_in(spelled: str) -> float:
    """Seconds in one unit of spike times: 's', 'ms', 'us', or 'samples:30000' for samples at 30 kHz.

    Raises
    ------
    BadSetting
        If it is something else.
    """
    if spelled in SECONDS:
        return SECONDS[spelled]
    word, _, rate = spelled.partition(":")
    try:
        hertz = float(rate)
    except ValueError:
        hertz = math.nan
    if word != "samples" or not (math.isfinite(hertz) and hertz > 0):
        raise BadSetting(f"Unknown unit {spelled!r} of spike times. Choose {SPELLED}.")
    return 1.0 / hertz
