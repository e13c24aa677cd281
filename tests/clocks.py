"""A clock that tests may put forward."""

from __future__ import annotations

import time


class JumpingClock:
    """The engine's clock, which a test may put forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.perf_counter() + self.ahead
