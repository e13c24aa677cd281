"""How fast a replay may be."""

from __future__ import annotations

from typing import Final, Literal

from engine.errors import BadSetting

Speed = float | Literal["max"]
"""Times real time; "max" is as fast as the listeners take it."""

MIN_SPEED: Final = 0.1
MAX_SPEED: Final = 100.0


def checked_speed(speed: Speed) -> Speed:
    """The speed, if it is one.

    Raises
    ------
    BadSetting
        If it is neither "max" nor a number from 0.1 to 100.
    """
    if speed == "max" or (isinstance(speed, int | float) and MIN_SPEED <= speed <= MAX_SPEED):
        return speed
    raise BadSetting(f"Speed {speed!r} is out of range. Send 0.1 to 100, or 'max'.")
