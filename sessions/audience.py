"""Who listens to a session: what is known of them, and what can be told them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Latencies = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Decoder:
    """How one connected decoder does.

    Attributes
    ----------
    name : str
        Under which it predicts; empty if it has not said.
    address : str
        Of the other end.
    layout : str
        Of its packets, such as "msgpack, compact".
    queue : str
        The policy in force.
    waiting, dropped : int
        Packets.
    """

    name: str
    address: str
    layout: str
    queue: str
    waiting: int
    dropped: int


class Audience(Protocol):
    """Listeners of one kind on one event loop, such as the decoders of the stream port."""

    def wake(self) -> None:
        """Something of the session has changed. May be called from any thread."""
        ...

    def close(self, code: int, reason: str) -> None:
        """Close every connection. May be called from any thread."""
        ...

    @property
    def dropped(self) -> int:
        """Packets that its listeners lost so far, those gone included."""
        ...

    @property
    def latencies(self) -> Latencies:
        """Seconds from a bin's being due, jitter's delay aside, to its being handed to the last socket."""
        ...

    @property
    def latency(self) -> float:
        """The newest of them; NaN while nobody gets packets."""
        ...

    @property
    def decoders(self) -> Sequence[Decoder]:
        """Those who get packets now."""
        ...

    @property
    def size(self) -> int:
        """How many are connected."""
        ...
