"""What the deck asks of whatever makes the bins of a session: a recording, a live stream, or your own.

It stands here, below the deck and the sources, so that neither knows the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NoReturn, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from engine.bins.description import Description
from engine.bins.schema import STAMP, Rows, bin_dtype, row_dtype
from engine.bins.selection import Selection
from engine.bins.troughs import TroughLog
from engine.bins.voltages import VoltageRing
from engine.errors import NotNow

Capability = Literal["pause", "step", "seek", "select", "speed", "loop", "perturbation", "drive", "tune"]
"""What may be asked of a session; `pause` and `perturbation` of all."""


Tick = tuple[float, float]
"""When a bin is due, in seconds of the engine's clock, and by how much later it is sent."""
Told = Sequence[tuple[float, str]]
"""What happened, such as ``target_on 3``, each with the second of the engine's clock at which it did."""


@dataclass(frozen=True)
class SourceState:
    """How a source does whose bins come from elsewhere.

    Attributes
    ----------
    name : str
        Of what it listens to.
    state : str
        "running"; "gone", also before it was there; "changed", so that it cannot be taken; or "waiting",
        of a session that is made when it comes.
    since : float
        Unix seconds.
    error : str or None
        What is wrong, in one line.
    late : int
        Samples that came when their bin had gone.
    """

    name: str
    state: Literal["running", "gone", "changed", "waiting"]
    since: float
    error: str | None
    late: int = 0

    @property
    def well(self) -> bool:
        return self.state == "running"


@dataclass(frozen=True)
class Position:
    """Where a session is: indices of the next bin, within the selection and the recording.

    `n_selected` is None where the bins are made while they are played.
    """

    current_index: int
    packet_id: int
    n_selected: int | None
    seconds: float


class Block:
    """Rows on their way into the ring, as rows and as the bytes of the same memory.

    Attributes
    ----------
    rows : ndarray, shape (n,), dtype `engine.bins.schema.row_dtype`
    raw : memoryview
    size : int
        Bytes of a row.
    body : int
        Where in a row its bin begins, of `engine.bins.schema.bin_dtype`; it goes to the row's end.
    first : int
        Number within the session of the first row.
    """

    def __init__(self, description: Description, n: int) -> None:
        dtype = row_dtype(description.n_units, description.count_dtype)
        self.rows: Rows = np.zeros(n, dtype)
        self.raw = self.rows.view(np.uint8).data
        self.size = dtype.itemsize
        self.body = self.size - bin_dtype(description.n_units, description.count_dtype).itemsize
        self.first = 0

    def stamp(self, ticks: Sequence[Tick], unix_offset: float, perturbation: int) -> memoryview:
        """Write what sending adds to the first rows, one a tick, and return their bytes.

        Parameters
        ----------
        ticks : sequence of Tick
        unix_offset : float
            Makes Unix seconds of those.
        perturbation : int
            Which models are on, as the schema has it.
        """
        raw, start = self.raw, 0
        for number, (due, lateness) in enumerate(ticks, self.first):
            STAMP.pack_into(raw, start, number, due + unix_offset, due, lateness, 0.0, perturbation, False)
            start += self.size
        return raw[:start]


class Source(Protocol):
    """Makes the bins of one session. The deck calls it with a lock held: it answers at once, or not at all.

    Attributes
    ----------
    kind : str
        As `source` of the wire: "recording", "lsl", or the name of a plugin.
    description : Description
    can : tuple of Capability
    position : Position
    ended : bool
        Whether there is nothing left to play.
    """

    @property
    def kind(self) -> str: ...
    @property
    def description(self) -> Description: ...
    @property
    def can(self) -> tuple[Capability, ...]: ...
    @property
    def position(self) -> Position: ...
    @property
    def ended(self) -> bool: ...

    def ready(self, n: int) -> int:
        """How many of the next `n` bins can be had now in one go."""
        ...

    def fill(self, block: Block, ticks: Sequence[Tick]) -> Told:
        """Write the next bins, one a row, for which so many are `ready`.

        Parameters
        ----------
        block : Block
            Its first rows, of which only the bins are the source's.
        ticks : sequence of Tick
            When each is due; as many as bins are wanted.
        """
        ...

    def close(self) -> None:
        """End whatever it runs. A second call does nothing."""
        ...


@runtime_checkable
class Seekable(Source, Protocol):
    """A source that is finite, and can go anywhere in it.

    Attributes
    ----------
    loop : bool
        Whether the first bin follows the last.
    selection : Selection
    """

    loop: bool

    @property
    def selection(self) -> Selection: ...

    def bins(self, selection: Selection) -> npt.NDArray[np.intp]:
        """The bins of a selection, ascending; it may take its time, in any thread.

        Raises
        ------
        UnknownTrial, UnknownTarget, EmptySelection
        """
        ...

    def select(self, selection: Selection, bins: npt.NDArray[np.intp]) -> None:
        """Go on with the first bin of a selection."""
        ...

    def seek(self, packet_id: int) -> None:
        """Make a bin the next one.

        Raises
        ------
        OutsideSelection
        """
        ...

    def rewind(self) -> None:
        """Go on with the first selected bin."""
        ...


