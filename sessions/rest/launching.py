"""REST calls that start and stop decoders beside the server."""

from __future__ import annotations

from engine.decoders import DECODERS
from engine.errors import NotNow, Occupied
from sessions.launcher import Launched
from sessions.rest.context import Context, Text
from sessions.rest.models.sessions import LaunchedAnswer, StartedAnswer
from sessions.rest.requests import DecoderAsk
from sessions.session import Session

PLAIN = "text/plain"


def list_decoders(context: Context, code: str) -> LaunchedAnswer:
    """The decoders that the server was asked to start for a session. Others are not among them."""
    return launched_answer(context.session(code).launched)


def start_decoder(context: Context, code: str, asked: DecoderAsk) -> LaunchedAnswer:
    """Start a decoder that ships or is a plugin, in a process of its own.

    It learns from the first three quarters of the trials, then answers every packet. It ends with the
    session. In a session of electrodes it learns from what is found at its own: until that is made, `line`
    says how far it is.
    """
    if context.launcher is None:
        raise NotNow("This server starts no decoders. Run serve.py decode yourself.")
    session = context.session(code)
    decoder = DECODERS.get(asked.decoder)
    description = session.description
    made_here = description.goal is None or description.sampled  # of a user's neurons nothing must be made
    learns = decoder is not None and decoder.learned and made_here
    waits = _begin_learning(context, session) if learns else ""
    started = context.launcher.start(session.launched, code, asked.decoder)
    started.line = started.line or waits
    return launched_answer(session.launched)


def _begin_learning(context: Context, session: Session) -> str:
    """See that there is something to learn from: a live stream has none. Tells what is still being made."""
    try:
        recording = context.store.recording_named(session.options.recording)
        context.decoding.found.learned_from(session, recording)
    except Occupied as later:  # the decoder waits for it
        return str(later)
    return ""


def stop_decoder(context: Context, code: str, name: str) -> LaunchedAnswer:
    """Stop a decoder that the server has started, or take one that has ended from the list."""
    session = context.session(code)
    session.launched.stop(name)
    return launched_answer(session.launched)


def get_log(context: Context, code: str, name: str) -> Text:
    """All that a decoder's process has said since it was started, such as why it has failed."""
    return Text(context.session(code).launched.get(name).log.read(), f"{PLAIN}; charset=utf-8")


def launched_answer(launched: Launched) -> LaunchedAnswer:
    """As clients see it."""
    decoders = [
        StartedAnswer(name=name, state=each.state, line=each.line)
        for name, each in launched.decoders.items()
    ]
    return LaunchedAnswer(decoders=decoders, count=len(decoders))
