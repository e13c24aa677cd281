"""What stands between a decoder's predictions and the cursor that people see: limits and a stop."""

from __future__ import annotations

import math
import time
import weakref
from collections.abc import Mapping
from typing import Any, Final, Literal

import numpy as np
import param

from engine.answers.cursor import NOWHERE, Place, Values
from engine.bins import clock
from engine.bins.description import Description
from engine.deck.replay import Replay
from engine.errors import BadSetting
from engine.tuned import Tuned

Fault = Literal["speed", "jump", "nan"]
QUIET: Final = 10.0
"""Seconds without a fault after which the same fault of a decoder is worth another note."""
HEADROOM: Final = 2.0
"""Times the fastest true movement: the speed limit that a session begins with."""
UNLIMITED: Final = 1e9


class Limits(Tuned):
    """What a decoder's cursor may do. Lengths are in the recording's unit."""

    max_speed = param.Number(
        default=UNLIMITED,
        bounds=(0.0, UNLIMITED),
        inclusive_bounds=(False, True),
        constant=True,
        doc="Length units per second: a faster cursor is slowed down to it.",
    )
    max_jump = param.Number(
        default=UNLIMITED,
        bounds=(0.0, UNLIMITED),
        inclusive_bounds=(False, True),
        constant=True,
        doc="Length units per bin from one prediction to the next: beyond it, the cursor holds instead.",
    )
    watchdog = param.Number(
        default=1.0,
        bounds=(0.1, 3600.0),
        softbounds=(0.5, 10.0),
        constant=True,
        doc="Seconds for which a bin may go unanswered until predictions count as stopped.",
    )


def usual_limits(description: Description) -> Limits:
    """Twice the fastest true speed, and half the greatest extent of the true positions."""
    kinematics = description.kinematics[description.observed].astype(float)
    speed = np.hypot(*kinematics[:, 2:].T)
    extent = (
        np.fmax.reduce(kinematics[:, :2], initial=-np.inf)
        - np.fmin.reduce(kinematics[:, :2], initial=np.inf)
    ).max()
    found = (HEADROOM * np.fmax.reduce(speed, initial=0.0), extent / 2)
    max_speed, max_jump = (float(f"{each:.2g}") if 0 < each < UNLIMITED else UNLIMITED for each in found)
    return Limits(max_speed=max_speed, max_jump=max_jump)


class SafeCursor:
    """The cursor of one decoder as it is shown, which differs from `cursor.Cursor` where it must.

    It follows the predicted position, or moves by the predicted velocity where there is none, no faster
    than the limit. A prediction that leaps, from the one before or by its velocity, is taken for a fault
    and holds it for that bin; so does one that is not finite. A jump in the recording begins anew, at the
    first prediction or the true position, without limits; a velocity does so, too, in each of the
    `engine.answers.cursor.Stretches`. While the session is stopped it stands.

    Parameters
    ----------
    safety : Safety
    bin_width : float
        Seconds.

    Attributes
    ----------
    number : int
        Of the newest bin that was answered; -1 if there is none.
    place : tuple of float
        Where it is shown; NaN if nowhere.
    silent : bool
        Whether its predictions have stopped.
    faults : dict of str to int
        Predictions that were not followed as they were.
    """

    def __init__(self, safety: Safety, bin_width: float) -> None:
        self.number = -1
        self.place: Place = NOWHERE
        self.silent = False
        self.faults: dict[Fault, int] = {"speed": 0, "jump": 0, "nan": 0}
        self._safety = safety
        self._bin_width = bin_width
        self._offset: int | None = None
        self._stretch = -1
        self._predicted: Place = NOWHERE

    def move(self, number: int, packet_id: int, stretch: int, truth: Place, values: Values) -> Place:
        """Follow one prediction; parameters and result are those of `cursor.Cursor.move`, and the
        bin's index in the recording.

        One that comes after that of a later bin is not shown.
        """
        self.silent = False
        bins = number - self.number
        if bins <= 0:
            return NOWHERE
        *predicted, vx, vy = values
        before, self._predicted = self._predicted, (predicted[0], predicted[1])
        self.number = number
        if self._safety.stopped:
            return self.place
        offset = packet_id - number
        jumped, parted = offset != self._offset, stretch != self._stretch
        self._offset, self._stretch = offset, stretch
        if jumped or math.isnan(self.place[0]) or (parted and math.isnan(predicted[0])):
            start = truth if math.isnan(predicted[0]) else self._predicted
            self.place = start if all(map(math.isfinite, start)) else NOWHERE
        elif math.isnan(predicted[0]):
            step = (vx * self._bin_width, vy * self._bin_width)
            self._advance(step, math.hypot(*step), 1)
        else:
            leap = 0.0 if math.isnan(before[0]) else math.dist(before, self._predicted)
            self._advance((predicted[0] - self.place[0], predicted[1] - self.place[1]), leap, bins)
        return self.place

    def _advance(self, step: Place, leap: float, bins: int) -> None:
        limits, length = self._safety.limits, math.hypot(*step)
        if not math.isfinite(length) or not math.isfinite(leap):
            self.faults["nan"] += 1
            return
        if leap > limits.max_jump * bins:
            self.faults["jump"] += 1
            return
        longest = limits.max_speed * self._bin_width * bins
        share = 1.0
        if length > longest:
            self.faults["speed"] += 1
            share = longest / length
        self.place = (self.place[0] + share * step[0], self.place[1] + share * step[1])


