"""How the server and its sessions do: health, totals, and measurements."""

from __future__ import annotations

import dataclasses
import math
import time
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from engine.bins.ring import Ring
from engine.bins.source import SourceState, state_of
from sessions.awaited import Awaited
from sessions.decoding import NEWEST
from sessions.rest.context import Context, Text
from sessions.rest.models.server import (
    Distribution,
    Health,
    LslStreaming,
    Metrics,
    ServerMetrics,
    SessionMetrics,
    SessionStats,
    SinkAnswer,
    Stats,
    StreamAnswer,
    Totals,
)
from sessions.rest.prometheus import exposition
from sessions.rest.requests import MetricsQuery
from sessions.rest.scoring import scores
from sessions.rest.turns import in_turns
from sessions.session import Session
from sessions.store import Store

SERVICE = "PhantomDeck"


def show_health(context: Context) -> Health:
    """Whether all is well, and which sessions are not."""
    entries, sessions = context.store.entries, context.store.sessions
    failed = [code for code, session in sessions.items() if session.replay.state == "failed"]
    unwell = [s for session in sessions.values() for s in session.sinks.values() if not s.status.well]
    sums = totals(context.store)
    return Health(
        status="degraded" if failed else "healthy",
        version=context.version,
        timestamp=datetime.now(UTC),
        sessions=len(entries),
        active_sessions=sums.running_sessions,
        active_connections=sums.active_connections,
        session_manager_initialized=True,
        model_loaded=context.decoding.models.loaded,
        buffer_size=sum(min(session.ring.head, NEWEST) for session in sessions.values()),
        failed=failed,
        sinks=[
            *(sink.name for sink in unwell),
            *(broker.name for broker in context.brokers if broker.fault is not None),
        ],
        sources=[
            f"{state.name} of {code}"
            for code, entry in entries.items()
            if (state := _source_state(entry)) is not None and not state.well
        ],
        recording=next(iter(context.store.recordings)),
    )


def show_totals(context: Context) -> Stats:
    """Sums over all sessions."""
    sums = totals(context.store)
    speaking = sum(session.lsl for session in context.store.sessions.values())
    lsl = LslStreaming(enabled=context.store.has_lsl, sessions=speaking)
    return Stats(**sums.model_dump(), session_manager=sums, lsl_streaming=lsl)


def show_stats(context: Context, code: str) -> SessionStats:
    """How far a session has come."""
    session = context.session(code)
    return SessionStats(
        session_code=code,
        is_running=is_running(session),
        current_packet=session.replay.position().packet_id,
        total_packets=session.description.n_bins,
        elapsed_seconds=session.age,
        active_connections=session.decoders,
    )


def show_metrics(context: Context, asked: MetricsQuery) -> Metrics | Text:
    """Measurements of every session, as JSON or as Prometheus text."""
    accept = context.accept
    plain = "application/json" not in accept and ("text/plain" in accept or "openmetrics" in accept)
    measured = measure(context.store)
    if asked.format == "prometheus" or (asked.format is None and plain):
        scored = in_turns(context.store.sessions, scores)
        return exposition(measured, scored, context.version, accept)
    return Metrics(timestamp=time.time(), service=SERVICE, version=context.version, metrics=measured)


def is_running(session: Session) -> bool:
    """Whether a run is under way, paused or not."""
    return session.replay.state in ("playing", "paused")


def totals(store: Store) -> Totals:
    sessions = store.sessions.values()
    return Totals(
        total_sessions=len(store.entries),
        max_sessions=store.limits.max_sessions,
        session_ttl=store.ttl,
        running_sessions=sum(s.replay.state == "playing" for s in sessions),
        active_connections=sum(s.decoders for s in sessions),
        total_created=store.total_created,
        packets_sent=sum(s.ring.head for s in sessions),
        dropped_packets=sum(_dropped(s) for s in sessions),
        uptime_seconds=time.time() - store.started,
    )


def measure(store: Store) -> ServerMetrics:
    """Measure every session; takes half a millisecond more for each (`in_turns`)."""
    entries, sessions = store.entries, store.sessions
    return ServerMetrics(
        total_sessions=len(entries),
        active_sessions=sum(s.replay.state == "playing" for s in sessions.values()),
        total_connections=sum(s.decoders for s in sessions.values()),
        sessions=in_turns(sessions, measure_session),
        waiting={
            code: StreamAnswer(**dataclasses.asdict(entry.status))
            for code, entry in entries.items()
            if isinstance(entry, Awaited)
        },
    )


def measure_session(session: Session) -> SessionMetrics:
    """Measure one session."""
    ring, replay = session.ring, session.replay
    latencies = [audience.latencies for audience in session.audiences]
    indices = (replay.position().n_selected or 0) * np.dtype(np.intp).itemsize
    return SessionMetrics(
        packets_sent=ring.head,
        dropped_packets=_dropped(session),
        late_ticks=replay.late_ticks,
        lost_time_seconds=replay.lost_time,
        network_latency_ms=distribution(np.concatenate([*latencies, np.empty(0)]) * 1000.0),
        timing_error_ms=distribution(np.abs(ring.column("lateness")).astype(np.float64) * 1000.0),
        memory_usage_mb=(Ring.size(ring.dtype, ring.capacity) + indices) / 1e6,
        sinks=sink_answers(session),
        stream=stream_answer(session),
        is_running=is_running(session),
        is_paused=replay.state == "paused",
        connections=session.decoders,
    )


def sink_answers(session: Session) -> list[SinkAnswer]:
    """How a session's sinks do."""
    return [
        SinkAnswer(name=name, **dataclasses.asdict(sink.status)) for name, sink in session.sinks.items()
    ]


def _source_state(entry: Session | Awaited) -> SourceState | None:
    return state_of(entry.replay.source) if isinstance(entry, Session) else entry.status


def stream_answer(session: Session) -> StreamAnswer | None:
    """How the live stream does that a session plays, if it plays one."""
    state = state_of(session.replay.source)
    return None if state is None else StreamAnswer(**dataclasses.asdict(state))


def _dropped(session: Session) -> int:
    return sum(audience.dropped for audience in session.audiences)


def distribution(values: npt.NDArray[np.float64]) -> Distribution:
    """Summarise values of shape (n,); zeros if there are none. `np.percentile` takes ten times as long."""
    if not len(values):
        return Distribution(mean=0.0, std=0.0, p99=0.0, max=0.0)
    rank = 0.99 * (len(values) - 1)
    below, above = int(rank), math.ceil(rank)
    ordered = np.partition(values, (below, above))
    return Distribution(
        mean=float(values.mean()),
        std=float(values.std()),
        p99=float(ordered[below] + (rank - below) * (ordered[above] - ordered[below])),
        max=float(values.max()),
    )
