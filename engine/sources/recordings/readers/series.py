"""Which series of a file are the cursor's position and velocity, and their samples."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from engine.bins.ticks import TICKS
from engine.sources.recordings.kinematics import Floats, Track, track
from engine.sources.recordings.readers.hdf5 import Unreadable, values
from engine.sources.recordings.readers.length_unit import LengthUnit, length_unit

ROUNDING = 1e-3
"""Microseconds by which a sum of seconds may be off."""
PLACES = ("processing", "acquisition", "analysis", "scratch")

POSITION = frozenset({"pos", "position", "positions", "location", "xy"})
VELOCITY = frozenset({"vel", "velocity", "velocities"})
OTHER = frozenset({"acc", "accel", "acceleration", "speed", "force", "torque", "emg", "angle", "direction"})
GAZE = frozenset({"eye", "eyes", "gaze", "pupil"})
FIRST = ("cursor_pos", "hand_pos")
EFFECTORS = ("cursor", "hand", "finger", "wrist", "joystick", "arm")


def words_of(name: str) -> frozenset[str]:
    """The words of a series' name, in small letters: ``HandPos_2`` has hand, pos and 2."""
    return frozenset(word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+|\d+", name))


class BadSeries(Exception):
    """Why a series cannot be used."""


class BadLikeliest(BadSeries):
    """A fault that, in the likeliest series, is told and not passed over: perhaps all the file has it."""


class Series(Protocol):
    """What is asked of a series: `pynwb.TimeSeries` has it, and so has `Samples`."""

    @property
    def data(self) -> Any:
        """Shape (n, dimensions) or (n,)."""

    @property
    def unit(self) -> str | None: ...

    @property
    def timestamps(self) -> Any:
        """Shape (n,), s; None where there is a rate."""

    @property
    def rate(self) -> float | None:
        """Hz."""

    @property
    def starting_time(self) -> float | None:
        """Of the first sample, s, where there is a rate."""

    @property
    def conversion(self) -> float: ...

    @property
    def offset(self) -> float: ...


@dataclass(frozen=True, eq=False)
class Samples:
    """A series that was read from a file without types of its own.

    Attributes
    ----------
    data : ndarray, shape (n, dimensions) or (n,)
    timestamps : ndarray, shape (n,)
        s.
    unit : str
    """

    data: npt.NDArray[Any]
    timestamps: npt.NDArray[Any]
    unit: str = ""
    rate: float | None = None
    starting_time: float | None = None
    conversion: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True, eq=False)
class Candidate:
    """A series of the file and where it was found, such as 'processing/behavior/Position/hand'."""

    series: Series
    path: str
    container: str = ""
    """Type of what holds it, such as 'Position' or 'ProcessingModule'."""
    spatial: bool = False
    """Whether the file says that it is a place."""
    misfit: str = ""
    """Why it can be neither position nor velocity, whatever its name."""

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @cached_property
    def words(self) -> frozenset[str]:
        return words_of(self.name)

    @property
    def effector(self) -> frozenset[str]:
        """What moves: the words of the name that do not say position or velocity."""
        return self.words - POSITION - VELOCITY - {"spatial", "series"}

    @cached_property
    def unit(self) -> LengthUnit:
        return length_unit(str(self.series.unit or ""))

    @cached_property
    def kind(self) -> str:
        """'position', 'velocity', or why it is neither."""
        if self.misfit:
            return self.misfit
        if self.words & OTHER or self.container == "CompassDirection":
            return "neither position nor velocity by its name"
        if self.words & VELOCITY or (self.unit.per_second and not self.words & POSITION):
            return "velocity"
        spatial = self.spatial or self.container == "Position"
        if spatial or self.words & POSITION or self.unit.metric:
            return "position"
        return "neither position nor velocity by its name and unit"

    @property
    def rank(self) -> tuple[Any, ...]:
        """Candidates of one kind are tried in this order."""
        effector = [i for i, word in enumerate(EFFECTORS) if word in self.words]
        place = self.path.partition("/")[0]
        return (
            FIRST.index(self.name) if self.name in FIRST else len(FIRST),
            bool(self.words & GAZE) or self.container in ("EyeTracking", "PupilTracking"),
            np.ndim(self.series.data) < 2,
            min(effector, default=len(EFFECTORS)),
            self.container != "Position",
            PLACES.index(place) if place in PLACES else len(PLACES),
            self.path,
        )

    def read(self, scale: float) -> Track:
        """All samples, to be multiplied by `scale` after the file's own conversion and offset.

        Raises
        ------
        BadSeries
        """
        data = self.series.data
        if not isinstance(getattr(data, "dtype", None), np.dtype) or data.dtype.kind not in "iuf":
            raise BadSeries("its data are not numbers")
        if data.ndim not in (1, 2) or 0 in data.shape[1:]:
            raise BadSeries(f"its data have the shape {data.shape}, not (n, dimensions)")
        try:
            samples = values(data, np.s_[:, :2]) if data.ndim == 2 else values(data)[:, None]
            times, period = self._times(len(data))
        except Unreadable as fault:
            raise BadLikeliest(f"it {fault}") from fault
        factors = scale * np.array([self.series.conversion, self.series.offset], np.float64)
        if not np.isfinite(factors).all():
            raise BadSeries("its conversion or offset is not a number")
        found = track(times, samples, period, *factors.tolist())
        if found is None:
            raise BadSeries("it has fewer than two samples that are numbers")
        return found

    def _times(self, n_samples: int) -> tuple[Floats, float | None]:
        """Timestamps in s, and the sampling period where the file states one."""
        if self.series.timestamps is None:
            rate, start = self.series.rate, self.series.starting_time or 0.0
            if not (rate and np.isfinite(rate) and rate > 0 and np.isfinite(start)):
                raise BadLikeliest(f"its rate is {rate} Hz from {start} s")
            return _whole(start + np.arange(n_samples) / rate), 1.0 / rate
        times = values(self.series.timestamps)
        if times.dtype.kind not in "iuf":
            raise BadLikeliest("its timestamps are not numbers")
        times = times.astype(np.float64, copy=False).ravel()
        if len(times) != n_samples:
            raise BadSeries(f"it has {n_samples} samples, but {len(times)} timestamps")
        if not np.isfinite(times).all():
            bad = np.flatnonzero(~np.isfinite(times))
            raise BadLikeliest(f"{len(bad)} of its timestamps are NaN, the first at sample {bad[0]}")
        back = np.flatnonzero(times[1:] < times[:-1])
        if len(back):
            at = int(back[0])
            step = f"from {times[at]:.6f} s to {times[at + 1]:.6f} s"
            raise BadLikeliest(f"its timestamps decrease at sample {at + 1}, {step}")
        return times, None


def _whole(times: Floats) -> Floats:
    """Times that are whole microseconds but for rounding are those, as bins' centres are."""
    ticks = np.rint(times * TICKS)
    return np.where(np.abs(times * TICKS - ticks) < ROUNDING, ticks / TICKS, times)