class Safety:
    """The guard of one session's decoder cursors. Its methods may be called from any thread.

    Predictions are logged, scored and recorded as they came, so that scores say how good the decoder is
    and can be recomputed; only what is shown is guarded.

    Parameters
    ----------
    replay : Replay

    Attributes
    ----------
    limits : Limits
    stopped_at : float or None
        Unix seconds of the emergency stop that is in force.
    cursors : dict of str to SafeCursor
        By decoder. It only grows.
    """

    def __init__(self, replay: Replay) -> None:
        self.limits = usual_limits(replay.description)
        self.stopped_at: float | None = None
        self.cursors: dict[str, SafeCursor] = {}
        self._replay = replay
        self._seen: dict[tuple[str, Fault], tuple[int, float]] = {}

    @property
    def stopped(self) -> bool:
        """Whether an emergency stop is in force."""
        return self.stopped_at is not None

    def add(self, decoder: str) -> SafeCursor:
        """The cursor of a new decoder."""
        here = weakref.proxy(self)  # it has its cursors: they hold it weakly
        cursor = self.cursors[decoder] = SafeCursor(here, self._replay.description.bin_width)
        return cursor

    def stop(self) -> bool:
        """Freeze every decoder's cursor where it is, until `release`; true if that is new."""
        if self.stopped:
            return False
        self.stopped_at = time.time()
        self._replay.note("emergency-stop")
        return True

    def release(self) -> bool:
        """Let the cursors go on, from where they stand, at the speed limit; true if they were stopped."""
        if not self.stopped:
            return False
        self.stopped_at = None
        self._replay.note("emergency-stop released")
        return True

    def change(self, settings: Mapping[str, Any]) -> None:
        """Change some of the limits.

        Raises
        ------
        BadSetting
            If one is unknown or out of bounds; then nothing has changed.
        """
        before = self.limits.settings
        for name in settings:
            if name not in before:
                raise BadSetting(f"Unknown limit {name!r}. There are {', '.join(before)}.")
        try:
            self.limits = Limits(**{**before, **settings})
        except (TypeError, ValueError) as error:
            raise BadSetting(str(error)) from None
        if self.limits.settings != before:
            told = " ".join(f"{name} {value:g}" for name, value in self.limits.settings.items())
            self._replay.note(f"limits {told}")

    def allow(self, place: Place, wanted: Place) -> Place:
        """Where a cursor goes that decoders move in closed loop, within a bin: as far as the limits let it.

        It stands while the session is stopped, and where it would jump.
        """
        length = math.dist(place, wanted)
        if self.stopped or not length <= self.limits.max_jump:
            return place
        longest = self.limits.max_speed * self._replay.description.bin_width
        if length <= longest:
            return wanted
        share = longest / length
        return place[0] + share * (wanted[0] - place[0]), place[1] + share * (wanted[1] - place[1])

    def holds(self, cursor: SafeCursor) -> bool:
        """Whether a cursor stands where it is, whatever is or is not predicted."""
        return self.stopped or cursor.silent

    def look(self) -> None:
        """Find decoders that have fallen silent, and note what was found; to be called now and then."""
        at = clock.now()
        for name, cursor in list(self.cursors.items()):
            if not cursor.silent and self._overdue(cursor.number + 1, at):
                cursor.silent = True
                self._replay.note(f"safety {name} watchdog")
            for fault, count in cursor.faults.items():
                known, last = self._seen.get((name, fault), (0, -math.inf))
                if count != known:
                    self._seen[name, fault] = count, at
                    if at - last > QUIET:
                        self._replay.note(f"safety {name} {fault}")

    def _overdue(self, number: int, at: float) -> bool:
        """Whether a bin has waited for its prediction for longer than the watchdog does."""
        ring = self._replay.ring
        if number >= ring.head:
            return False
        rows, lost = ring.since(number, 1)
        return bool(lost) or float(rows["due"][0]) + self.limits.watchdog < at
