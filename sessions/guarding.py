"""REST calls that guard the cursors of decoders: the emergency stop, and limits."""

from __future__ import annotations

from engine.safety import SafeCursor
from sessions.context import Context
from sessions.guard_models import GuardedAnswer, SafetyAnswer
from sessions.requests import SafetyAsk
from sessions.session import Session


def emergency_stop(context: Context, code: str) -> SafetyAnswer:
    """Freeze the cursors of all decoders at once, until they are released.

    They stand from the next packet on. The session plays on, and predictions go on being scored and
    recorded. The stop is an event, `emergency-stop`.
    """
    session = context.session(code)
    if session.safety.stop():
        session.wake()
    return show_safety(context, code)


def release_stop(context: Context, code: str) -> SafetyAnswer:
    """Let the cursors of decoders go on, from where they stand and no faster than `max_speed`."""
    session = context.session(code)
    if session.safety.release():
        session.wake()
    return show_safety(context, code)


def show_safety(context: Context, code: str) -> SafetyAnswer:
    """What guards the cursors of decoders that a session shows, and what it has met with."""
    session = context.session(code)
    safety = session.safety
    return SafetyAnswer(
        stopped=safety.stopped,
        stopped_at=safety.stopped_at,
        **safety.limits.settings,
        decoders={name: _guarded(session, cursor) for name, cursor in list(safety.cursors.items())},
    )


def set_safety(context: Context, code: str, asked: SafetyAsk) -> SafetyAnswer:
    """Change limits. They apply to what is shown, not to what is scored."""
    context.session(code).safety.change(asked.model_dump(exclude_unset=True))
    return show_safety(context, code)


def _guarded(session: Session, cursor: SafeCursor) -> GuardedAnswer:
    x, y = cursor.place
    return GuardedAnswer(
        held=session.safety.holds(cursor),
        silent=cursor.silent,
        x=x,
        y=y,
        slowed=cursor.faults["speed"],
        jumps=cursor.faults["jump"],
        not_finite=cursor.faults["nan"],
    )
