"""Sessions whose stream is not there yet: each is looked for in the background until it can be made."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from engine.bins import clock
from engine.bins.source import Source, SourceState
from engine.errors import DeckError, NotNow, NotThere
from sessions.options import Options

log = logging.getLogger(__name__)

LOOK_EVERY: Final = 0.5
"""Seconds between two searches, beside what a search itself takes."""
ASK_AGAIN: Final = 2


class StillWaits(NotNow):
    """A session that cannot be used yet: it is made when its stream comes.

    Parameters
    ----------
    awaited : Awaited
    """

    retry_after = ASK_AGAIN

    def __init__(self, awaited: Awaited) -> None:
        state = awaited.status
        since = time.strftime("%H:%M:%S", time.localtime(state.since))
        super().__init__(
            f"Session {awaited.code} waits for stream {state.name!r} since {since}. "
            f"{state.error or awaited.missing} "
            f"It begins by itself when the stream comes: ask again every {ASK_AGAIN} s, or delete it."
        )
        self.awaited = awaited


class Awaited:
    """A session that is to be: it has no bins, and nobody can listen to it.

    Parameters
    ----------
    code : str
    options : Options
    maker : str or None
        The IP address that has asked for it.
    missing : NotThere
        What was said when it was looked for first.
    make : function
        Makes its source, if that is there.
    come : function
        Takes this and the source, and makes the session.
    """

    def __init__(
        self,
        code: str,
        options: Options,
        maker: str | None,
        missing: NotThere,
        make: Callable[[], Source],
        come: Callable[[Awaited, Source], None],
    ) -> None:
        self.code = code
        self.options = options
        self.maker = maker
        self.created = time.time()
        self.status = SourceState(missing.name, "waiting", self.created, None)
        self.missing = missing
        self._make = make
        self._come = come
        self._born = self._used = clock.now()
        self._closing = threading.Event()
        threading.Thread(target=self._run, name=f"wait {code}", daemon=True).start()

    @property
    def age(self) -> float:
        """Seconds since it was asked for."""
        return clock.now() - self._born

    @property
    def idle(self) -> float:
        """Seconds since anybody asked for it."""
        return clock.now() - self._used

    @property
    def last_accessed(self) -> float:
        """Unix seconds."""
        return time.time() - self.idle

    @property
    def listened_to(self) -> bool:
        """Whether somebody keeps it alive."""
        return False

    def touch(self) -> None:
        """Note that it was asked for."""
        self._used = clock.now()

    def close(self, *_: object) -> None:
        """Wait no more."""
        self._closing.set()

    def fail(self, error: str) -> None:
        """Say that it cannot be made of what has come: it waits on, for somebody to delete it."""
        log.warning("Session %s cannot be made: %s", self.code, error)
        self._tell(error)

    def _run(self) -> None:
        while not self._closing.wait(LOOK_EVERY):
            try:
                source = self._make()
            except NotThere as missing:
                self.missing = missing
                self._tell(None)
            except DeckError as error:  # it is there, and cannot be taken as it is
                self._tell(str(error))
            except Exception as error:  # whatever it is, it ends this search alone, and visibly
                log.exception("The search for %s has failed; it goes on", self.status.name)
                self._tell(f"{type(error).__name__}: {error}")
            else:
                self._come(self, source)
                return

    def _tell(self, error: str | None) -> None:
        if self.status.error != error:
            self.status = replace(self.status, error=error)
