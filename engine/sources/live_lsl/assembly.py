"""Samples -> bins, each with the time at which it was due. No thread, no network, no clock."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from engine.sources.live_lsl.companion import WAIT, Companion, Values
from engine.sources.live_lsl.names import Role

Counts = npt.NDArray[np.float64]
T = TypeVar("T")

PATIENCE: Final = 1.25
"""Seconds after a bin was due until it goes without samples: more than the second that a deck makes up."""
SPIKE_DELAY: Final = 0.05
"""Seconds for which a bin of spikes is held open for those that are on their way."""
KEPT: Final = 400
"""Bins that wait to be sent, at most; of a paused session the oldest go."""


def near(
    stamps: Sequence[float], samples: Sequence[T], now: float, within: float
) -> tuple[list[float], list[T]]:
    """The samples whose time can be: of a sender with a clock of its own, nothing is."""
    kept = [(at, sample) for at, sample in zip(stamps, samples, strict=True) if abs(at - now) <= within]
    return [at for at, _ in kept], [sample for _, sample in kept]


class Made(NamedTuple):
    """A bin that can be sent.

    Attributes
    ----------
    due : float
        Seconds of the engine's clock.
    counts : ndarray, shape (n_units,)
    coverage : float
        Share of the bin that was there, 0 to 1.
    beside : mapping
        What the companions said at that time, by their roles.
    """

    due: float
    counts: Counts
    coverage: float
    beside: Mapping[Role, Values]


class Assembly(ABC):
    """Makes bins of what comes. For one thread at a time; times are seconds of the engine's clock.

    Parameters
    ----------
    n_units : int
    bin_width : float
        Seconds.
    companions : mapping of Role to Companion

    Attributes
    ----------
    made : deque of Made
    late : int
        Samples that came after their bin had gone.
    """

    def __init__(self, n_units: int, bin_width: float, companions: Mapping[Role, Companion]) -> None:
        self.made: deque[Made] = deque(maxlen=KEPT)
        self.late = 0
        self._width = bin_width
        self._nothing = np.zeros(n_units)
        self._companions = companions
        self._passed = -math.inf  # bins due before that are not wanted
        self._waiting: deque[tuple[float, Made]] = deque(maxlen=KEPT)  # with when each must go

    @abstractmethod
    def add(self, stamps: Sequence[float], samples: Sequence[Sequence[float]], now: float) -> None:
        """Take samples, shape (n, n_units), that were there at these times."""

    def come(self, now: float) -> None:  # noqa: B027 - a regular one tells by its samples
        """The stream is there from now on."""

    def go(self, now: float) -> None:  # noqa: B027
        """It has gone."""

    @property
    def waits(self) -> bool:
        """Whether there is a bin that can be sent, or that waits for its companions."""
        return bool(self.made or self._waiting)

    def skip(self, now: float) -> None:
        """Forget what was made: the bins from now on are wanted, and none whose samples come late."""
        self.made.clear()
        self._waiting.clear()
        self._passed = now

    @abstractmethod
    def advance(self, now: float) -> None:
        """Make the bins for which there is nothing more to wait at this time."""

    @property
    @abstractmethod
    def deadline(self) -> float:
        """When to call `advance` at the latest."""

    def _close(self, due: float, counts: Counts, coverage: float, until: float) -> None:
        """A bin has all its counts: it waits for its companions, until then at most."""
        if due >= self._passed:
            self._waiting.append((until, Made(due, counts, coverage, {})))

    def _settle(self, now: float) -> None:
        """Let those go that have waited enough."""
        while self._waiting:
            until, bin_ = self._waiting[0]
            if now < until and not all(each.complete(bin_.due) for each in self._companions.values()):
                return
            self._waiting.popleft()
            beside = {role: each.at(bin_.due) for role, each in self._companions.items()}
            known = {role: values for role, values in beside.items() if values is not None}
            self.made.append(bin_._replace(beside=known if bin_.coverage else {}))

    @property
    def _waited_for(self) -> float:
        return self._waiting[0][0] if self._waiting else math.inf


class Regular(Assembly):
    """Of a stream of counts at a rate: so many samples in a row are a bin, due with the last of them.

    Where its time stamps leap by more than half a bin, samples are missing: those bins were not observed,
    and neither are those of a stream that has been silent for `PATIENCE`.

    Parameters
    ----------
    samples : int
        That make a bin.
    others : Any
        As `Assembly` takes them.
    """

    def __init__(self, samples: int, *others: Any) -> None:
        super().__init__(*others)
        self._samples = samples
        self._step = self._width / samples
        self._leap = max(0.75 * self._step, self._width / 2)
        self._expected = math.inf  # when the next sample is, once there was one
        self._due = -math.inf  # of the newest bin that was closed
        self._given_up = -math.inf  # the newest sample that is waited for no more
        self._since = math.inf  # when somebody began to wait
        self._sum = self._nothing
        self._filled = self._present = 0  # places of the bin that is open, and samples in them

    def add(self, stamps: Sequence[float], samples: Sequence[Sequence[float]], now: float) -> None:
        for stamp, sample in zip(stamps, samples, strict=True):
            if self._expected == math.inf:
                self._expected = stamp
            if stamp < self._given_up + self._step / 2:
                self.late += 1
                continue
            missing = round((stamp - self._expected) / self._step)
            if stamp - self._expected > self._leap:
                if missing > KEPT * self._samples:
                    self._reopen(stamp)
                    missing = 0
                for _ in range(missing):
                    self._take(self._expected, None, now)
                self._expected = stamp
            self._take(stamp, np.asarray(sample, np.float64), now)
            # Follows a sender whose clock is slow or fast, and not its jitter.
            self._expected += self._step + 0.1 * (stamp - self._expected)
        self.advance(now)

    def skip(self, now: float) -> None:
        super().skip(now)
        self._since = now
        if self._expected < now - PATIENCE:  # it stands still: the bins go on where they are now
            self._reopen(self._expected + math.floor((now - self._expected) / self._width) * self._width)

    def advance(self, now: float) -> None:
        if self._expected == math.inf and now >= self._since + PATIENCE:
            self._expected = self._since
        while self._expected + PATIENCE <= now:
            self._given_up = self._expected
            self._take(self._expected, None, now)
        self._settle(now)

    @property
    def deadline(self) -> float:
        first = self._since if self._expected == math.inf else self._expected
        return min(first + PATIENCE, self._waited_for)

    def _take(self, stamp: float, sample: Counts | None, now: float) -> None:
        """Fill the next place of the open bin, or leave it empty, and close it with its last."""
        self._expected += self._step if sample is None else 0.0
        if sample is not None:
            self._sum = self._sum + sample
            self._present += 1
        self._filled += 1
        if self._filled == self._samples:
            coverage = self._present / self._samples
            self._due = max(stamp, self._due + 1e-6)  # time stamps may waver
            self._close(self._due, self._sum, coverage, now + WAIT if coverage else now)
            self._open()

    def _open(self) -> None:
        self._sum, self._filled, self._present = self._nothing, 0, 0

    def _reopen(self, expected: float) -> None:
        self._expected = expected
        self._open()


class Spikes(Assembly):
    """Of an irregular stream: a sample adds its values to the bin that holds its time, due with its end.

    Its silence means no spikes, as long as the stream is there. Spikes that come when their bin has gone
    are counted in the next that goes, and as late.
    """

    def __init__(self, *others: Any) -> None:
        super().__init__(*others)
        self._there = (math.inf, math.inf)  # from when until when it was
        self._end = math.inf  # of the bin that is open
        self._spikes: dict[int, Counts] = {}  # of open bins, by how many after that one

    def come(self, now: float) -> None:
        self._there = (now, math.inf)

    def go(self, now: float) -> None:
        self._there = (self._there[0], now)

    def add(self, stamps: Sequence[float], samples: Sequence[Sequence[float]], now: float) -> None:
        if not abs(now - self._end) < KEPT * self._width:  # the first, or nobody has asked for long
            self.skip(now)
        for stamp, sample in zip(stamps, samples, strict=True):
            ahead = math.floor((stamp - self._end) / self._width) + 1
            self.late += ahead < 0
            ahead = min(max(ahead, 0), KEPT)
            self._spikes[ahead] = self._spikes.get(ahead, self._nothing) + np.asarray(sample, np.float64)
        self.advance(now)

    def skip(self, now: float) -> None:
        super().skip(now)
        self._spikes.clear()
        self._end = now + self._width

    def advance(self, now: float) -> None:
        while self._end + SPIKE_DELAY <= now:
            counts = self._spikes.pop(0, self._nothing)
            self._spikes = {ahead - 1: each for ahead, each in self._spikes.items()}
            there = self._there[0] <= self._end - self._width and self._end <= self._there[1]
            self._close(self._end, counts if there else self._nothing, float(there), now + WAIT)
            self._end += self._width
        self._settle(now)

    @property
    def deadline(self) -> float:
        return min(self._end + SPIKE_DELAY, self._waited_for)
