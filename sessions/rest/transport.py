"""REST calls that drive one session: play and pause, seek, selection, speed, loop, perturbation."""

from __future__ import annotations

import dataclasses

from engine.errors import OutsideSelection
from sessions.rest.context import Context
from sessions.rest.models.playing import (
    LoopAnswer,
    PerturbationAnswer,
    SelectionAnswer,
    SpeedAnswer,
    StepAnswer,
    TimetableAnswer,
)
from sessions.rest.models.sessions import Done, EventAnswer, Events, PositionAnswer, Sought
from sessions.rest.requests import LoopAsk, Seek, SelectionAsk, SpeedAsk
from sessions.rest.tuning import PerturbationAsk, TimetableAsk
from sessions.session import Session


def pause(context: Context, code: str) -> Done:
    """Send nothing until told to go on."""
    context.session(code).replay.pause()
    return Done(status="paused", session_code=code)


def resume(context: Context, code: str) -> Done:
    """Play from where the session stands; from the first selected packet if it had ended."""
    context.session(code).replay.resume()
    return Done(status="resumed", session_code=code)


def stop(context: Context, code: str) -> Done:
    """Go to the first selected packet and stand there until `resume`."""
    context.session(code).replay.stop()
    return Done(status="stopped", session_code=code)


def restart(context: Context, code: str) -> Done:
    """Play from the first selected packet, and score all decoders anew.

    Perturbations and their timetable count from there, so that the same packets come again; in
    closed loop, where none does, the next trial begins. Nobody is disconnected, and sequence numbers go
    on.
    """
    context.session(code).restart()
    return Done(status="restarted", session_code=code)


def step(context: Context, code: str) -> Done:
    """Pause, then send one packet."""
    context.session(code).replay.step()
    return Done(status="stepped", session_code=code)


def seek(context: Context, code: str, asked: Seek) -> Sought:
    """Make another packet the next one. While paused, nothing is sent."""
    session = context.session(code)
    packet_id = _packet(session, asked)
    session.replay.seek(packet_id)
    seconds = packet_id / session.description.bin_rate
    return Sought(status="seeked", session_code=code, position_seconds=seconds, packet_id=packet_id)


def show_position(context: Context, code: str) -> PositionAnswer:
    """Where a session stands: the packet that comes next."""
    session = context.session(code)
    position = session.replay.position()
    return PositionAnswer(
        session_code=code,
        position_seconds=position.seconds,
        current_index=position.current_index,
        packet_id=position.packet_id,
        duration_seconds=session.description.duration,
        is_playing=session.replay.state == "playing",
        is_paused=session.replay.state == "paused",
    )


def show_events(context: Context, code: str) -> Events:
    """What was asked of a session, such as pause, seek, speed and perturbation, and trials scored."""
    notes = context.session(code).replay.notes
    events = [EventAnswer(timestamp=note.timestamp, text=note.text) for note in notes]
    return Events(events=events, count=len(events))


def show_selection(context: Context, code: str) -> SelectionAnswer:
    """Which packets a session plays."""
    return SelectionAnswer(**dataclasses.asdict(context.session(code).replay.selection))


def set_selection(context: Context, code: str, asked: SelectionAsk) -> SelectionAnswer:
    """Play other packets, from the first of them. An empty object selects every packet."""
    context.session(code).replay.set_selection(asked.selection())
    return show_selection(context, code)


def show_speed(context: Context, code: str) -> SpeedAnswer:
    """How fast a session plays."""
    return SpeedAnswer(speed=context.session(code).replay.speed)


def set_speed(context: Context, code: str, asked: SpeedAsk) -> SpeedAnswer:
    """Play faster or slower. No packet is skipped or repeated."""
    context.session(code).replay.set_speed(asked.speed)
    return show_speed(context, code)


def show_loop(context: Context, code: str) -> LoopAnswer:
    """Whether a session starts again at its end."""
    return LoopAnswer(loop=context.session(code).replay.loop)


def set_loop(context: Context, code: str, asked: LoopAsk) -> LoopAnswer:
    """Start again at the end, or stop there."""
    context.session(code).replay.set_loop(asked.loop)
    return show_loop(context, code)


def show_perturbation(context: Context, code: str) -> PerturbationAnswer:
    """How a session disturbs its spike counts and their delivery."""
    replay = context.session(code).replay
    answer: PerturbationAnswer = PerturbationAnswer.model_validate(replay.perturbation)
    return answer


def set_perturbation(context: Context, code: str, asked: PerturbationAsk) -> PerturbationAnswer:
    """Change models by name, or all of them by a preset; what is not named stays as it is.

    A preset sets noise and drift and switches all other models off. What a model does to a packet depends
    on the session's seed and the packet's `sequence_number` alone, also where it sets in over a time. A
    lost packet is a gap in `sequence_number`, and not among the `dropped`; a late one keeps its
    `timestamp`, and never overtakes another. A stream with `?clean=1` is the undisturbed twin.
    """
    context.session(code).replay.set_perturbation(asked.model_dump(exclude_unset=True))
    return show_perturbation(context, code)


def show_timetable(context: Context, code: str) -> TimetableAnswer:
    """When perturbations change by themselves."""
    steps = context.session(code).replay.timetable
    return TimetableAnswer(
        steps=[StepAnswer(at=step.at, perturbation=dict(step.perturbation)) for step in steps]
    )


def set_timetable(context: Context, code: str, asked: TimetableAsk) -> TimetableAnswer:
    """Have perturbations change at seconds of the session, such as drift from 120 on and loss at 300.

    A step acts from its packet on, whatever the speed: same seed and timetable, same packets. What is
    asked in between acts at once, and until a step says otherwise. Steps that are over when this is called
    act with the next packet.
    """
    context.session(code).replay.set_timetable(asked.all_steps())
    return show_timetable(context, code)


def _packet(session: Session, asked: Seek) -> int:
    """The packet that a seek means."""
    recording = session.recording
    if asked.packet_id is not None:
        return asked.packet_id
    if asked.position_seconds is not None:
        if asked.position_seconds >= recording.duration:
            raise OutsideSelection(
                f"Second {asked.position_seconds:g} lies beyond the recording's "
                f"{recording.duration:g} s. Seek to an earlier one."
            )
        return recording.bin_at(recording.start_time + asked.position_seconds)
    assert asked.trial_id is not None  # by the model's own rule
    return session.replay.selection.first_bin(asked.trial_id, recording)
