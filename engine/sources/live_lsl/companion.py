"""What comes beside the counts: samples of another stream, found by the time of a bin."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final

Values = tuple[float, ...]

WAIT: Final = 0.25
"""Seconds for which a bin waits for its companions after its counts have come."""
GIVEN_UP: Final = 1.0
"""Seconds of silence after which a companion is waited for no more, until it speaks again."""
KEPT: Final = 4096
"""Samples, at most."""


class Companion:
    """The newest samples of one stream.

    Parameters
    ----------
    rate : float
        Nominal, Hz; what comes at an irregular one, 0, holds until the next.
    bin_width : float
        Seconds.
    """

    def __init__(self, rate: float, bin_width: float) -> None:
        self._since: float | None = None  # when the stream was found, if it is there
        self._holds = not rate
        self._near = max(bin_width, 1.0 / rate if rate else 0.0) / 2
        self._late = bin_width / 4
        self._kept: deque[tuple[float, Values]] = deque(maxlen=KEPT)
        self._newest = -math.inf

    def come(self, now: float) -> None:
        """The stream is there from now on."""
        self._since = now

    def go(self) -> None:
        """It has gone."""
        self._since = None

    def add(self, stamps: Iterable[float], samples: Iterable[Sequence[float]]) -> None:
        """Take what has come, with time stamps in seconds of the engine's clock."""
        for stamp, sample in zip(stamps, samples, strict=True):
            self._kept.append((stamp, tuple(sample)))
            self._newest = max(self._newest, stamp)

    def complete(self, due: float) -> bool:
        """Whether nothing more is to be expected for a bin that was due then."""
        if self._since is None or self._holds:
            return True
        return self._newest >= due - self._late or due - max(self._newest, self._since) > GIVEN_UP

    def at(self, due: float) -> Values | None:
        """What belongs to that bin, if anything does. Ask in the order of bins: what was before goes."""
        kept = self._kept
        while len(kept) > 1 and self._better(kept[1][0], kept[0][0], due):
            kept.popleft()
        if not kept:
            return None
        stamp, values = kept[0]
        if self._holds:
            return values if self._since is not None and stamp <= due + self._late else None
        return values if abs(stamp - due) <= self._near + 1e-6 else None

    def _better(self, stamp: float, before: float, due: float) -> bool:
        """Whether a sample belongs to a bin rather than the one before it."""
        return stamp <= due + self._late if self._holds else abs(stamp - due) <= abs(before - due)
