"""What a sink is: where the bins of a session go, beside its WebSockets and pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from engine.bins.description import Description
from engine.bins.schema import Rows
from engine.bins.voltages import VoltageRing


class Sink(Protocol):
    """Made, driven and closed by one thread, that of its `engine.sinks.feeder.Courier`.

    It may be slow, block and raise: nobody but itself loses by that.
    """

    def wanted(self) -> bool:
        """Whether somebody listens. A session that waits for its first listener asks this."""
        ...

    def push(self, rows: Rows) -> None:
        """Send bins that are due now, shape (n,), dtype `engine.bins.schema.row_dtype`."""
        ...

    def event(self, text: str, due: float) -> None:
        """Send what happened at `due`, in seconds of the engine's clock."""
        ...

    def close(self) -> None:
        """Vanish. A second call does nothing."""
        ...


@dataclass(frozen=True)
class Subject:
    """What a sink is told of the session that it publishes.

    Attributes
    ----------
    code : str
    description : Description
        Of the bins.
    rate : float
        Bins per second, as sent.
    voltages : VoltageRing, optional
        Those below the bins, if there are some.
    """

    code: str
    description: Description
    rate: float
    voltages: VoltageRing | None = None


MakeSink = Callable[[Subject], Sink]
"""Makes a session's sink, in the thread that will drive it; it may raise whatever it likes."""
