"""What is told of a fault that comes again and again: one line when it is new, and one a minute."""

from __future__ import annotations

import logging
import math
from typing import Final

from engine.bins import clock

QUIET: Final = 60.0
"""Seconds before the same is told again."""


class Complaints:
    """For one thread.

    Parameters
    ----------
    log : logging.Logger
    about : str
        What the line begins with.
    """

    def __init__(self, log: logging.Logger, about: str) -> None:
        self.count = 0
        self._log = log
        self._about = about
        self._last = ""
        self._told = -math.inf

    def tell(self, what: str) -> None:
        """Note a fault."""
        self.count += 1
        if what != self._last or clock.now() - self._told > QUIET:
            self._last, self._told = what, clock.now()
            self._log.warning("%s: %s", self._about, what)

    def fail(self, error: Exception) -> str:
        """Note a fault that nobody has foreseen, with its traceback when it is new; in words."""
        what = f"It has failed ({type(error).__name__}), and is tried again. The server's log says why."
        if what != self._last:
            self._log.warning("%s has failed", self._about, exc_info=error)
            self._last, self._told = what, clock.now()
        self.tell(what)
        return f"{self._about}: {what}"

    def over(self, what: str) -> None:
        """Note that all is well, in these words if it was not."""
        if self._last:
            self._last = ""
            self._log.info("%s: %s", self._about, what)
