"""What sessions refuse beside what the engine does, and how a refusal looks on the wire: one status and one
body for each error code."""

from __future__ import annotations

from typing import Any

from engine.errors import DeckError, Occupied


class UnknownSession(DeckError):
    code = "unknown_session"


class UnknownDecoder(DeckError):
    """The server has not started a decoder of this name."""

    code = "unknown_decoder"


class UnknownLink(DeckError):
    """No link that can look has this id."""

    code = "unknown_link"


class UnknownRun(DeckError):
    """No run of this number is kept."""

    code = "unknown_run"


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


class Busy(Occupied):
    """There is no room now; there will be soon."""


class Soon(Busy):
    """It is being made, or others come first: a matter of seconds."""

    retry_after = 1


class NotDrawn(DeckError):
    """A picture could not be drawn, by no fault of the one who asks."""

    code = "not_drawn"


STATUS: dict[str, int] = {
    "unreadable": 400,
    "not_an_upgrade": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "unknown_session": 404,
    "unknown_recording": 404,
    "unknown_decoder": 404,
    "unknown_record": 404,
    "unknown_run": 404,
    "unknown_link": 404,
    "unknown_calibration": 404,
    "unknown_trial": 404,
    "unknown_target": 404,
    "empty_selection": 404,
    "not_found": 404,
    "method_not_allowed": 405,
    "conflict": 409,
    "not_now": 409,
    "outside_selection": 409,
    "too_large": 413,
    "bad_recording": 422,
    "bad_setting": 422,
    "leak": 422,
    "bad_prediction": 422,
    "bad_model": 422,
    "cannot_fit": 422,
    "bad_session_code": 422,
    "invalid": 422,
    "too_many": 429,
    "internal": 500,
    "too_many_sessions": 503,
    "busy": 503,
    "not_drawn": 503,
    "no_records": 503,
    "record_failed": 503,
}


def status_of(error: DeckError) -> int:
    """The HTTP status of a refusal."""
    return STATUS.get(error.code, 400)


def refusal(code: str, message: str) -> dict[str, Any]:
    """The body of every error answer."""
    return {"error": {"code": code, "message": message}, "detail": message}


def tornados_refusal(status: int) -> dict[str, Any]:
    """The same for what Tornado refuses or what has failed, of which only the status is known."""
    match status:
        case 400:
            return refusal("unreadable", "The request cannot be read. Send UTF-8, percent-encoded.")
        case 405:
            return refusal("method_not_allowed", "This method is not possible here. See /docs.")
        case _:
            return refusal("internal", "The server has failed at this; its log says why.")
