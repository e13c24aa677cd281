"""What a request asks: query and body, read and checked against the models of its route."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails, from_json

from engine.errors import DeckError
from sessions.errors import Unreadable
from sessions.rest.requests import Ask
from sessions.rest.route import Route

SHOWN = 80
"""Characters of a client's own value that a message repeats."""
ERRORS_TOLD = 3


class Invalid(DeckError):
    code = "invalid"


def asked(route: Route, query: Mapping[str, str], body: bytes) -> Ask:
    """Read a request.

    Raises
    ------
    Unreadable, Invalid
    BadSetting
        If the engine knows better than the model.
    """
    model = route.query
    try:
        values = model.model_validate_strings(query)
        if route.method in ("GET", "DELETE"):
            return values
        model = route.body
        given = _object(body)
        if not (given and model.body_alone):
            given = {**values.model_dump(exclude_unset=True), **given}
        return model.model_validate(given, strict=True)
    except ValidationError as error:
        raise Invalid(_spelled(error, model)) from None


def _object(body: bytes) -> dict[str, Any]:
    if not body.strip():
        return {}
    try:
        read = from_json(body, allow_inf_nan=False)
    except ValueError:
        raise Unreadable("The body is not JSON. Send a JSON object, or nothing.") from None
    if not isinstance(read, dict):
        raise Invalid(f"The body is {_shown(read)}. Send a JSON object, or nothing.")
    return read


def _spelled(error: ValidationError, model: type[Ask]) -> str:
    messages: dict[Any, str] = {}  # one a field: each branch of a union has an error of its own
    for detail in error.errors(include_url=False):
        messages.setdefault(detail["loc"][:1], _sentence(detail, model))
    return " ".join(list(messages.values())[:ERRORS_TOLD])


def _sentence(detail: ErrorDetails, model: type[Ask]) -> str:
    first, *rest = detail["loc"] or ("",)
    name = str(first)[:SHOWN] + "".join(f"[{part}]" for part in rest if isinstance(part, int))
    match detail["type"]:
        case "extra_forbidden":
            known = ", ".join(model.model_fields)
            return f"Unknown field {name!r}. " + (
                f"There are {known}." if known else "This call takes none."
            )
        case "missing":
            return f"Field {name!r} is missing. Send it."
        case "value_error":
            return str(detail["ctx"]["error"])
        case _:
            return f"Field {name!r} is {_shown(detail['input'])}. {detail['msg']}."


def _shown(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
