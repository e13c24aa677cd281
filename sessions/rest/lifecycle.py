"""REST calls that make, find, list and end sessions."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

from engine.sources.electrodes.implant import Implant, implant_of
from engine.sources.user.source import SimulatedUser
from sessions.awaited import Awaited, StillWaits
from sessions.rest.context import Context
from sessions.rest.electrodes import detection_settings, electrodes_answer
from sessions.rest.metrics import is_running, sink_answers, stream_answer, totals
from sessions.rest.models.server import StreamAnswer
from sessions.rest.models.sessions import (
    CleanedUp,
    ClosedLoopAnswer,
    Created,
    Deleted,
    DetectedChannels,
    DetectionAnswer,
    ElsewhereAnswer,
    LegAnswer,
    SessionList,
    SessionView,
    SteeringAnswer,
)
from sessions.rest.requests import Create, DeleteQuery
from sessions.rest.turns import in_turns
from sessions.session import Session
from sessions.streams.feed import Feed


def create_session(context: Context, asked: Create) -> Created:
    """Make a session, or find the one that has this code.

    An existing code answers with that session if no other options are asked of it.
    """
    wanted = asked.custom_code or None
    existed = wanted in context.store.entries
    made: Session | Awaited
    try:
        made = context.store.create(wanted, asked.options(), asked.asked(), context.address)
        message = _told(made, existed)
    except StillWaits as waits:
        made, message = waits.awaited, str(waits)
    return created(context, made, message)


def created(context: Context, made: Session | Awaited, message: str) -> Created:
    """A session that was made or found, with its addresses."""
    code = made.code
    return Created(
        session_code=code,
        stream_url=f"{context.stream}/{code}",
        binary_url=f"{context.stream}/binary/{code}",
        dashboard_url=f"{context.dashboard}/live?session={code}",
        created_at=_at(made.created),
        created=made.created,
        message=message,
    )


def _told(session: Session, existed: bool) -> str:
    """What came of asking for a session, in words."""
    told = f"Session {session.code} {'was there already' if existed else 'is ready'}"
    if session.lsl_failed:
        return f"{told}, but without LSL: its outlets have failed. The server's log says why."
    return f"{told}."


def list_sessions(context: Context) -> SessionList:
    """All sessions. Being listed does not count as being used."""
    sessions = in_turns(context.store.entries, view)
    others = [ElsewhereAnswer(**asdict(each)) for broker in context.brokers for each in broker.others]
    return SessionList(
        sessions=sessions, total_sessions=len(sessions), stats=totals(context.store), elsewhere=others
    )


def show_session(context: Context, code: str) -> SessionView:
    """One session, as it was before this call."""
    entry = context.store.entry(code)
    answer = view(entry)
    entry.touch()
    return answer


def delete_session(context: Context, code: str, asked: DeleteQuery) -> Deleted:
    """End a session and its connections."""
    context.store.delete(code, asked.force)
    return Deleted(status="deleted", message=f"Session {code} was deleted.")


def clean_up(context: Context) -> CleanedUp:
    """End the sessions whose time to live is over."""
    n = context.store.cleanup()
    return CleanedUp(
        cleaned_up=n, message=f"Ended {n} session{'' if n == 1 else 's'} past their time to live."
    )


def view(entry: Session | Awaited) -> SessionView:
    """A session as clients see it, or one that waits."""
    return session_view(entry) if isinstance(entry, Session) else waiting_view(entry)


def waiting_view(awaited: Awaited) -> SessionView:
    """A session that is not made yet: it has no bins, and nothing can be asked of it."""
    options = awaited.options
    return SessionView(
        session_code=awaited.code,
        recording=awaited.status.name,
        state="waiting",
        speed=options.speed,
        loop=False,
        seed=options.seed,
        source=(options.source or "").partition(":")[0],
        stream=StreamAnswer(**asdict(awaited.status)),
        closed_loop=None,
        electrodes=None,
        detection_settings=None,
        detection=None,
        can=[],
        lsl=False,
        lsl_failed=False,
        sinks=[],
        created_at=_at(awaited.created),
        created=awaited.created,
        last_accessed=_at(awaited.last_accessed),
        last_active=awaited.last_accessed,
        age_seconds=awaited.age,
        idle_seconds=awaited.idle,
        active_connections=0,
        connections=0,
        pages=0,
        lsl_listened=False,
        dropped_packets=0,
        error=awaited.status.error,
        is_running=False,
        is_paused=False,
        current_packet=0,
        current_index=0,
        selected_packets=None,
        total_packets=None,
        position_seconds=0.0,
        duration_seconds=None,
        packets_sent=0,
    )


def session_view(session: Session) -> SessionView:
    """A session that can be used."""
    replay, position = session.replay, session.replay.position()
    implant = implant_of(replay.source)
    return SessionView(
        session_code=session.code,
        recording=session.description.name,
        state=replay.state,
        speed=replay.speed,
        loop=replay.loop,
        seed=replay.seed,
        source=replay.source.kind,
        stream=stream_answer(session),
        closed_loop=_closed_loop(session),
        electrodes=electrodes_answer(implant) if implant else None,
        detection_settings=detection_settings(implant) if implant else None,
        detection=_detection(implant),
        can=list(replay.source.can),
        lsl=session.lsl,
        lsl_failed=session.lsl_failed,
        sinks=sink_answers(session),
        created_at=_at(session.created),
        created=session.created,
        last_accessed=_at(session.last_accessed),
        last_active=session.last_accessed,
        age_seconds=session.age,
        idle_seconds=session.idle,
        active_connections=session.decoders,
        connections=session.decoders,
        pages=sum(each.size for each in session.audiences if isinstance(each, Feed)),
        lsl_listened=session.heard,
        dropped_packets=sum(each.dropped for each in session.audiences),
        error=replay.error,
        is_running=is_running(session),
        is_paused=replay.state == "paused",
        current_packet=position.packet_id,
        current_index=position.current_index,
        selected_packets=position.n_selected,
        total_packets=session.description.n_bins,
        position_seconds=position.seconds,
        duration_seconds=session.description.duration,
        packets_sent=session.ring.head,
    )


def _closed_loop(session: Session) -> ClosedLoopAnswer | None:
    source = session.replay.source
    if not isinstance(source, SimulatedUser):
        return None
    neurons = source.fit.made
    return ClosedLoopAnswer(
        driver=source.driver,
        lockstep=source.lockstep,
        waits_for=source.waits_for,
        fitted=source.fit.progress,
        encoding_units=None if neurons is None else int(neurons.encode.sum()),
        bits_per_spike=None if neurons is None else neurons.bits_per_spike.tolist(),
        user=source.user.settings,
        task=source.task.settings,
        steering=SteeringAnswer.model_validate(source.steering.settings),
        hand=None if source.hand is None else source.hand.taken,
        way={name: LegAnswer(**leg._asdict()) for name, leg in source.way.legs().items()},
    )


def _detection(implant: Implant | None) -> DetectionAnswer | None:
    found = implant.detected if implant else None
    if found is None:
        return None
    matched = found.matched
    late, _ = matched.timing_error
    return DetectionAnswer(
        threshold=_short(found.thresholds.mean()),
        noise_uv=_short(found.noise.mean()),
        recall=_short(matched.recall_in_all),
        precision=_short(matched.precision_in_all),
        timing_error_ms=_short(1e3 * late),
        channels=DetectedChannels.model_validate(
            {name: list(map(_short, values.tolist())) for name, values in found.by_channel.items()}
        ),
    )


def _short(value: float) -> float:
    """To 3 decimals: it goes out for each of a thousand channels."""
    return round(float(value), 3)


def _at(unix: float) -> datetime:
    return datetime.fromtimestamp(unix, UTC)
