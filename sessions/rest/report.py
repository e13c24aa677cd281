"""REST call that answers with the report of a session: one page that needs nothing else."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup

from engine.answers.scores.resampled import Interval
from engine.answers.scores.summary import Summary, joined_later
from engine.bins.description import Description
from engine.bins.selection import Selection
from engine.calibration.floors import Floors
from engine.moment import Plot
from sessions.rest.context import Context, Text
from sessions.rest.lifecycle import session_view
from sessions.rest.metrics import measure_session
from sessions.rest.models.server import Distribution
from sessions.rest.pictures import moment_of, studio_of
from sessions.rest.requests import WindowQuery
from sessions.session import Session
from sessions.templates import render

FIGURES: tuple[tuple[Plot, ...], ...] = (
    ("raster", "rate", "position", "velocity", "timing"),
    ("arena", "units"),
)
"""All plots, as they fit on paper."""
WIDTH = 800
"""Pixels that give figures the layout for it."""

DRAWN_WITH = (
    *("card", "text", "muted", "line", "grid", "good", "accent", "unobserved"),
    *("decoder-1", "decoder-2", "decoder-3", "decoder-4"),
)
"""Roles of the colours in pictures, which become variables of the page's style."""

Facts = Iterable[tuple[str, object]]


def show_report(context: Context, code: str, asked: WindowQuery) -> Text:
    """A report of the session: settings, plots, events and timing, as one HTML file.

    It names no outside address, follows the reader's light or dark theme, and prints well.
    """
    session, studio = context.session(code), studio_of(context)
    themes = studio.themes()
    moment = moment_of(session, asked.seconds)
    drawn = [studio.draw(moment, plots, "svg", "light", WIDTH) for plots in FIGURES]
    page = render(
        "report.html",
        code=code,
        recording=session.description,
        taken=_utc(datetime.now(UTC).timestamp()),
        version=context.version,
        seconds=asked.seconds,
        tables={
            "Recording": _recording_facts(session.description),
            "Session": _session_facts(session),
            "Perturbation": _perturbation_facts(session),
            "Timing": _timing_facts(session),
            **_score_tables(session),
        },
        figures=[inline(svg, themes["light"]) for svg in drawn],
        events=[(_utc(note.timestamp), note.text) for note in session.replay.notes if note.asked],
        light=_variables(themes["light"]),
        dark=_variables(themes["dark"]),
    )
    return Text(page, "text/html; charset=utf-8")


def inline(svg: bytes, colours: Mapping[str, Any]) -> Markup:
    """A picture as part of a page, whose style gives the colours."""
    text = svg.decode()
    text = text[text.index("<svg") :]
    for role in DRAWN_WITH:
        text = text.replace(colours[role], f"var(--{role})")
    return Markup(text)


def _variables(colours: Mapping[str, Any]) -> Markup:
    return Markup(
        " ".join(f"--{role}: {value};" for role, value in colours.items() if isinstance(value, str))
    )


def _recording_facts(recording: Description) -> Facts:
    yield "Name", recording.name + (" (synthetic)" if recording.synthetic else "")
    yield "Units", recording.n_units
    if recording.duration is not None:
        yield "Length", f"{recording.duration:.1f} s"
    yield "Trials", f"{len(recording.trials)}, {len(recording.target_places)} target places"
    n_bins = "" if recording.n_bins is None else f"{recording.n_bins}, "
    yield "Bins", f"{n_bins}{recording.bin_rate:g} per second"
    for what in ("position", "velocity"):
        chosen = recording.series.get(what)
        yield what.capitalize(), chosen["name"] if chosen else "none"
    for number, warning in enumerate(recording.warnings, start=1):
        yield f"Warning {number}" if len(recording.warnings) > 1 else "Warning", warning
    if recording.sha256 is not None:
        yield "SHA-256", recording.sha256


def _session_facts(session: Session) -> Facts:
    view = session_view(session)
    yield "Made", _utc(session.created)
    yield "State", view.state
    yield "Speed", "max" if view.speed == "max" else f"real time x {view.speed:g}"
    yield "Loop", "on" if view.loop else "off"
    yield "Selection", _selection_text(session.replay.selection)
    yield "Seed", view.seed
    yield "LSL", "failed" if view.lsl_failed else "on" if view.lsl else "off"
    yield "Packets sent", f"{view.packets_sent}, the next is {view.current_packet}"
    yield "Decoders", view.active_connections


