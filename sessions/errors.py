"""What sessions refuse, beside what the engine does."""

from __future__ import annotations

from engine.errors import DeckError


class UnknownSession(DeckError):
    code = "unknown_session"


class UnknownDecoder(DeckError):
    """The server has not started a decoder of this name."""

    code = "unknown_decoder"


class UnknownRecording(DeckError):
    code = "unknown_recording"


class BadCode(DeckError):
    """A session code that breaks the rule for codes."""

    code = "bad_session_code"


class Conflict(DeckError):
    """What is asked for contradicts what is in force."""

    code = "conflict"


class Forbidden(DeckError):
    """A page of an origin that may not call."""

    code = "forbidden"


class Unreadable(DeckError):
    """A request that says nothing."""

    code = "unreadable"


class NotAnUpgrade(DeckError):
    """A request without WebSocket where only that is spoken."""

    code = "not_an_upgrade"


class Full(DeckError):
    """The limit of sessions is reached and none can make room."""

    code = "too_many_sessions"


class TooMany(DeckError):
    """More than one client, or one session, may have.

    Parameters
    ----------
    message : str
    retry_after : int
        Seconds after which there may be room.
    """

    code = "too_many"

    def __init__(self, message: str, retry_after: int = 5) -> None:
        super().__init__(message)
        self.retry_after: int = retry_after


class UnknownRecord(DeckError):
    code = "unknown_record"


class RecordFailed(DeckError):
    """A record could not be finished or exported, by no fault of the one who asks."""

    code = "record_failed"


class NoRecords(DeckError):
    """There is no folder for records, or it cannot be written."""

    code = "no_records"


class UnknownCalibration(DeckError):
    code = "unknown_calibration"


class Busy(DeckError):
    """There is no room now; there will be soon."""

    code = "busy"


class NotDrawn(DeckError):
    """A picture could not be drawn, by no fault of the one who asks."""

    code = "not_drawn"
