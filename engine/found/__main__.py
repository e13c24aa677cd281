"""``python -m engine.found FOLDER``: finds what is ordered in the folder, and tells how far it is."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from engine.found.finding import find
from engine.making import work


def make(order: dict[str, Any], tell: Callable[[float], None]) -> bytes:
    """The counts, as a file."""
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, counts=find(order, tell))
    return file.getvalue()


if __name__ == "__main__":
    sys.exit(work(Path(sys.argv[1]), make))
