"""The pages that the server itself makes, such as reports: templates of the folder ``resources``."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

RESOURCES = Path(__file__).parent.parent / "resources"


def render(name: str, **values: Any) -> bytes:
    """A page, in UTF-8. What is no `markupsafe.Markup` is escaped.

    Raises
    ------
    jinja2.UndefinedError
        If a value is missing.
    """
    return _environment().get_template(name).render(values).encode()


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(RESOURCES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
