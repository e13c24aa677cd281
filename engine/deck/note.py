"""What is written down about a replay."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Note:
    """What was asked of a replay, such as ``"seek 400"``, or found out about it, and when.

    Attributes
    ----------
    text : str
    due : float
        Seconds of the engine's clock, as bins have it.
    timestamp : float
        Unix seconds.
    asked : bool
        Whether it changed anything; false for what others `Transport.note`.
    """

    text: str
    due: float
    timestamp: float
    asked: bool = True
