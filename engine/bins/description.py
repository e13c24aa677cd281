"""What is known of bins beside their rows, whatever makes them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, cast

import numpy as np
import numpy.typing as npt

from engine.bins.answered import Answers
from engine.bins.trials import Plan, Trial

Indices = npt.NDArray[np.integer[Any]]


class Goal(NamedTuple):
    """When a target is acquired, in closed loop.

    Attributes
    ----------
    radius : float
        Of targets, in length units.
    hold : float
        Seconds for which the cursor must stay within it.
    n_choices : int
        Among how many targets there is a choice; 0 where they can be anywhere.
    """

    radius: float
    hold: float
    n_choices: int


class Description(Protocol):
    """The units of a session's bins, and what its numbers mean.

    Attributes
    ----------
    name : str
        Where the bins come from.
    sha256 : str or None
        Of that file, in hexadecimal; None where it is no file.
    synthetic : bool
    start_time : float
        Of bin 0, in the seconds of the source's clock.
    channel_names : tuple of str, one a unit
    n_units : int
    count_dtype : dtype
        ``uint8`` or ``uint16``.
    bin_rate : float
        Bins per second.
    bin_width : float
        Seconds.
    length_unit : str
        Of positions; velocities are per second.
    trials : sequence of Trial
        ``rows["trial"]`` is an index into them. Those of a live source grow, and their ends move.
    trial_ids : sequence of int
        Theirs, in the same order.
    go_bins : sequence of int
        The first bin of each trial from which a hit counts; -1 where there is none.
    target_ids : tuple of int
        What trials aim at, ascending.
    target_places : set of (float, float)
        Where, in length units.
    n_bins : int or None
        How many bins there are; None where that is unknown, as they are made while they are played.
    duration : float or None
        The same in seconds.
    bins : ndarray, shape (n,), dtype `engine.bins.schema.bin_dtype`
        All of them, where they are known beforehand; else none, as in what follows.
    counts : ndarray, shape (n, n_units)
    kinematics : ndarray of float32, shape (n, 4)
        x, y, vx, vy; NaN where missing.
    observed : ndarray of bool, shape (n,)
    series, trial_tables : mapping
        What was taken for kinematics and trials, and what was passed over and why.
    warnings : tuple of str
        What is doubtful, a sentence or a few each.
    sampled : bool
        Whether there are voltages below the bins.
    truth : bool
        Whether it is known which spikes are in them.
    goal : Goal or None
        What is to be done with the cursor that decoders move, which is what kinematics are then, and bins
        say what was intended; None where nobody moves it.
    """

    def __hash__(self) -> int: ...

    @property
    def name(self) -> str: ...
    @property
    def sha256(self) -> str | None: ...
    @property
    def synthetic(self) -> bool: ...
    @property
    def start_time(self) -> float: ...
    @property
    def channel_names(self) -> tuple[str, ...]: ...
    @property
    def n_units(self) -> int: ...
    @property
    def count_dtype(self) -> np.dtype[Any]: ...
    @property
    def bin_rate(self) -> float: ...
    @property
    def bin_width(self) -> float: ...
    @property
    def length_unit(self) -> str: ...
    @property
    def trials(self) -> Sequence[Trial]: ...
    @property
    def trial_ids(self) -> Sequence[int]: ...
    @property
    def go_bins(self) -> Sequence[int]: ...
    @property
    def target_ids(self) -> tuple[int, ...]: ...
    @property
    def target_places(self) -> Collection[tuple[float, float]]: ...
    @property
    def n_bins(self) -> int | None: ...
    @property
    def duration(self) -> float | None: ...
    @property
    def bins(self) -> npt.NDArray[np.void]: ...
    @property
    def counts(self) -> npt.NDArray[np.unsignedinteger[Any]]: ...
    @property
    def kinematics(self) -> npt.NDArray[np.float32]: ...
    @property
    def observed(self) -> npt.NDArray[np.bool_]: ...
    @property
    def series(self) -> Mapping[str, Any]: ...
    @property
    def trial_tables(self) -> Mapping[str, Any]: ...
    @property
    def warnings(self) -> tuple[str, ...]: ...
    @property
    def sampled(self) -> bool: ...
    @property
    def truth(self) -> bool: ...
    @property
    def goal(self) -> Goal | None: ...

    def clean(self, packet_ids: Indices) -> npt.NDArray[np.unsignedinteger[Any]]:
        """The counts of bins as they came, shape (n, n_units): undisturbed.

        Of a live source those of the newest minute, as a ring has them.
        """
        ...

    def phases(self, packet_ids: Indices) -> Plan:
        """What the trials say of bins, shape (n,) each; of a live source as `clean`."""
        ...


class Recorded(Description, Protocol):
    """That of a recording: all of its bins are there to look at, and to choose among."""

    @property
    def n_bins(self) -> int: ...
    @property
    def duration(self) -> float: ...
    @property
    def sha256(self) -> str: ...
    @property
    def trials(self) -> tuple[Trial, ...]: ...
    @property
    def answers(self) -> Answers | None:
        """What decoders answered, where it is a record with predictions."""
        ...

    @property
    def coverage(self) -> npt.NDArray[np.float64]:
        """Share of each bin that was recorded, 0 to 1, shape (n_bins,)."""
        ...

    @property
    def centres(self) -> npt.NDArray[np.float64]:
        """Bin centres in the file's seconds, shape (n_bins,), rounded to 1 us."""
        ...

    def trial_row(self, trial_id: int) -> int:
        """Row of a trial in `trials`.

        Raises
        ------
        UnknownTrial
        """
        ...

    def bin_at(self, seconds: float) -> int:
        """Index of the bin that holds a time of the file's clock, limited to the recording."""
        ...


def recorded(description: Description) -> Recorded | None:
    """The same, if it is a recording's."""
    return None if description.n_bins is None else cast(Recorded, description)