def _perturbation_facts(session: Session) -> Facts:
    for model, settings in session.replay.perturbation.items():
        told = ", ".join(f"{name} {value:g}" for name, value in settings.items() if name != "enabled")
        yield model.replace("_", " ").capitalize(), f"{'on' if settings['enabled'] else 'off'} ({told})"


def _timing_facts(session: Session) -> Facts:
    facts = measure_session(session)
    yield "From due to sent", _spread(facts.timing_error_ms)
    yield "From due to the last socket", _spread(facts.network_latency_ms)
    yield "Packets a bin or more late", facts.late_ticks
    yield "Time given up", f"{facts.lost_time_seconds:.2f} s"
    yield "Packets that slow decoders lost", facts.dropped_packets


def _score_tables(session: Session) -> Mapping[str, Facts]:
    decoders, unit = session.scores.latest().decoders, session.description.length_unit
    begins = {name: summary.first for name, summary in decoders.items()}
    later = joined_later(begins, session.description.bin_rate)
    tables = {
        f"Decoder {name}": _score_facts(summary, unit, later.get(name))
        for name, summary in decoders.items()
    }
    floors = session.floors if decoders else None
    return tables if floors is None else tables | {"Floors of the whole recording": _floor_facts(floors)}


def _floor_facts(floors: Floors) -> Facts:
    """R2 of what reads no brain."""
    for called, floor in (
        ("no spikes", floors.no_spikes),
        ("delayed truth", floors.delayed_truth),
        ("shuffled units", floors.shuffled_units),
    ):
        yield f"R² of position, {called}", _sure(floor.r2_position, floor.r2_position_interval)
        yield f"R² of velocity, {called}", _sure(floor.r2_velocity, floor.r2_velocity_interval)


def _sure(value: float, interval: Interval) -> str:
    """With its interval, if there is one."""
    low, high = interval
    return _known(value, ".3f") + ("" if math.isnan(low) else f" ({low:.3f} to {high:.3f})")


def _score_facts(summary: Summary, unit: str, later: float | None) -> Facts:
    """Since the decoder's first prediction."""
    total, sure = summary.total, summary.intervals
    if later is not None:
        yield "Began", f"{later:.0f} s later than the first decoder, so on other bins"
    yield "R² of position", _sure(total.r2_position, sure.r2_position)
    yield "R² of velocity", _sure(total.r2_velocity, sure.r2_velocity)
    yield "RMSE of position", _known(total.rmse_position, ".1f", f" {unit}")
    yield "Lag", _known(total.lag_ms, ".0f", " ms")
    yield "Hits", f"{total.n_hits} of {total.n_trials} trials"
    yield "Time to target", _known(total.time_to_target, ".2f", " s")
    yield "Bit rate", _known(total.bit_rate, ".2f", " bits/s")
    yield "Bins answered", f"{total.n_bins}, {_known(total.coverage, '.1%')} of those delivered"
    yield "From due to answered, median", _known(total.latency_p50_ms, ".2f", " ms")
    yield "99 % within", _known(total.latency_p99_ms, ".2f", " ms")


def _known(value: float, how: str, unit: str = "") -> str:
    return "none" if math.isnan(value) else f"{value:{how}}{unit}"


def _spread(ms: Distribution) -> str:
    return f"mean {ms.mean:.2f} ms, 99 % within {ms.p99:.2f} ms, at most {ms.max:.2f} ms"


def _selection_text(selection: Selection) -> str:
    if selection.is_everything:
        return "every bin"
    ids = (("trials", selection.trial_ids), ("targets", selection.target_ids))
    told = [f"{name} {', '.join(map(str, values))}" for name, values in ids if values]
    if selection.success is not None:
        told.append("hits" if selection.success else "misses")
    begin, end = (
        f"{event.replace('_', ' ')}{f' {offset:+g} s' if offset else ''}"
        for event, offset in (
            (selection.begin, selection.begin_offset),
            (selection.end, selection.end_offset),
        )
    )
    told.append(f"from {begin} to {end} of each trial")
    if selection.first_packet is not None:
        told.append(f"from packet {selection.first_packet}")
    if selection.last_packet is not None:
        told.append(f"to packet {selection.last_packet}")
    return "; ".join(told)


def _utc(unix: float) -> str:
    return f"{datetime.fromtimestamp(unix, UTC):%Y-%m-%d %H:%M:%S} UTC"
