"""Recordings that may lie beside the checkout, and that the project does not contain."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

GIVEN: Final = Path(__file__).parents[2] / "shared" / "data"


def given(name: str) -> Path:
    """One of them, such as ``reach98.nwb``; the test is skipped where it is not."""
    path = GIVEN / name
    if not path.is_file():
        pytest.skip(f"There is no {path}, a recording that the project does not contain.")
    return path
