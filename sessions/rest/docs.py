"""The page about the API, rendered on the server from the OpenAPI document; it needs nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

from sessions.rest.requests import MAX_INDEX
from sessions.templates import render

JSON = "application/json"
EXAMPLES = {
    "code": "swift-neural-42",
    "name": "baseline-20250131-120000-000",
    "calibration": "1",
    "run": "1",
    "link": "5f1c09ae",
    "trial_id": "3",
    "target_id": "0",
}
MAX_DEPTH = 3

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Field:
    """One line of a table: a parameter, or a field of a body or an answer."""

    name: str
    kind: str
    description: str
    required: bool
    depth: int = 0


@dataclass(frozen=True)
class Operation:
    """One call, as the page shows it."""

    key: str
    method: str
    path: str
    summary: str
    details: str
    parameters: list[Field]
    body: list[Field]
    answer: list[Field]
    other: list[str]
    refusals: list[tuple[str, str]]
    example: str


def page(document: Json, api: str, dashboard: str) -> bytes:
    """Render the page.

    Parameters
    ----------
    document : mapping
        OpenAPI, as `sessions.rest.openapi.document` makes it.
    api : str
        Address of the server, for the examples.
    dashboard : str
        Address of its pages, for the way back.

    Returns
    -------
    bytes
        HTML in UTF-8.
    """
    groups: dict[str, list[Operation]] = {tag["name"]: [] for tag in document["tags"]}
    schemas = document["components"]["schemas"]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            groups[operation["tags"][0]].append(_operation(path, method.upper(), operation, schemas, api))
    return render(
        "docs.html", info=document["info"], groups=groups, prose=prose, api=api, dashboard=dashboard
    )


def prose(text: str) -> Markup:
    """Text with `code` in backquotes, as HTML."""
    return Markup(re.sub(r"`+([^`]+)`+", r"<code>\1</code>", str(escape(text))))


def _operation(path: str, method: str, operation: Json, schemas: Json, api: str) -> Operation:
    body = operation.get("requestBody", {}).get("content", {}).get(JSON, {}).get("schema", {})
    responses: dict[str, Json] = dict(operation["responses"])
    content = responses.pop("200")["content"]
    return Operation(
        key=operation["operationId"],
        method=method,
        path=path,
        summary=operation["summary"],
        details=operation["description"],
        parameters=[
            Field(p["name"], _kind(p["schema"]), p["description"], p.get("required", False))
            for p in operation["parameters"]
        ],
        body=list(_fields(body, schemas)),
        answer=list(_fields(content.get(JSON, {}).get("schema", {}), schemas)),
        other=[kind for kind in content if kind != JSON],
        refusals=[(status, each["description"]) for status, each in responses.items()],
        example=_example(path, method, _resolved(body, schemas).get("examples", []), api),
    )


def _example(path: str, method: str, bodies: list[Any], api: str) -> str:
    filled = re.sub(r"{(\w+)}", lambda match: EXAMPLES[match[1]], path)
    command = "curl" if method == "GET" else f"curl -X {method}"
    data = "".join(f" \\\n  -d '{json.dumps(body)}'" for body in bodies[:1])
    return f"{command} {api}{filled}{data}"


def _fields(schema: Json, schemas: Json, depth: int = 0) -> Iterator[Field]:
    """The fields of an object, each followed by those of the objects within it."""
    schema = _resolved(schema, schemas)
    if depth == MAX_DEPTH:
        return
    for name, inner in schema.get("properties", {}).items():
        required = name in schema.get("required", ())
        resolved = _resolved(inner, schemas)
        description = inner.get(
            "description", "" if "properties" in resolved else resolved.get("description", "")
        )
        yield Field(name, _kind(inner), description, required, depth)
        yield from _fields(_element(resolved), schemas, depth + 1)


def _element(schema: Json) -> Json:
    """What a list or a mapping holds; the schema itself if it is neither."""
    held: Any = schema.get("items") or schema.get("additionalProperties")
    return held if isinstance(held, dict) and "properties" not in schema else schema


def _resolved(schema: Json, schemas: Json) -> Json:
    reference = schema.get("$ref")
    resolved: Json = schemas[reference.rpartition("/")[2]] if reference else schema
    return resolved


def _kind(schema: Json) -> str:
    """The type in words."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(_kind(each) for each in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return ", ".join(json.dumps(value) for value in schema.get("enum", [schema.get("const")]))
    match schema.get("type"):
        case "array" if "items" in schema:
            return f"list of {_kind(schema['items'])}"
        case "array":
            return "list"
        case "object" if isinstance(schema.get("additionalProperties"), dict):
            return f"object of {_kind(schema['additionalProperties'])}"
        case kind:
            return str(schema.get("format") or kind) + _bounds(schema)


def _bounds(schema: Json) -> str:
    low, high = (schema.get(key) for key in ("minimum", "maximum"))
    told = [f"{word} {bound:g}" for word, bound in (("from", low), ("to", high)) if _is_telling(bound)]
    return " ".join(["", *told])


def _is_telling(bound: float | None) -> bool:
    return bound is not None and abs(bound) < MAX_INDEX
