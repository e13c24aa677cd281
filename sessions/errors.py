"""What sessions refuse, beside what the engine does."""

from __future__ import annotations

from engine.errors import DeckError


class UnknownSession(DeckError):
    code = "unknown_session"


class UnknownRecording(DeckError):
    code = "unknown_recording"


class BadCode(DeckError):
    """A session code that breaks the rule for codes."""

    code = "bad_session_code"


class Conflict(DeckError):
    """What is asked for contradicts what is in force."""

    code = "conflict"


class Full(DeckError):
    """The limit of sessions is reached and none can make room."""

    code = "too_many_sessions"
