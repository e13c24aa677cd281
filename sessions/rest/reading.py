"""What a request asks: query and body, read and checked against the models of its route."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, from_json

from engine.errors import BadSetting, DeckError
from sessions.refusals import Unreadable
from sessions.rest.asks import Ask, Tuning
from sessions.rest.route import Route

A = TypeVar("A", bound=Ask)

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
    except ValidationError as error:
        raise _refusal(error, model) from None
    return checked(model, given)


def checked(model: type[A], given: Mapping[str, Any]) -> A:
    """What a client sends, or a page asks for.

    Raises
    ------
    Invalid
    BadSetting
        If the engine knows better than the model.
    """
    try:
        return model.model_validate(given, strict=True)
    except ValidationError as error:
        raise _refusal(error, model) from None


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


def _refusal(error: ValidationError, model: type[Ask]) -> DeckError:
    messages: dict[str, str] = {}  # one a field: each branch of a union has an error of its own
    tuning = True
    for detail in error.errors(include_url=False):
        name, within = _field(detail["loc"], model)
        messages.setdefault(name, _sentence(detail, name, within))
        tuning &= issubclass(within, Tuning)
    text = " ".join(list(messages.values())[:ERRORS_TOLD])
    return BadSetting(text) if tuning else Invalid(text)


def _sentence(detail: ErrorDetails, name: str, within: type[BaseModel]) -> str:
    match detail["type"]:
        case "extra_forbidden":
            known = ", ".join(within.model_fields)
            return f"Unknown field {name!r}. " + (
                f"There are {known}." if known else "This call takes none."
            )
        case "missing":
            return f"Field {name!r} is missing. Send it."
        case "value_error":
            return str(detail["ctx"]["error"])
        case "model_type":
            return f"Field {name!r} is {_shown(detail['input'])}. Send a JSON object."
        case _:
            return f"Field {name!r} is {_shown(detail['input'])}. {_way_out(detail['msg'])}."


def _way_out(rule: str) -> str:
    """What to do about a rule as pydantic words it."""
    wanted = rule.removeprefix("Input should be ").split(", unable to")[0]
    if wanted == rule:
        return rule
    return f"Send a number {wanted}" if wanted.startswith(("greater", "less")) else f"Send {wanted}"


def _field(loc: tuple[int | str, ...], model: type[BaseModel]) -> tuple[str, type[BaseModel]]:
    """How a field is spelled, such as ``noise.sd`` or ``trial_ids[2]``, and the model that it is of."""
    first, *rest = loc or ("",)
    name, within, inner = str(first)[:SHOWN], model, _model_of(model, first)
    for part in rest:
        if isinstance(part, int):
            name += f"[{part}]"
        elif inner is not None:  # else it is a branch of a union
            name += f".{part[:SHOWN]}"
            within, inner = inner, _model_of(inner, part)
    return name, within


def _model_of(model: type[BaseModel], name: int | str) -> type[BaseModel] | None:
    """The model of what a field holds, also where it holds several."""
    field = model.model_fields.get(str(name))
    kinds = () if field is None else (field.annotation, *get_args(field.annotation))
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)


def _shown(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
