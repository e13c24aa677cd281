"""What the page says of a session beside its plots, in words: settings, record, drift, sinks."""

from __future__ import annotations

import math
import time
from typing import Final

from dashboard.drive.words import driven
from dashboard.live.reel import selected_spans
from dashboard.scores import spell
from engine.bins.source import state_of
from engine.broadband import BLOCK, SAMPLING_RATE
from engine.monitors.drift import REFERENCE
from sessions.session import Session

SPELLED: Final = {"lsl": "LSL", "lsl_raw": "LSL, voltages,", "redis": "Redis", "kafka": "Kafka"}
SAID: Final = {"recording": "Recording", "finishing": "Making the file\N{HORIZONTAL ELLIPSIS}"}
"""Of a record's state."""


def texts(session: Session) -> dict[str, str]:
    """By the ``data-value`` of the elements that show them."""
    return {
        "selected": selected(session),
        "perturbed": perturbed(session),
        "viewed": viewed(session),
        "limits": limits(session),
        "record": record(session),
        "drift": drift(session),
        "floors": floors(session),
        "sinks": "\n".join((*source(session), *sinks(session))),
        **driven(session),
    }


def flags(session: Session) -> dict[str, str | None]:
    """Data attributes of the page's body; None for one that it has not."""
    return {
        "state": session.replay.state,
        "preview": "" if session.replay.sought is not None else None,
        "stopped": "" if session.safety.stopped else None,
        "alarm": "" if session.drift.latest().alarm else None,
        "recorded": "" if session.tape is not None and session.tape.recording else None,
    }


def selected(session: Session) -> str:
    """How many bins are played."""
    if "select" not in session.replay.source.can:
        return ""
    n_bins = session.recording.n_bins
    n = sum(end - first for first, end in selected_spans(session.replay.selection, session.recording))
    return f"all {n_bins:,} bins" if n == n_bins else f"{n:,} of {n_bins:,} bins"


def perturbed(session: Session) -> str:
    """The models that act, and the seed."""
    acting = [name for name, model in session.replay.perturbation.items() if model["enabled"]]
    return f"{', '.join(acting).replace('_', ' ') or 'off'} \N{MIDDLE DOT} seed {session.replay.seed}"


def viewed(session: Session) -> str:
    """Which units are shown."""
    n, n_units = len(session.view.hidden_units), session.description.n_units
    return f"{n} of {n_units} units hidden" if n else "all units"


def limits(session: Session) -> str:
    """How fast a cursor may be."""
    fastest = session.safety.limits.max_speed
    unit = session.description.length_unit
    return f"{fastest:g} {unit}/s" if fastest < 1e9 else "none"


def floors(session: Session) -> str:
    """What scores without reading the brain, R2 of position and velocity, once decoders have scores."""
    found = session.floors if session.scores.latest().decoders else None
    if found is None:
        return ""
    told = (
        ("no spikes", found.no_spikes),
        ("delayed", found.delayed_truth),
        ("shuffled", found.shuffled_units),
    )
    r2s = (f"{name} {spell(floor.r2_position, 2)} / {spell(floor.r2_velocity, 2)}" for name, floor in told)
    return f"Floor (whole recording): {', '.join(r2s)}"


def record(session: Session) -> str:
    """State, length and size of the newest record, and what it lacks of voltages."""
    tape = session.tape
    if tape is None:
        return ""
    seconds = int(tape.n_bins / session.description.bin_rate)
    size = f"{math.ceil(tape.n_bytes / 1e3)} kB" if tape.n_bytes < 1e6 else f"{tape.n_bytes / 1e6:.1f} MB"
    said = tape.error or "Failed" if tape.state == "failed" else SAID.get(tape.state, "")
    length = f"{seconds // 60}:{seconds % 60:02}, {size}"
    lost = tape.voltage_blocks_lost * BLOCK / SAMPLING_RATE
    gone = f"{lost:.2f} s of voltages lost, as the disk is too slow" if lost else ""
    return " \N{MIDDLE DOT} ".join(filter(None, (said, length, gone)))


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


def drift(session: Session) -> str:
    """The shift, or how much there is of the reference."""
    state = session.drift.latest()
    if state.alarm:
        return f"Alarm: {state.shift:.1f} sd, {state.n_shifted} units"
    if state.reference_seconds < REFERENCE:
        called = "reference for the new selection" if session.drift.reselected else "reference"
        return f"{called}, {state.reference_seconds} of {REFERENCE} s"
    return "reference\N{HORIZONTAL ELLIPSIS}" if math.isnan(state.shift) else f"{state.shift:.1f} sd"
