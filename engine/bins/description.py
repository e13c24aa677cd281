"""What is known of bins beside their rows, whatever makes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol


class Trial(Protocol):
    """What others than its source need of a trial."""

    @property
    def trial_id(self) -> int: ...


class Description(Protocol):
    """The units of a session's bins, and what its numbers mean.

    Attributes
    ----------
    name : str
        Where the bins come from.
    synthetic : bool
    channel_names : tuple of str, one a unit
    bin_rate : float
        Bins per second.
    length_unit : str
        Of positions; velocities are per second.
    trials : sequence of Trial
        ``rows["trial"]`` is an index into them.
    """

    @property
    def name(self) -> str: ...
    @property
    def synthetic(self) -> bool: ...
    @property
    def channel_names(self) -> tuple[str, ...]: ...
    @property
    def bin_rate(self) -> float: ...
    @property
    def length_unit(self) -> str: ...
    @property
    def trials(self) -> Sequence[Any]: ...