@runtime_checkable
class SelfPaced(Source, Protocol):
    """A source whose bins come when they come: the deck sends them on as soon as they are `ready`."""

    @property
    def status(self) -> SourceState: ...

    @property
    def next_due(self) -> float:
        """When to ask again at the latest, in seconds of the engine's clock; infinity if it will tell."""
        ...

    def on_ready(self, tell: Callable[[], None]) -> None:
        """Call this, from any thread and without a lock, whenever a bin has become ready."""
        ...

    def dues(self, n: int) -> Sequence[float]:
        """When the next `n` bins were due."""
        ...

    def skip(self) -> None:
        """Forget the bins that were not sent: those that come from now on are the next."""
        ...


@runtime_checkable
class Prepared(Source, Protocol):
    """A source that tells when bins are ready which were not when the deck wanted them."""

    def on_ready(self, tell: Callable[[], None]) -> None:
        """Call this, from any thread and without a lock, whenever a bin has become ready."""
        ...


@runtime_checkable
class Sampled(Source, Protocol):
    """A source that has voltages below its bins. It adds them ahead of their time; the deck publishes them.

    Its bins are numbered from 0 by ``position.packet_id``.
    """

    @property
    def voltages(self) -> VoltageRing: ...
    @property
    def troughs(self) -> TroughLog: ...
    @property
    def thresholds(self) -> npt.NDArray[np.float32]:
        """uV, at present, shape (n_channels,); NaN before there are any."""
        ...

    @property
    def noise(self) -> npt.NDArray[np.float32]:
        """Its standard deviation in the spikes' band, uV, shape (n_channels,); NaN before it is known."""
        ...


@runtime_checkable
class Tunable(Source, Protocol):
    """A source of which more than its bins' perturbation can be changed while it plays."""

    def tune(self, what: str, settings: Mapping[str, Any]) -> str:
        """Change some settings of a part of it; returns what holds from which bin on, as a note says it.

        Raises
        ------
        BadSetting
            If a setting is unknown, constant or out of bounds; then nothing has changed.
        """
        ...


Place = tuple[float, float]
Allow = Callable[[Place, Place], Place]
"""Where a cursor goes that is at a place and was to go to another one in a bin."""


@runtime_checkable
class Moved(Source, Protocol):
    """A source whose bins depend on what decoders answer to those before: a cursor that one of them moves.

    `answer` may be called from any thread, and so may `attend`.

    Attributes
    ----------
    driver : str or None
        The decoder that moves it; the first that answers, if None. Those of others change nothing.
    lockstep : bool
        Whether each bin waits for the driver's answer to the one before. This is for speed max alone, and
        the only way to play at it.
    waits_for : str or None
        Of whom or what the deck loses its patience, while nothing is `ready`.
    """

    driver: str | None

    @property
    def lockstep(self) -> bool: ...
    @property
    def waits_for(self) -> str | None: ...

    def on_ready(self, tell: Callable[[], None]) -> None:
        """Call this, from any thread, whenever a bin has become ready that was waited for."""
        ...

    def guard(self, allow: Allow) -> None:
        """Let the cursor go only where it is allowed to."""
        ...

    def drive(self, driver: str | None) -> None:
        """Let another decoder move the cursor from the next bin on, as `driver` has it."""
        ...

    def steer(self, settings: Mapping[str, Any]) -> str:
        """Change how answers move the cursor; returns what holds now, as a note says it.

        Raises
        ------
        BadSetting
            Then nothing has changed.
        """
        ...

    def rewind(self) -> None:
        """Give the present trial up, so that the next bin begins another one."""
        ...

    def attend(self, decoder: str | None) -> None:
        """Hear that a decoder is there, which gets every bin from now on; None if it has no name yet."""
        ...

    def sent(self, rows: Rows) -> None:
        """Hear what became of the bins that were filled last: one that is lost is not answered."""
        ...

    def answer(self, decoder: str, number: int, values: tuple[float, float, float, float]) -> None:
        """Take a decoder's answer to a bin: x, y, vx, vy; NaN where there is none."""
        ...


MakeSource = Callable[[str, float], Source]
"""Makes a source from what stands after ``KIND:`` and bins per second; a `DeckError` says why it cannot,
`NotThere` that the session is to wait for it."""


def state_of(source: Source) -> SourceState | None:
    """How it does, if its bins come from elsewhere."""
    return source.status if isinstance(source, SelfPaced) else None


def voltages_of(source: Source) -> VoltageRing | None:
    """Its voltages, if it has some."""
    return source.voltages if isinstance(source, Sampled) else None


def refuse(source: Source, what: str, other: str = "recording") -> NoReturn:
    """Say that a source cannot do something, and which other one can.

    Raises
    ------
    NotNow
    """
    raise NotNow(
        f"A session whose source is {source.kind} has no {what}. It can do {', '.join(source.can)}; "
        f"make a session with source {other} for the rest."
    )
