"""Finds the streams of a source when a session is made, soon or not at all."""

from __future__ import annotations

from concurrent.futures import Future, wait
from threading import Thread
from typing import Final

import pylsl
from pylsl.util import LostError
from pylsl.util import TimeoutError as LslTimeout

from engine.bins import clock
from engine.errors import NotNow
from engine.lsl import found
from engine.sources.live_lsl.header import StreamHeader, header_of
from engine.sources.live_lsl.names import ROLES, Names, Role

FOUND_WITHIN: Final = 1.0
"""Seconds for which a stream is looked for."""
READ_WITHIN: Final = 0.5
"""Seconds that it gets to tell of its channels."""
ANSWERED_WITHIN: Final = FOUND_WITHIN + READ_WITHIN
BESIDE_WITHIN: Final = 0.3
"""Seconds that its companions get after it; those that are found later come in later."""


def look(names: Names) -> tuple[StreamHeader, dict[Role, StreamHeader]]:
    """Find all of them at once: the neural stream, and those of its companions that are there.

    Raises
    ------
    NotNow
        If the neural one is not, or does not answer.
    """
    until = clock.now() + ANSWERED_WITHIN
    neural = _find(names.neural)
    beside = {role: _find(name) for role in ROLES if (name := names.of(role)) is not None}
    wait([neural], ANSWERED_WITHIN)
    header = neural.result() if neural.done() else None
    if header is None:
        raise NotNow(
            f"No LSL stream is called {names.neural!r}. Start it, and make the session then; "
            "the firewall must let LSL through."
        )
    wait(beside.values(), min(max(until - clock.now(), 0.0), BESIDE_WITHIN))
    there = {role: each.result() for role, each in beside.items() if each.done()}
    return header, {role: each for role, each in there.items() if each is not None}


def _find(name: str) -> Future[StreamHeader | None]:
    """Look in a thread: liblsl's search takes 5 s longer than it should at times."""
    future: Future[StreamHeader | None] = Future()

    def run() -> None:
        try:
            infos = found(name, FOUND_WITHIN)
            future.set_result(_header(infos[0]) if infos else None)
        except (LostError, LslTimeout):
            future.set_result(None)
        except Exception as error:  # whatever it is, it is for who asked
            future.set_exception(error)

    Thread(target=run, name=f"look for {name}", daemon=True).start()
    return future


def _header(info: pylsl.StreamInfo) -> StreamHeader:
    inlet = pylsl.StreamInlet(info, recover=False)
    return header_of(inlet.info(READ_WITHIN))
