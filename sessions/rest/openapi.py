"""The OpenAPI document, from the same table and models that serve the calls."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema
from pydantic_core import core_schema

from sessions.gate.rules import OPEN
from sessions.refusals import STATUS
from sessions.rest.asks import Ask
from sessions.rest.models.base import Error
from sessions.rest.route import PATH_PARAMETERS, Route

Schema = dict[str, Any]
Schemas = Mapping[Any, Schema]
"""By model and mode."""

REF = "#/components/schemas/{model}"
MEANINGS = {
    "code": "Code of the session.",
    "name": "Of a finished record.",
    "calibration": "Number of the calibration.",
    "run": "Number of the run.",
    "link": "Id of the link.",
    "trial_id": "Id in the recording.",
    "target_id": "Id in the recording.",
}
REASONS = {
    400: "The request cannot be read.",
    401: "The server has a token, and the request does not show it.",
    403: "The server is called by a name that is not its own, or by a page of a foreign origin.",
    404: "There is no such thing.",
    409: "Not in the present state; while a session waits for its stream, with the header Retry-After.",
    413: "The body exceeds 1 MiB.",
    422: "A value or name is not allowed.",
    429: "There are more requests, sessions or clients than one address or session may have; "
    "the header Retry-After says when to ask again.",
    503: "There is no room, or it failed for now; the header Retry-After says when to ask again.",
}
DESCRIPTION = """\
PhantomDeck replays neural recordings in real time, to decoders that cannot tell it from an implant.
Create a session, connect a WebSocket to its `stream_url` (JSON) or `binary_url` (MessagePack), and drive
it with the calls below. Every error has the same form, with a message that names the rule, the value and
the way out."""

LATER = (429, 503)
RETRY_AFTER = {
    "description": "Seconds after which to ask again.",
    "required": True,
    "schema": {"type": "integer"},
}
BEARER = {
    "type": "http",
    "scheme": "bearer",
    "description": "The server's token, if it has one. `?token=` in the address does as well.",
}


class Generated(GenerateJsonSchema):
    """Writes a single allowed value as an enumeration of one, which client generators read in unions."""

    def literal_schema(self, schema: core_schema.LiteralSchema) -> Schema:
        written = super().literal_schema(schema)
        if "const" in written:
            written["enum"] = [written.pop("const")]
        return written


def document(groups: Mapping[str, Iterable[Route]], version: str) -> Schema:
    """Describe calls.

    Parameters
    ----------
    groups : mapping
        Calls by heading.
    version : str
        Of PhantomDeck.

    Returns
    -------
    dict
        OpenAPI 3.1, ready for JSON.
    """
    routes = [route for group in groups.values() for route in group]
    schemas, definitions = models_json_schema(
        list(_models(routes)), ref_template=REF, schema_generator=Generated
    )
    paths: dict[str, Schema] = {}
    for name, group in groups.items():
        for route in group:
            paths.setdefault(route.path, {})[route.method.lower()] = _operation(name, route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "PhantomDeck", "version": version, "description": DESCRIPTION},
        "tags": [{"name": name} for name in groups],
        "paths": paths,
        "components": {"schemas": definitions["$defs"], "securitySchemes": {"token": BEARER}},
    }


def _models(routes: Iterable[Route]) -> Iterable[tuple[type[BaseModel], JsonSchemaMode]]:
    yield Error, "serialization"
    for route in routes:
        yield from ((model, "serialization") for model in route.answers.values())
        if route.body.model_fields:
            yield route.body, "validation"


def _operation(group: str, route: Route, schemas: Schemas) -> Schema:
    summary, _, details = (inspect.getdoc(route.call) or "").partition("\n\n")
    operation: Schema = {
        "tags": [group],
        "operationId": re.sub(r"\W+", "_", f"{route.method.lower()}{route.path}").strip("_"),
        "summary": summary,
        "description": details,
        "parameters": [*_path_parameters(route), *_query_parameters(route.query)],
        "responses": _responses(route, schemas),
        "security": [{}] if route.path == OPEN else [{"token": []}, {}],
    }
    if route.body.model_fields:
        needed = any(field.is_required() for field in route.body.model_fields.values())
        schema = schemas[route.body, "validation"]
        operation["requestBody"] = {"required": needed, "content": {"application/json": {"schema": schema}}}
    return operation


def _path_parameters(route: Route) -> list[Schema]:
    names = re.findall(r"{(\w+)}", route.path)
    types = {str: "string", int: "integer"}
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": MEANINGS[name],
            "schema": {"type": types[PATH_PARAMETERS[name]]},
        }
        for name in names
    ]


def _query_parameters(query: type[Ask]) -> list[Schema]:
    properties: dict[str, Schema] = query.model_json_schema(schema_generator=Generated).get(
        "properties", {}
    )
    return [
        {
            "name": name,
            "in": "query",
            "description": schema.pop("description", ""),
            **({"explode": False} if schema.get("type") == "array" else {}),  # commas between
            "schema": schema,
        }
        for name, schema in properties.items()
    ]


def _responses(route: Route, schemas: Schemas) -> Schema:
    content: Schema = {}
    if route.answer:
        content["application/json"] = {"schema": schemas[route.answer, "serialization"]}
    if route.other:
        content[route.other] = {"schema": {"type": "string"}}
    codes: dict[int, list[str]] = {}
    for code in sorted({*(error.code for error in route.refuses), *_codes_of_form(route)}):
        codes.setdefault(STATUS[code], []).append(f"`{code}`")
    error = {"application/json": {"schema": schemas[Error, "serialization"]}}
    return {
        "200": {"description": "Done.", "content": content},
        **{
            str(status): {
                "description": "Taken.",
                "content": {"application/json": {"schema": schemas[model, "serialization"]}},
            }
            for status, model in route.answers.items()
            if status != 200
        },
        **{
            str(status): {
                "description": f"{REASONS[status]} Code {' or '.join(codes[status])}.",
                "content": error,
                **({"headers": {"Retry-After": RETRY_AFTER}} if status in LATER else {}),
            }
            for status in sorted(codes)
        },
        "default": {"description": "Any other refusal, in the same form.", "content": error},
    }


def _codes_of_form(route: Route) -> Iterable[str]:
    """What can be wrong with the form of a request."""
    yield from ("invalid", "forbidden", "too_many")
    if route.path != OPEN:
        yield "unauthorized"
    if route.body.model_fields:
        yield from ("unreadable", "too_large")
