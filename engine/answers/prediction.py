"""One prediction of a decoder: what it is made of, what it may be, and what becomes of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from engine.answers.cursor import Values
from engine.errors import BadPrediction

PREDICTION: Final = np.dtype(
    [
        ("sequence_number", np.int64),
        ("received", np.float64),
        ("values", np.float64, (4,)),
        ("decoder", np.int16),
        ("verdict", np.uint8),
    ]
)
"""One line of the log. ``received`` is on the engine's clock; ``values`` are x, y (length units), vx, vy
(per second), NaN where not given; ``decoder`` indexes `Predictions.names`; ``verdict``
is a `Verdict`."""


AXES: Final = ("x", "y", "vx", "vy")
CHANNELS: Final = (*AXES, "sequence_number")
"""What a prediction is made of, in the order of LSL."""
MAX_NAME: Final = 64
MAX_VALUE: Final = 1e9
"""Of a position or velocity: what is beyond is a fault, and its square could not be summed."""


def checked_values(given: Mapping[str, Any]) -> Values:
    """The values of a prediction, if they are such.

    Parameters
    ----------
    given : mapping
        By the names in `AXES`, None for what is not given; others do not matter.

    Raises
    ------
    BadPrediction
    """
    values: list[Any] = [given.get(name) for name in AXES]
    x, y, vx, vy = values
    for name, value in zip(AXES, values, strict=True):
        if value is not None and not (type(value) in (float, int) and abs(value) <= MAX_VALUE):
            raise BadPrediction(
                f"{name} is {spell(value)}. Send a number from -{MAX_VALUE:g} to {MAX_VALUE:g}, "
                "or leave it out."
            )
    if (x is None) != (y is None) or (vx is None) != (vy is None):
        one, other = ("x", "y") if (x is None) != (y is None) else ("vx", "vy")
        raise BadPrediction(f"One of {one} and {other} is missing. Send both, or neither.")
    if x is None and vx is None:
        raise BadPrediction("There are no values. Send x and y, vx and vy, or all four.")
    place = (math.nan, math.nan) if x is None else (float(x), float(y))
    return *place, *((math.nan, math.nan) if vx is None else (float(vx), float(vy)))


def checked_number(number: int, head: int) -> int:
    """The number of a bin, if it has been sent; `head` is that of the next one.

    Raises
    ------
    BadPrediction
    """
    if not 0 <= number < head:
        raise BadPrediction(
            f"Bin {str(number)[:20]} has not been sent. "
            "Answer with the sequence_number of a packet that you got."
        )
    return number


def checked_name(decoder: object) -> str:
    """The name of a decoder, if it can be one.

    Raises
    ------
    BadPrediction
    """
    if isinstance(decoder, str) and 0 < len(decoder) <= MAX_NAME and decoder.isprintable():
        return decoder
    raise BadPrediction(
        f"Decoder name {spell(decoder)} is not allowed. Use 1 to {MAX_NAME} printable characters."
    )


def spell(value: object) -> str:
    """A value of somebody else's, short enough for a message."""
    plain = value is None or isinstance(value, str | int | float)
    return repr(value)[:MAX_NAME] if plain else f"a {type(value).__name__}"
