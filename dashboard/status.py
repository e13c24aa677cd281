"""What the page says of a session beside its plots: started decoders, the record, drift."""

from __future__ import annotations

import math
import time
from typing import Any

from engine.bins.source import state_of
from engine.monitors.drift import REFERENCE
from sessions.rest.launching import launched_answer
from sessions.rest.records import record_answer
from sessions.session import Session

SPELLED = {"lsl": "LSL", "redis": "Redis", "kafka": "Kafka"}


def status(session: Session) -> dict[str, Any]:
    """Parts of a frame's header that change seldom.

    Returns
    -------
    dict
        ``launched`` and ``record`` as REST has them; ``drift``: whether there is an ``alarm``, what to
        ``say`` of it, how many of the reference's ``seconds`` there are, ``of`` how many, and what the
        reference is ``called``; ``sinks``: what to say of the source and
        of sinks that are not well.
    """
    return {
        "launched": launched_answer(session.launched).model_dump(),
        "record": record_answer(session).model_dump(),
        "drift": drift(session),
        "sinks": [*source(session), *sinks(session)],
    }


def source(session: Session) -> list[str]:
    """A sentence for a live stream that is not there."""
    state = state_of(session.replay.source)
    if state is None or state.well:
        return []
    since = time.strftime("%H:%M:%S", time.localtime(state.since))
    fault = f"has changed since {since}. {state.error}" if state.error else f"is gone since {since}."
    return [f"The stream {state.name} {fault} Its bins are not observed until it is back."]


def sinks(session: Session) -> list[str]:
    """A sentence for each sink that does not get its bins."""
    said = []
    for name, sink in session.sinks.items():
        status = sink.status
        if not status.well:
            since = time.strftime("%H:%M:%S", time.localtime(status.since))
            fault = "blocks" if status.state == "blocked" else f"has failed ({status.error})"
            again = "" if status.state == "blocked" else " It is tried again."
            said.append(f"{SPELLED.get(name, name)} {fault} since {since}; {status.lost} bins lost.{again}")
    return said


def drift(session: Session) -> dict[str, Any]:
    """As the page shows it."""
    state = session.drift.latest()
    shift = "reference\N{HORIZONTAL ELLIPSIS}" if math.isnan(state.shift) else f"{state.shift:.1f} sd"
    said = f"{shift}, {state.n_shifted} units" if state.alarm else shift
    called = "reference for the new selection" if session.drift.reselected else "reference"
    return {
        "alarm": state.alarm,
        "say": said,
        "seconds": state.reference_seconds,
        "of": REFERENCE,
        "called": called,
    }
