"""How a refusal looks on the wire: one status and one body for each error code."""

from __future__ import annotations

from typing import Any

from engine.errors import DeckError

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
