"""The version, from the one place that has it."""

from __future__ import annotations

import tomllib
from pathlib import Path

PROJECT = Path(__file__).parent.parent / "pyproject.toml"


def version() -> str:
    """Of this checkout: PhantomDeck is an application and always runs from one."""
    return str(tomllib.loads(PROJECT.read_text())["project"]["version"])
