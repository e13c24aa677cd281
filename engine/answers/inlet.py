"""What a session needs of an inlet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from engine.answers.predictions import Predictions


class Inlet(Protocol):
    """Hands one decoder's predictions on, from any thread, until it is closed."""

    @property
    def stream(self) -> str:
        """What it listens to."""
        ...

    @property
    def connected(self) -> bool:
        """Whether that is there."""
        ...

    @property
    def error(self) -> str | None:
        """The last thing that was wrong with what came, in one line."""
        ...

    def stop(self) -> None:
        """Listen no more, soon: several are told before any is waited for."""
        ...

    def close(self, within: float = ...) -> None:
        """Listen no more, and wait so many seconds until that is so. A second call does nothing."""
        ...


MakeInlet = Callable[[str, str, Predictions], Inlet]
"""Makes an inlet from the name of what it listens to, the decoder's name, and where predictions go."""
