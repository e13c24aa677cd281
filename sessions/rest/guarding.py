"""REST calls that watch over a session: drift of its units, and what guards decoders' cursors."""

from __future__ import annotations

from engine.answers.safety import SafeCursor
from engine.monitors.drift import ALARM, REFERENCE, DriftState
from sessions.rest.context import Context
from sessions.rest.models.guard import DriftAnswer, GuardedAnswer, SafetyAnswer, UnitDrift
from sessions.rest.tuning import SafetyAsk
from sessions.session import Session


def show_drift(context: Context, code: str) -> DriftAnswer:
    """Whether the units of a session still fire as they did, a moment ago.

    Each unit's rate over the last 15 s is compared with the reference, which is the session's first
    minute, or the minute after its selection was changed or a reference was asked for. An alarm, at a
    shift of 2 standard deviations, is an event: `drift alarm`, and `drift over` when it has passed. So is
    a new reference: `drift reference`, and `drift reference for the new selection`.
    """
    session = context.session(code)
    state, means = session.drift.latest(), session.drift.mean_rates()
    columns = (state.rate, state.reference, means, state.change, state.unit_shift)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return DriftAnswer(
        alarm=state.alarm,
        shift=state.shift,
        alarm_at=ALARM,
        shifted_units=state.n_shifted,
        reference_seconds=state.reference_seconds,
        reference_needed=REFERENCE,
        hint=_hint(state, session.drift.reselected),
        units=[UnitDrift(**dict(zip(UnitDrift.model_fields, row, strict=True))) for row in rows],
    )


def set_reference(context: Context, code: str) -> DriftAnswer:
    """Compare from now on with the minute that follows, such as after a recalibration."""
    context.session(code).drift.set_reference()
    return show_drift(context, code)


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


def _hint(state: DriftState, reselected: bool) -> str | None:
    if reselected and state.reference_seconds < REFERENCE:
        return (
            "The selection was changed, so a new reference is being taken: "
            f"{state.reference_seconds} of {REFERENCE} s. Until then nothing is compared."
        )
    if not state.alarm:
        return None
    return (
        f"The units have shifted by {state.shift:.1f} sd, {state.n_shifted} of {len(state.unit_shift)} by "
        f"more than {ALARM:g}. Recalibrate the decoders, then take a new reference with drift/reference."
    )
