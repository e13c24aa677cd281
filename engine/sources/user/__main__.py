"""``python -m engine.sources.user FOLDER``: fits neurons to the folder's sample, and tells how far."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.making import work
from engine.sources.user.regression import Sample, fit


def make(order: dict[str, Any], tell: Callable[[float], None]) -> bytes:
    """Neurons of a sample."""
    return fit(Sample(**order), tell).to_npz()


if __name__ == "__main__":
    sys.exit(work(Path(sys.argv[1]), make))
