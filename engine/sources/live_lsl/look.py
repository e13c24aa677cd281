"""Finds the streams of a source when a session is made, soon or not at all."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, wait
from difflib import get_close_matches
from functools import partial
from threading import Thread
from typing import Final, TypeVar

import pylsl
from pylsl.util import LostError
from pylsl.util import TimeoutError as LslTimeout

from engine.bins import clock
from engine.errors import NotThere
from engine.lsl import found
from engine.sources.live_lsl.header import StreamHeader, header_of
from engine.sources.live_lsl.names import ROLES, Names, Role

T = TypeVar("T")

SHOWN: Final = 10
"""Names of other streams that a refusal tells, the likest first."""
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
    NotThere
        If the neural one is not, or does not answer.
    """
    until = clock.now() + ANSWERED_WITHIN
    neural = _find(names.neural)
    beside = {role: _find(name) for role in ROLES if (name := names.of(role)) is not None}
    others = _in_thread(partial(pylsl.resolve_streams, FOUND_WITHIN), "look for streams")
    wait([neural], ANSWERED_WITHIN)
    header = neural.result() if neural.done() else None
    if header is None:
        wait([others], max(until - clock.now(), 0.0))
        others_there = {info.name() for info in others.result()} if others.done() else set()
        told = ", ".join(get_close_matches(names.neural, others_there, SHOWN, cutoff=0.0))
        raise NotThere(
            f"No LSL stream is called {names.neural!r}. Start it; the firewall must let LSL through. "
            f"There {f'are {told}' if told else 'is none'}.",
            names.neural,
        )
    wait(beside.values(), min(max(until - clock.now(), 0.0), BESIDE_WITHIN))
    there = {role: each.result() for role, each in beside.items() if each.done()}
    return header, {role: each for role, each in there.items() if each is not None}


def _find(name: str) -> Future[StreamHeader | None]:
    return _in_thread(partial(_header, name), f"look for {name}")


def _in_thread(look: Callable[[], T], name: str) -> Future[T]:
    """Look in a thread: liblsl's search takes 5 s longer than it should at times."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(look())
        except Exception as error:  # whatever it is, it is for who asked
            future.set_exception(error)

    Thread(target=run, name=name, daemon=True).start()
    return future


def _header(name: str) -> StreamHeader | None:
    infos = found(name, FOUND_WITHIN)
    if not infos:
        return None
    try:
        return header_of(pylsl.StreamInlet(infos[0], recover=False).info(READ_WITHIN))
    except (LostError, LslTimeout):
        return None
