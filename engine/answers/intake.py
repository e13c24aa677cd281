"""Predictions that brokers bring for many sessions: each goes to its own, under a name of its own."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from engine.answers.holds import Hold
from engine.answers.prediction import AXES, checked_name, checked_values, spell
from engine.answers.predictions import Predictions
from engine.bins import clock
from engine.errors import BadPrediction

log = logging.getLogger(__name__)

SILENT_AFTER: Final = 10.0
"""Seconds without a prediction after which a decoder has left, and others may have its name."""
QUIET: Final = 60.0
"""Seconds before another bad prediction for the same session is told of."""

Find = Callable[[str], Predictions | None]
"""Where predictions for a session go, by its code."""


@dataclass
class Answering:
    """A decoder that answers through a broker."""

    predictions: Predictions
    hold: Hold
    heard: float


@dataclass
class Refused:
    """Bad predictions for a session: how many, and when one was last told of."""

    count: int = 0
    told: float = -math.inf


class Intake:
    """Takes predictions in, for one thread.

    Parameters
    ----------
    source : str
        Of all of them, such as ``Redis``.
    find : function
    heard : function, optional
        Called with a session's code at every prediction for it.

    Attributes
    ----------
    refused : dict of str to int
        Bad predictions by session.
    """

    def __init__(self, source: str, find: Find, heard: Callable[[str], None] = lambda _: None) -> None:
        self._source = source
        self._find = find
        self._heard = heard
        self._answering: dict[tuple[str, str | None], Answering] = {}
        self._refused: dict[str, Refused] = {}

    @property
    def refused(self) -> dict[str, int]:
        return {code: refused.count for code, refused in self._refused.items()}

    def take(self, code: str, given: Mapping[str, Any]) -> None:
        """Take one prediction; a bad one is counted, told of, and forgotten.

        Parameters
        ----------
        code : str
            Of the session; nothing happens where there is none.
        given : mapping
            ``sequence_number``, ``decoder`` if it has a name, and ``x`` and ``y``, ``vx`` and ``vy``, or
            all four.
        """
        predictions = self._find(code)
        if predictions is None:
            return
        try:
            self._hand_on(code, predictions, given)
        except BadPrediction as error:
            self.refuse(code, str(error))

    def refuse(self, code: str, why: str) -> None:
        """Count a bad prediction, and tell of it if none was told of for a while."""
        refused = self._refused.setdefault(code, Refused())
        refused.count += 1
        if clock.now() - refused.told > QUIET:
            refused.told = clock.now()
            log.warning("%s brought a bad prediction for %s (%d so far): %s",
                        self._source, code, refused.count, why)  # fmt: skip

    def tidy(self) -> None:
        """Let those go who have been silent, and those whose session has ended."""
        now = clock.now()
        for key, each in list(self._answering.items()):
            if now - each.heard > SILENT_AFTER or self._find(key[0]) is not each.predictions:
                each.predictions.leave(each.hold.name, now)
                self._free(key)
        for code in [code for code in self._refused if self._find(code) is None]:
            del self._refused[code]

    def _hand_on(self, code: str, predictions: Predictions, given: Mapping[str, Any]) -> None:
        at = clock.now()
        number, asked = given.get("sequence_number"), given.get("decoder")
        if type(number) is not int:
            raise BadPrediction(f"sequence_number is {spell(number)}. Send that of a bin, a whole number.")
        if asked is not None:
            checked_name(asked)
        values = checked_values({axis: given.get(axis) for axis in AXES})
        key = code, asked
        known = self._answering.get(key)
        if known is not None and known.predictions is not predictions:  # another session under this code
            self._free(key)
            known = None
        answering = known or Answering(predictions, predictions.holds.take(asked), at)
        self._answering[key] = answering
        try:
            predictions.receive(answering.hold.name, number, values, at)
        except BadPrediction:
            if known is None:
                self._free(key)
            raise
        answering.heard = at
        self._heard(code)

    def _free(self, key: tuple[str, str | None]) -> None:
        gone = self._answering.pop(key)
        gone.predictions.holds.free(gone.hold)
