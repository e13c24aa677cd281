"""When the garbage collector looks at what: each of its looks stops all threads, streams among them.

Loaded modules are some hundred thousand objects, an open page is five to thirty thousand more, and looking
at a million takes about half a second. So what has survived one look is put aside, where the collector
never looks again (`gc.freeze`). Objects there still go as soon as nothing refers to them; only cycles stay,
such as those of a page that was open when it was put aside. They are looked for while nobody listens.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from typing import Any, Final

MANY: Final = 20_000
"""Objects that a look may find alive without their being put aside: about 10 ms."""
MOST: Final = 400_000
"""Objects that are put aside while somebody listens; beyond that, looks take longer rather than that more
closed pages stay."""
PERIOD: Final = 5.0
"""Seconds between looks for a moment at which nobody listens."""


class Garbage:
    """Owns the collector of this process from `begin` to `end`.

    Parameters
    ----------
    listened_to : function
        Whether anybody would notice that all threads stop for some tenths of a second.
    """

    def __init__(self, listened_to: Callable[[], bool]) -> None:
        self._listened_to = listened_to
        self._settled = 0  # objects aside when nobody listened: none of them is garbage
        self._more = False  # whether others have been put aside since

    def begin(self) -> None:
        """Put all aside that is there."""
        gc.freeze()
        self._settled, self._more = gc.get_freeze_count(), False
        gc.callbacks.append(self._looked)
        gc.enable()

    def end(self) -> None:
        """Let the collector do as it does by itself."""
        gc.callbacks.remove(self._looked)
        gc.unfreeze()

    async def watch(self) -> None:
        """Tidy up whenever nobody listens, until cancelled."""
        while True:
            await asyncio.sleep(PERIOD)
            self.tidy()

    def tidy(self) -> None:
        """Look at everything, if nobody listens and there may be something to find."""
        if not self._more or self._listened_to():
            return
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        self._settled, self._more = gc.get_freeze_count(), False
        gc.collect()  # of nothing: the next look is due by how much the last one found alive

    def _looked(self, phase: str, about: dict[str, Any]) -> None:
        """Of `gc.callbacks`: put aside what is alive after a look at everything."""
        if phase != "stop" or about["generation"] != 2 or len(gc.get_objects(2)) < MANY:
            return
        if gc.get_freeze_count() - self._settled < MOST:
            gc.freeze()
            self._more = True
