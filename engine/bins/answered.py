"""What becomes of a prediction, and what was answered when a record was made."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt


class Verdict(IntEnum):
    """What became of a prediction, or of a bin that will have none."""

    ON_TIME = 0
    """Received before the next bin was due."""
    LATE = 1
    """Received after that."""
    STALE = 2
    """Received when its bin had left the ring; not scored."""
    DUPLICATE = 3
    """The bin had one from this decoder already; not scored."""
    DROPPED = 4
    """No prediction: the bin never reached the decoder, which was too slow. Values are NaN."""
    LEFT = 5
    """No prediction: the decoder gets no bins from this one on, until it predicts again."""


ANSWER = np.dtype(
    [
        ("packet_id", np.int32),
        ("behind", np.int32),
        ("decoder", np.int16),
        ("delay", np.float64),
        ("values", np.float64, (4,)),
        ("verdict", np.uint8),
    ]
)


@dataclass(frozen=True, eq=False)
class Answers:
    """What decoders answered to the bins of a recording that is a session's record.

    Attributes
    ----------
    names : tuple of str
        Of the decoders.
    rows : ndarray, shape (n,), dtype `ANSWER`
        As they came: the newest bin then, how many bins before that the one is that was answered, the
        decoder's place in `names`, s from the answered bin's being due to the answer's being received,
        x, y (length units), vx, vy (per second), NaN where not given, and the
        `Verdict` of then.
    """

    names: tuple[str, ...]
    rows: npt.NDArray[np.void]
