"""What a decoder answers on its stream, such as ``{"type": "prediction", "sequence_number": 3, ...}``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.answers.cursor import Values
from engine.answers.prediction import checked_name, checked_number, checked_values, spell
from engine.errors import BadPrediction


def read_prediction(message: Mapping[Any, Any]) -> tuple[str | None, int, Values]:
    """Read a message.

    Parameters
    ----------
    message : mapping
        ``sequence_number``, as `read_number` has checked it; ``x`` and ``y``, ``vx`` and ``vy``, or all
        four; ``decoder`` if it has a name.

    Returns
    -------
    decoder : str or None
    sequence_number : int
    values : tuple of float
        x, y, vx, vy; NaN where not given.

    Raises
    ------
    BadPrediction
    """
    name = message.get("decoder")
    return None if name is None else checked_name(name), message["sequence_number"], checked_values(message)


def read_number(message: Mapping[Any, Any], head: int) -> int:
    """The ``sequence_number`` of a message, below `head`, of which there is no packet yet.

    Raises
    ------
    BadPrediction
    """
    number = message.get("sequence_number")
    if type(number) is not int:
        raise BadPrediction(f"sequence_number is {spell(number)}. Send that of a packet, a whole number.")
    return checked_number(number, head)
