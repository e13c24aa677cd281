"""What is set of electrodes and of their detection, and changes of it, each from a bin on."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple, Protocol

from engine.errors import BadSetting
from engine.sources.electrodes.settings import Electrodes
from engine.tuned import Tuned, spelled


class Tunes(Protocol):
    """What finds spikes, as far as it can be tuned."""

    def tune(self, settings: Mapping[str, Any], /) -> None: ...


class Changes(Protocol):
    """What has electrodes, as far as they can be changed."""

    def change(self, settings: Electrodes, /) -> None: ...


class Change(NamedTuple):
    """From a bin on: settings of the electrodes, or those of the detection that are others."""

    first: int
    array: Electrodes | None
    detection: Mapping[str, Any]


class Tuning:
    """Settings as they are wanted. One thread at a time changes them; another one lets them act.

    Parameters
    ----------
    array : Electrodes
    detection : Tuned

    Attributes
    ----------
    array, detection
        As above.
    by_hand : mapping of int to float
        Thresholds that no noise sets, uV, by channel.

    Raises
    ------
    BadSetting
        If the detection has a threshold for a channel that there is not, or leaves one out.
    """

    def __init__(self, array: Electrodes, detection: Tuned) -> None:
        self.array, self.detection = array, detection
        self.by_hand = _by_hand(array, detection)
        self._pending: deque[Change] = deque()  # from the one thread to the other

    def change(self, what: str, given: Mapping[str, Any], first: int) -> str:
        """Have other settings from a bin on that is not begun yet; returns that as a note says it.

        Parameters
        ----------
        what : {"electrodes", "detection"}
        given : mapping
        first : int

        Raises
        ------
        BadSetting
            If one is unknown, constant or out of bounds; then nothing has changed.
        """
        if what == "electrodes":
            self.array = self.array.changed(given)
            self._add(Change(first, self.array, {}))
        elif what == "detection":
            changed = self.detection.changed(given)
            self.by_hand = _by_hand(self.array, changed)
            self.detection = changed
            self._add(Change(first, None, given))
        else:
            raise BadSetting(f"Electrodes have no {what}. Change electrodes or detection.")
        said = ", ".join(f"{name} {spelled(value)}" for name, value in given.items())
        return f"{what} {said} from bin {first}"

    def _add(self, change: Change) -> None:
        """Have it pending, as one with what else holds from that bin on: while nothing plays, all does."""
        with suppress(IndexError):  # there is none, or the other thread has just taken it
            before = self._pending.pop()
            if before.first == change.first:
                array = before.array if change.array is None else change.array
                change = Change(change.first, array, {**before.detection, **change.detection})
            else:
                self._pending.append(before)
        self._pending.append(change)

    def reach(self, number: int, array: Changes, detector: Tunes) -> None:
        """Let act what is to hold for a bin that is made next."""
        while self._pending and self._pending[0].first <= number:
            change = self._pending.popleft()
            if change.array is not None:
                array.change(change.array)
            if change.detection:
                detector.tune(change.detection)


def _by_hand(array: Electrodes, detection: Tuned) -> Mapping[int, float]:
    """Thresholds that are set by hand, uV, by channel."""
    levels = dict(detection.settings.get("thresholds", ()))
    for channel in (*levels, *detection.settings.get("missing", ())):
        if channel not in range(array.n_channels):
            raise BadSetting(f"Unknown channel {channel}. There are 0 to {array.n_channels - 1}.")
    return levels
