"""What a page says of a closed loop: what is to be done next, how long each leg takes, how it goes."""

from __future__ import annotations

import math
from typing import Final

from engine.sources.user.source import SimulatedUser
from engine.sources.user.way import Leg
from sessions.session import Session

DASH: Final = "\N{EN DASH}"
LEGS: Final = {
    "pointer": "Pointer to server",
    "neurons": "To the neurons",
    "decoder": "To the answer",
    "cursor": "To the cursor",
}
"""Of the way, as a page names them."""


def driven(session: Session) -> dict[str, str]:
    """By the ``data-value`` of the elements that show them; nothing of sessions that are no closed loop."""
    source = session.replay.source
    if not isinstance(source, SimulatedUser):
        return {}
    legs = source.way.legs()
    scores = session.scores.latest().decoders
    total = scores[source.driver].total if source.driver and source.driver in scores else None
    return {
        "next-step": next_step(session, source),
        "driver": source.driver or DASH,
        **{f"way-{name}": spell_leg(leg) for name, leg in legs.items()},
        "trials-done": f"{total.n_trials}" if total else DASH,
        "success": spell(total.success, "{:.0%}") if total else DASH,
        "acquisition": spell(total.acquisition_time, "{:.2f} s") if total else DASH,
        "bit-rate": spell(total.bit_rate_achieved, "{:.2f} bit/s") if total else DASH,
    }


def next_step(session: Session, source: SimulatedUser) -> str:
    """What the person at the page is to do; nothing while all goes well."""
    state = session.replay.state
    if source.fit.error is not None:
        return source.fit.error
    if state in ("failed", "closed"):
        return "This session has ended. Make a new one."
    if not source.fit.done:
        return f"Neurons are fitted to the recording: {source.fit.progress:.0%}. This is done once."
    if state != "playing":
        return "Press Play."
    if source.driver is None:
        return "Nobody drives. Start a decoder here, or connect one of your own."
    cursor = session.safety.cursors.get(source.driver)
    if cursor is None or cursor.silent:
        return f"{source.driver} does not answer. Start or connect it, or choose another driver."
    if session.safety.stopped:
        return "The cursor is stopped. Release it on the live page."
    if source.hand is not None and not source.hand.taken:
        return "No hand is here. Move the pointer, a finger or a gamepad over the arena."
    return ""


def intended_share(session: Session) -> float | None:
    """The intended speed as a share of the full push; None without a closed loop or a bin."""
    source, ring = session.replay.source, session.ring
    if not isinstance(source, SimulatedUser) or not ring.head:
        return None
    rows, _ = ring.since(ring.head - 1, 1)
    speed = math.hypot(*rows["intended"][-1].tolist()) if len(rows) else math.nan
    return None if math.isnan(speed) else min(speed / source.user.full_push, 1.0)


def spell_leg(leg: Leg) -> str:
    """Median and 99th percentile."""
    return DASH if math.isnan(leg.p50) else f"{leg.p50:.1f} ms (p99 {leg.p99:.0f})"


def spell(value: float, form: str) -> str:
    return DASH if math.isnan(value) else form.format(value)
